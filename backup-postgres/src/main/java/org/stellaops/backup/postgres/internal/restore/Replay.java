package org.stellaops.backup.postgres.internal.restore;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.internal.restore.ReplayPath.Piece;

/**
 * What is replayed on top of a base backup, and what makes the server end there.
 *
 * @param timeline to follow
 * @param pieces WAL to stage, in order
 * @param end behind the last byte that is staged
 * @param target the server's own {@code recovery_target_*}; empty where the end of the WAL is the
 *     end of the replay
 */
public record Replay(long timeline, List<Piece> pieces, Lsn end, Map<String, String> target) {
  public Replay {
    pieces = List.copyOf(pieces);
    target = new TreeMap<>(target);
  }

  /** How many bytes of WAL it has. */
  public long lengthBytes() {
    return pieces.stream().mapToLong(p -> p.to().position() - p.from().position()).sum();
  }

  /** For a plan. */
  public String describe() {
    return "replay WAL up to %s on timeline %d%s"
        .formatted(end, timeline, target.isEmpty() ? "" : ", where " + target);
  }
}
