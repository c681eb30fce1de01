package org.stellaops.backup.plan;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.spi.TargetDescription;

/**
 * What a restore would do: to be shown to a human, consented to by digest, and carried out.
 * Planning changes nothing. Holds no identity and no secret.
 */
public final class RestorePlan {
  private final SnapshotSummary snapshot;
  private final RestoreRequest request;
  private final List<Part> parts;
  private final List<Finding> blockers;
  private final Map<String, Long> streams;

  /**
   * Made by the repository.
   *
   * @param streams newest slot of the log of each stream when it was planned
   */
  public RestorePlan(
      SnapshotSummary snapshot,
      RestoreRequest request,
      List<Part> parts,
      List<Finding> blockers,
      Map<String, Long> streams) {
    this.streams = Map.copyOf(streams);
    this.snapshot = snapshot;
    this.request = request;
    this.parts = List.copyOf(parts);
    this.blockers = List.copyOf(blockers);
  }

  /**
   * What happens to one source.
   *
   * @param captured what is restored
   * @param target where it goes
   * @param state what stands there now
   * @param undo how far it can be taken back
   * @param steps what will be done
   * @param overwrites what will be replaced
   * @param advice what the operator has to do or set afterwards
   */
  public record Part(
      CaptureHeader captured,
      TargetDescription target,
      Optional<TargetState> state,
      Undo undo,
      List<String> steps,
      List<String> overwrites,
      Map<String, String> advice) {
    public Part {
      steps = List.copyOf(steps);
      overwrites = List.copyOf(overwrites);
      advice = Collections.unmodifiableMap(new TreeMap<>(advice));
    }
  }

  /** The same with other things in its way. */
  public RestorePlan with(List<Finding> otherBlockers) {
    return new RestorePlan(snapshot, request, parts, otherBlockers, streams);
  }

  /** The snapshot that will be restored. */
  public SnapshotId snapshot() {
    return snapshot.id();
  }

  SnapshotSummary summary() {
    return snapshot;
  }

  /** What was asked for. */
  public RestoreRequest request() {
    return request;
  }

  /**
   * Newest slot of the log of each stream when it was planned: what was recorded since is not seen.
   */
  public Map<String, Long> streams() {
    return streams;
  }

  /** One per source, in the order of restoring. */
  public List<Part> parts() {
    return parts;
  }

  /** Everything that stands in the way; empty if the plan can be carried out. */
  public List<Finding> blockers() {
    return blockers;
  }

  /** Whether nothing stands in the way. */
  public boolean isPossible() {
    return blockers.isEmpty();
  }

  /**
   * Identity of this plan: of the snapshot's entry, the targets and what stands in them, the steps
   * and the blockers. The same as long as nothing of that changes.
   */
  public Digest digest() {
    StringBuilder text =
        new StringBuilder("restore plan 1\n").append(snapshot.entry()).append('\n');
    request.point().ifPresent(p -> text.append("up to ").append(p).append('\n'));
    for (Part part : parts) {
      text.append(part.captured().source())
          .append('|')
          .append(part.target().location())
          .append('|')
          .append(part.target().options());
      part.state()
          .ifPresent(
              s -> text.append('|').append(s.occupancy()).append('|').append(s.fingerprint()));
      text.append('|')
          .append(part.undo())
          .append('|')
          .append(part.steps())
          .append('|')
          .append(part.overwrites())
          .append('\n');
    }
    blockers.forEach(b -> text.append(b).append('\n'));
    return Digest.ofContent(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The plan as a person wants to read it before consenting: what was captured when, where it goes,
   * what is replaced, what stands in the way and what to do about that.
   */
  public String describe() {
    return new RestorePlanText(this).write();
  }
}
