package org.stellaops.backup.spi;

import java.io.IOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;

/**
 * Where a source puts what it captures. Lives as long as the call of {@link BackupSource#capture};
 * used by the thread that made that call, unless a method says otherwise.
 */
public interface CaptureSession {
  /** What the plan calls this source. */
  SourceName source();

  /** The run. */
  RunId run();

  /** The engine's clock. */
  InstantSource clock();

  /** Cancellation and deadline of the run. From any thread. */
  Stopping stopping();

  /**
   * Where a source may compute beside the calling thread. May run a task at once, on the calling
   * thread. Every task must have ended when {@code capture} returns, and none may use this session
   * unless the method says so.
   */
  default Executor executor() {
    return Runnable::run;
  }

  /** What was asked for; a source that cannot build on a parent captures in full. */
  CaptureKind requested();

  /** The newest good capture of this source by this writer; empty: capture in full. */
  Optional<ParentCapture> parent();

  /** A source that was captured before this one in the same run: the fence. */
  Optional<CapturedSource> captured(SourceName earlier);

  /**
   * Captures one artifact. If the body throws, nothing of it is kept and the exception passes; the
   * same name may be tried again, and must succeed before {@code capture} returns. One at a time;
   * names are unique within a source.
   */
  CapturedArtifact artifact(ArtifactName name, Form form, ArtifactBody body) throws IOException;

  /**
   * Takes artifacts of {@link #parent} over as they are, under these names, without their bytes
   * being written again: their digests and chunks become those of this capture, which depends on no
   * parent for that. Possible for artifacts with {@link Form#reusable} whose chunks the writer
   * knows to be stored; whoever says no wants them captured.
   *
   * @param parentNames new name to name in the parent; taken over in this order
   * @return whether all were taken over; if not, none was
   * @throws IllegalStateException if a new name was captured already, or within an artifact
   */
  default boolean reuse(Map<ArtifactName, ArtifactName> parentNames) throws IOException {
    return false;
  }

  /**
   * Remembers something for the source's next capture that is no part of this one: sealed to the
   * writer's own state identity, and read again by {@link ParentCapture#recall}. If the body
   * throws, nothing is remembered. A session may remember nothing.
   *
   * @param name of no artifact, and remembered once
   */
  default void remember(ArtifactName name, ArtifactBody body) throws IOException {}

  /** Makes this capture incremental: it cannot be restored without the parent. */
  void dependsOn(ParentCapture parent);

  /** Its place in the history of the source. Stands in clear in the repository. */
  void span(CaptureSpan span);

  /** A version that matters for restoring: of a server, a schema, feature compatibility. */
  void version(String of, String value);

  /**
   * Something to remember with the capture: {@code consistency=SNAPSHOT}. Sealed, but not for
   * secrets.
   */
  void property(String key, String value);

  /** What should be captured. Less than this in {@link #captured(InventoryItem)} is a finding. */
  void expect(InventoryItem item);

  /** What was captured. */
  void captured(InventoryItem item);

  /** A head of a chain that was seen, so that its later truncation shows. */
  void witness(String what, Digest head, long sequence);

  /**
   * Something worth a human's look; WARNING and above make the outcome DEGRADED. From any thread.
   */
  void finding(Finding finding);

  /**
   * How far the capture is, in all its artifacts together.
   *
   * @param expectedBytes of the whole capture; 0 where unknown
   */
  void progress(long bytes, long objects, long expectedBytes);
}
