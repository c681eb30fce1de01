package org.stellaops.backup.spi;

import java.io.IOException;
import org.stellaops.backup.model.SourceKind;

/**
 * What can be restored to, and where. A value, made without the source: on an empty machine there
 * is none. Each step is idempotent; {@link #rollBack} may follow any of them.
 */
public interface RestoreTarget {
  /** Where it is. No I/O; enters the digest of the restore plan. */
  TargetDescription describe();

  /** Whether it understands what a source of this kind captured. */
  boolean accepts(SourceKind kind);

  /** Inspects and reports; no side effects. */
  void plan(RestorePlanning planning) throws IOException;

  /** Writes beside what is live. */
  void stage(RestoreSession session) throws IOException;

  /**
   * Swaps or starts. Called when all sources of the restore are staged, so all their bytes are
   * known to be good.
   */
  void publish(RestoreSession session) throws IOException;

  /**
   * Takes back what {@link #stage} and {@link #publish} did, as far as {@link RestorePlanning#undo}
   * promised.
   */
  void rollBack(RestoreSession session) throws IOException;

  /**
   * Forgets how to roll back: all sources are published and every check has passed. What {@link
   * #stage} and {@link #publish} kept for {@link #rollBack} is removed; that is not called any
   * more.
   */
  default void settle(RestoreSession session) throws IOException {}
}
