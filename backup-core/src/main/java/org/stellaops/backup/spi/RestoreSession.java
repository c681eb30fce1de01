package org.stellaops.backup.spi;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;

/**
 * What a target reads from while it restores. Used by one thread, unless a method says otherwise.
 */
public interface RestoreSession {
  /** The run. */
  RunId run();

  /** What to restore: the full capture first, then its increments in order. */
  List<CapturedSource> chain();

  /**
   * The plain bytes of an artifact, verified: reading fails at EOF if they are not those captured,
   * so nothing may be trusted before EOF. In any order, again and again. The caller closes.
   */
  InputStream open(CapturedSource of, ArtifactName artifact) throws IOException;

  /**
   * A range of an artifact. Only authenticated encryption protects it, not the digest of the whole.
   */
  InputStream open(CapturedSource of, ArtifactName artifact, ByteRange plain) throws IOException;

  /** Where a replay on top of it is to end; empty if nothing is to be replayed. */
  default Optional<RecoveryPoint> point() {
    return Optional.empty();
  }

  /** What was recorded of the source's history when the restore was planned. */
  default Optional<RecordedStream> recorded() throws IOException {
    return Optional.empty();
  }

  /** In {@code publish}: where a source of lower rank was restored to. */
  Optional<Endpoint> restored(SourceName earlier);

  /** Says where the restored system is. */
  void endpoint(Endpoint endpoint);

  /** Cancellation of the run. From any thread. */
  Stopping stopping();

  /**
   * Where a target may do work beside the calling thread, such as waiting for disks. May run a task
   * at once, on the calling thread. Every task must have ended when the step returns, and none may
   * use this session unless the method says so.
   */
  default Executor executor() {
    return Runnable::run;
  }

  /** Something worth a human's look. From any thread. */
  void finding(Finding finding);

  /**
   * How far this source is.
   *
   * @param expectedBytes of all its artifacts; 0 where unknown
   */
  void progress(long bytes, long objects, long expectedBytes);
}
