package org.stellaops.backup.testkit;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.HoldContext;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.Stopping;

/**
 * Runs a {@link BackupSource} without an engine, with the strictest session there can be:
 *
 * <pre>{@code
 * Captured full = CaptureHarness.of(source).capture();
 * Captured increment = CaptureHarness.of(source).parent(full).capture();
 * assertThrows(
 *     BackupException.Sink.class, () -> CaptureHarness.of(source).failStorageAt(1000).capture());
 * }</pre>
 *
 * <p>A source that breaks the contract of {@link org.stellaops.backup.spi.CaptureSession} gets an
 * {@link IllegalStateException}, and whatever it does with that, {@link #capture} ends in an {@link
 * AssertionError}: a second artifact inside another, a name used twice, another thread, use after
 * {@code capture} returned, progress that goes backwards, a failed artifact that was not captured
 * again, a recalled stream or an {@code onStop} registration left open.
 *
 * <p>One thread at a time. Each setting changes this harness and returns it.
 */
public final class CaptureHarness {
  /** The time that every run sees, unless told otherwise. */
  public static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");

  /**
   * How much a stopped source may still write: the size of the largest chunk, which is what an
   * engine has in hand when it looks next.
   */
  static final long PROMPT_BYTES = 8 << 20;

  private static final RunId RUN = new RunId("test-run");

  private final BackupSource backupSource;
  private final Map<SourceName, CapturedSource> earlier = new LinkedHashMap<>();
  private SourceName name = SourceName.of("source");
  private InstantSource clock = InstantSource.fixed(TIME);
  private CaptureKind requested = CaptureKind.FULL;
  private @Nullable Captured parent;
  private @Nullable Path directory;
  private @Nullable StopSwitch stopSwitch;
  private long stopAfterBytes = Long.MAX_VALUE;
  private long failAtByte = Long.MAX_VALUE;
  private Executor executor = Runnable::run;

  private CaptureHarness(BackupSource source) {
    this.backupSource = source;
  }

  /** A full capture of {@code source}, kept in memory. */
  public static CaptureHarness of(BackupSource source) {
    return new CaptureHarness(source);
  }

  /**
   * The results of {@link BackupSource#check}, in the order they were added.
   *
   * @throws IOException as the source's check throws it
   */
  public static List<CheckResult> checks(BackupSource source) throws IOException {
    return of(source).checks();
  }

  /** What the plan calls the source; {@code source} unless said. */
  public CaptureHarness named(String source) {
    name = SourceName.of(source);
    return this;
  }

  /** The engine's clock; stands at {@link #TIME} unless said. */
  public CaptureHarness clock(InstantSource clock) {
    this.clock = clock;
    return this;
  }

  /** Requests an incremental capture on top of {@code parent}. */
  public CaptureHarness parent(Captured parent) {
    this.parent = parent;
    return requesting(CaptureKind.INCREMENTAL);
  }

  /** What is requested, whether or not there is a parent. */
  public CaptureHarness requesting(CaptureKind kind) {
    requested = kind;
    return this;
  }

  /** A source that was captured before this one in the same run, under the name it had there. */
  public CaptureHarness after(Captured captured) {
    earlier.put(captured.source().header().source(), captured.source());
    return this;
  }

  /**
   * Keeps the artifacts of the next capture as files of {@code directory}, which is made if need
   * be, under their own names: for artifacts that do not fit into memory.
   */
  public CaptureHarness spoolTo(Path directory) {
    this.directory = directory;
    return this;
  }

  /** Where the source computes beside its own thread; on that thread unless said. */
  public CaptureHarness executor(Executor executor) {
    this.executor = executor;
    return this;
  }

  /** Lets the test stop the run, from any thread. */
  public CaptureHarness stopping(StopSwitch stopSwitch) {
    this.stopSwitch = stopSwitch;
    return this;
  }

  /**
   * Stops the run when {@code bytes} bytes have been written, all artifacts together; 0: at once.
   */
  public CaptureHarness stopAfter(long bytes) {
    stopAfterBytes = bytes;
    return this;
  }

  /** Storage fails for good at the byte with this offset, all artifacts together. */
  public CaptureHarness failStorageAt(long offset) {
    failAtByte = offset;
    return this;
  }

  /**
   * One capture, inside the source's {@link BackupSource#hold}.
   *
   * @throws BackupException.Stopped if the run was stopped, whatever the source made of it
   * @throws BackupException.Sink if storage was told to fail, and the source let it pass
   * @throws IOException as the source threw it
   * @throws AssertionError if the source broke its contract
   */
  public Captured capture() throws IOException {
    SourceDescription description = backupSource.describe();
    StopSwitch stopping = stopSwitch == null ? new StopSwitch() : stopSwitch;
    int registrationsBefore = stopping.openRegistrations();
    if (stopAfterBytes == 0) {
      stopping.stop();
    }
    var session = new StrictCaptureSession(settings(description, stopping));
    try (Closeable hold = backupSource.hold(new Hold(stopping))) {
      requireHold(hold);
      session.run(backupSource);
    }
    session.requireUnchanged(backupSource.describe());
    session.requireRegistrations(stopping.openRegistrations() - registrationsBefore);
    return session.captured();
  }

  /**
   * The results of {@link BackupSource#check}, in the order they were added.
   *
   * @throws IOException as the source's check throws it
   */
  public List<CheckResult> checks() throws IOException {
    Stopping stopping = stopSwitch == null ? new StopSwitch() : stopSwitch;
    CollectedChecks checks = new CollectedChecks(stopping, clock);
    backupSource.check(checks);
    return checks.results();
  }

  private StrictCaptureSession.Settings settings(SourceDescription description, StopSwitch stopping)
      throws IOException {
    if (directory != null) {
      Files.createDirectories(directory);
    }
    return new StrictCaptureSession.Settings(
        name,
        description,
        RUN,
        clock,
        stopping,
        requested,
        parent,
        earlier,
        directory,
        stopAfterBytes,
        failAtByte,
        executor);
  }

  private static void requireHold(@Nullable Closeable hold) {
    if (hold == null) {
      throw new AssertionError("the source's hold returned null");
    }
  }

  private record Hold(Stopping stopping) implements HoldContext {
    @Override
    public RunId run() {
      return RUN;
    }
  }
}
