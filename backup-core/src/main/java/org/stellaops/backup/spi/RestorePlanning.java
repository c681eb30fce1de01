package org.stellaops.backup.spi;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.TargetState;

/** What a target says when a restore is planned. */
public interface RestorePlanning {
  /** What is to be restored. */
  CapturedSource requested();

  /**
   * What a restore would read: the full capture first, then its increments in order; the last is
   * {@link #requested}.
   */
  default List<CapturedSource> chain() {
    return List.of(requested());
  }

  /**
   * The plain bytes of an artifact of what is to be restored, verified at EOF: an index, by which a
   * target can tell what it would replace. The caller closes.
   *
   * @return empty where the plan is made without an identity; the target then finds out when it
   *     stages, before it changes anything
   */
  default Optional<InputStream> open(ArtifactName artifact) throws IOException {
    return Optional.empty();
  }

  /** Where a replay on top of it is to end; empty if nothing is to be replayed. */
  default Optional<RecoveryPoint> point() {
    return Optional.empty();
  }

  /**
   * What was recorded of the source's history up to now; empty if nothing was. A restore of the
   * plan sees the same, whatever is recorded meanwhile.
   */
  default Optional<RecordedStream> recorded() throws IOException {
    return Optional.empty();
  }

  /** What stands in the target now; a change of it makes the plan stale. */
  void state(TargetState state);

  /**
   * How far the restore can be taken back. Shown before consent; {@link Undo#IMPOSSIBLE} unless
   * said.
   */
  void undo(Undo how);

  /** One thing that will be done. */
  void step(String what, long bytes);

  /** One thing that will be replaced. */
  void overwrites(String what);

  /**
   * Room that is needed at {@code where}, in bytes. What several targets need on one file system
   * adds up; too little free is a blocker.
   */
  void needsSpace(Path where, long bytes);

  /** Something the operator has to do or set afterwards. */
  void advice(String key, String value);

  /** Why it cannot be restored there. All of them are reported. */
  void blocker(Finding finding);

  /** How far a restore can be taken back. */
  enum Undo {
    /** What was live is moved aside and can be moved back. */
    SWAP_BACK,
    /** What is written is removed; nothing was there before. */
    REMOVE,
    /** There is no way back. */
    IMPOSSIBLE
  }
}
