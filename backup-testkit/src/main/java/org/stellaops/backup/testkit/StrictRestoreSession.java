package org.stellaops.backup.testkit;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Endpoint;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.Stopping;

/** The session of one step of a restore; forgives nothing. */
final class StrictRestoreSession implements RestoreSession {
  private static final RunId RUN = new RunId("test-restore");

  private final String step;
  private final List<Captured> chain;
  private final Map<SourceName, Endpoint> earlier;
  private final StopSwitch stopping;
  private final long stopAfterBytes;
  private final RestoreLog log;
  private final Thread owner = Thread.currentThread();
  private final AtomicReference<@Nullable String> breach = new AtomicReference<>();
  private final OpenStreams streams = new OpenStreams();
  private volatile boolean isOver;
  private long readBytes;
  private @Nullable Progress progress;

  StrictRestoreSession(
      String step,
      List<Captured> chain,
      Map<SourceName, Endpoint> earlier,
      StopSwitch stopping,
      long stopAfterBytes,
      RestoreLog log) {
    this.step = step;
    this.chain = List.copyOf(chain);
    this.earlier = Map.copyOf(earlier);
    this.stopping = stopping;
    this.stopAfterBytes = stopAfterBytes;
    this.log = log;
  }

  /** Lets the target do this step, and judges how it used the session. */
  void run(Step work) throws IOException {
    int registrationsBefore = stopping.openRegistrations();
    Throwable thrown = null;
    try {
      work.run(this);
    } catch (IOException | RuntimeException | Error e) {
      thrown = e;
      throw e;
    } finally {
      isOver = true;
      requireNoBreach(stopping.openRegistrations() - registrationsBefore, thrown);
    }
    stopping.check();
  }

  @Override
  public RunId run() {
    requireOwner("run");
    return RUN;
  }

  @Override
  public List<CapturedSource> chain() {
    requireOwner("chain");
    return chain.stream().map(Captured::source).toList();
  }

  @Override
  public InputStream open(CapturedSource of, ArtifactName artifact) throws IOException {
    requireOwner("open " + artifact);
    Captured captured = link(of);
    CapturedArtifact expected = expected(of, artifact);
    log.opened.add(artifact);
    InputStream bytes = damaged(captured, artifact);
    var verified = new VerifiedInputStream(bytes, expected, () -> log.verified.add(artifact));
    return streams.track(artifact.value(), new Counted(verified));
  }

  @Override
  public InputStream open(CapturedSource of, ArtifactName artifact, ByteRange plain)
      throws IOException {
    requireOwner("open " + artifact + " " + plain);
    Captured captured = link(of);
    CapturedArtifact expected = expected(of, artifact);
    long end = plain.endIn(expected.plainBytes());
    var authentic = new AuthenticInputStream(captured.open(artifact), damaged(captured, artifact));
    authentic.skipNBytes(Math.min(plain.offset(), end));
    long length = Math.max(0, end - plain.offset());
    return streams.track(
        artifact + " " + plain, new Counted(new LimitedInputStream(authentic, length)));
  }

  @Override
  public Optional<Endpoint> restored(SourceName source) {
    requireOwner("restored");
    require(step.equals("publish"), "restored(" + source + ") is asked for in " + step);
    return Optional.ofNullable(earlier.get(source));
  }

  @Override
  public void endpoint(Endpoint endpoint) {
    requireOwner("endpoint");
    log.endpoint = endpoint;
  }

  @Override
  public Stopping stopping() {
    requireAlive("stopping");
    return stopping;
  }

  @Override
  public void finding(Finding finding) {
    requireAlive("finding");
    log.findings.add(finding);
  }

  @Override
  public void progress(long bytes, long objects, long expectedBytes) {
    requireOwner("progress");
    var next = new Progress(RUN, step, bytes, objects, expectedBytes, Duration.ZERO);
    require(bytes >= 0 && objects >= 0 && expectedBytes >= 0, "progress is negative: " + next);
    require(
        progress == null || (bytes >= progress.bytes() && objects >= progress.objects()),
        "progress goes backwards: from %s to %s".formatted(progress, next));
    progress = next;
    log.progress = next;
  }

  private InputStream damaged(Captured captured, ArtifactName artifact) throws IOException {
    InputStream intact = captured.open(artifact);
    ArtifactDamage damage = log.damage.get(artifact);
    return damage == null ? intact : damage.of(intact);
  }

  private Captured link(CapturedSource of) {
    Optional<Captured> link = chain.stream().filter(c -> c.source().equals(of)).findFirst();
    require(link.isPresent(), "the capture is not in the chain: " + of.header().snapshot());
    return link.orElseThrow();
  }

  private CapturedArtifact expected(CapturedSource of, ArtifactName artifact) {
    Optional<CapturedArtifact> expected = of.artifact(artifact);
    require(expected.isPresent(), "there is no artifact " + artifact);
    return expected.orElseThrow();
  }

  private void requireNoBreach(int registrations, @Nullable Throwable thrown) {
    String what = breach.get();
    if (what == null && !streams.names().isEmpty()) {
      what = "opened and not closed: " + streams.names();
    }
    if (what == null && registrations > 0) {
      what = registrations + " registrations of Stopping.onStop were not closed";
    }
    if (what != null) {
      throw new AssertionError(
          "the target broke the contract of its session in " + step + ": " + what, thrown);
    }
  }

  private void requireOwner(String what) {
    requireAlive(what);
    require(
        Thread.currentThread() == owner,
        "%s is used by thread %s instead of the restore's own"
            .formatted(what, Thread.currentThread().getName()));
  }

  private void requireAlive(String what) {
    require(!isOver, what + " is used after " + step + " returned");
  }

  private void require(boolean holds, String otherwise) {
    if (!holds) {
      breach.compareAndSet(null, otherwise);
      throw new IllegalStateException(otherwise);
    }
  }

  /** One method of a target. */
  @FunctionalInterface
  interface Step {
    void run(RestoreSession session) throws IOException;
  }

  /** Stops the run when enough has been read. */
  private final class Counted extends FilterInputStream {
    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = in.read(buffer, offset, length);
      readBytes += Math.max(n, 0);
      if (readBytes >= stopAfterBytes) {
        stopping.stop();
      }
      return n;
    }
  }

  /** Damaged bytes as authenticated encryption hands them out: not at all. Closes both. */
  private static final class AuthenticInputStream extends InputStream {
    private final InputStream intact;
    private final InputStream damaged;

    AuthenticInputStream(InputStream intact, InputStream damaged) {
      this.intact = intact;
      this.damaged = damaged;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      int n = intact.read(buffer, offset, length);
      if (n <= 0) {
        return n;
      }
      byte[] found = damaged.readNBytes(n);
      if (found.length < n) {
        throw new BackupException.Corrupt(CoreFailure.TRUNCATED, "the artifact ends too early");
      }
      if (!Arrays.equals(found, 0, n, buffer, offset, offset + n)) {
        throw new BackupException.Corrupt(
            CoreFailure.CORRUPT_OBJECT, "the artifact is damaged in this range");
      }
      return n;
    }

    /** What lies before the range is passed over unread, and so is not judged. */
    @Override
    public void skipNBytes(long count) throws IOException {
      intact.skipNBytes(count);
      new LimitedInputStream(damaged, count).transferTo(OutputStream.nullOutputStream());
    }

    @Override
    public void close() throws IOException {
      try (intact;
          damaged) {
        // Both are closed, whatever the first one throws.
      }
    }
  }
}
