package org.stellaops.backup.plan;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.SnapshotSummary;

/**
 * What it would mean now to make a copy the primary.
 *
 * @param request what was asked for
 * @param repository its id
 * @param label what the copy is called
 * @param snapshots that it holds whole, newest first
 * @param heads behind which its logs would go on: the newest entries that anybody is known to have
 *     seen
 * @param lost what is known to have been in the former primary and is not here, and what is damaged
 */
public record PromotionPlan(
    PromotionRequest request,
    String repository,
    String label,
    List<SnapshotSummary> snapshots,
    List<LogHead> heads,
    List<Finding> lost) {
  public PromotionPlan {
    snapshots = List.copyOf(snapshots);
    heads = List.copyOf(heads);
    lost = List.copyOf(lost);
  }

  /** Whether nothing stands in the way: nothing is lost, or a reason was given. */
  public boolean isPossible() {
    return lost.isEmpty() || request.reason().isPresent();
  }

  /** What consent is given to. */
  public Digest digest() {
    Optional<String> reason = request.reason();
    return Digest.ofContent(
        "promote %s %s\n%s\n%s\n%s"
            .formatted(repository, label, heads, lost, reason.orElse(""))
            .getBytes(StandardCharsets.UTF_8));
  }

  /** In words. */
  public String describe() {
    StringBuilder text = new StringBuilder();
    text.append(
        "the copy %s of repository %s becomes the primary, with %d snapshots\n"
            .formatted(label.isEmpty() ? "without a label" : label, repository, snapshots.size()));
    snapshots.stream()
        .findFirst()
        .ifPresent(s -> text.append("  newest: ").append(s.name()).append('\n'));
    heads.forEach(h -> text.append("  goes on behind ").append(h).append('\n'));
    lost.forEach(l -> text.append("  lost: ").append(l).append('\n'));
    if (!isPossible()) {
      text.append("  not possible unless the loss is accepted, with a reason\n");
    }
    return text.toString();
  }
}
