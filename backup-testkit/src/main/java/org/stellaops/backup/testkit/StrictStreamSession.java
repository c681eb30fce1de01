package org.stellaops.backup.testkit;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.spi.ArtifactBody;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StreamSession;

/**
 * The session of one call of {@code follow}: remembers the first thing that is against its
 * contract.
 */
final class StrictStreamSession implements StreamSession {
  private final SourceName name;
  private final InstantSource clock;
  private final Stopping stopping;
  private final RecordedSlices recorded;
  private final StreamHarness.Hook before;
  private final StreamHarness.Hook after;
  private final long failingAppend;
  private final Thread owner = Thread.currentThread();
  private final List<StreamMark> marks = new ArrayList<>();
  private final AtomicInteger repeating = new AtomicInteger();
  private final AtomicReference<IllegalStateException> broken = new AtomicReference<>();
  private long appends;
  private boolean isInBody;
  private boolean isOver;

  StrictStreamSession(
      SourceName name,
      InstantSource clock,
      Stopping stopping,
      RecordedSlices recorded,
      StreamHarness.Hook before,
      StreamHarness.Hook after,
      long failingAppend) {
    this.name = name;
    this.clock = clock;
    this.stopping = stopping;
    this.recorded = recorded;
    this.before = before;
    this.after = after;
    this.failingAppend = failingAppend;
  }

  /** Follows, and turns a broken contract into an error whatever the source made of it. */
  void run(ContinuousSource source) throws IOException {
    try {
      source.follow(this);
    } catch (IOException | RuntimeException | Error e) {
      requireKept(e);
      throw e;
    } finally {
      isOver = true;
    }
    requireKept(null);
  }

  private void requireKept(@Nullable Throwable thrown) {
    IllegalStateException first = broken.get();
    if (first != null) {
      AssertionError error = new AssertionError(first.getMessage(), first);
      if (thrown != null && thrown != first) {
        error.addSuppressed(thrown);
      }
      throw error;
    }
  }

  /** Nothing was left open. */
  void requireClean(int openRegistrations) {
    requireKept(null);
    if (openRegistrations != 0) {
      throw new AssertionError(openRegistrations + " registrations of onStop were left open");
    }
    if (repeating.get() != 0) {
      throw new AssertionError(repeating.get() + " repeated tasks were left open");
    }
  }

  private IllegalStateException broken(String how) {
    IllegalStateException e = new IllegalStateException(how);
    broken.compareAndSet(null, e);
    return e;
  }

  private void enter(String call) {
    if (Thread.currentThread() != owner) {
      throw broken(call + " on another thread than follow: " + Thread.currentThread().getName());
    }
    if (isOver) {
      throw broken(call + " after follow returned");
    }
    if (isInBody) {
      throw broken(call + " from within a body");
    }
  }

  @Override
  public SourceName stream() {
    return name;
  }

  @Override
  public InstantSource clock() {
    return clock;
  }

  @Override
  public Stopping stopping() {
    return stopping;
  }

  @Override
  public Optional<Position> durable() {
    enter("durable");
    return recorded.durable();
  }

  @Override
  public void append(SliceSpan span, ArtifactBody body) throws IOException {
    enter("append");
    requireLineage(span.from().lineage());
    requireContinuous(span);
    byte[] bytes = written(span, body);
    before.at(span);
    if (appends++ == failingAppend) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED, Reason.TRANSIENT, "the test fails this append: " + span);
    }
    requireSame(span.toString(), recorded.slice(span), bytes);
    if (recorded.slice(span).isEmpty()) {
      recorded.record(span, bytes, marks);
    }
    marks.clear();
    after.at(span);
  }

  @Override
  public void merge(SliceSpan whole, ArtifactBody body) throws IOException {
    enter("merge");
    requireLineage(whole.from().lineage());
    byte[] bytes = written(whole, body);
    Optional<byte[]> pieces = recorded.find(whole);
    if (pieces.isEmpty()) {
      throw broken("merge of %s, not all of which was recorded".formatted(whole));
    }
    if (!Arrays.equals(pieces.get(), bytes)) {
      throw broken("merge of %s with other bytes than were recorded".formatted(whole));
    }
    recorded.merged(whole);
  }

  @Override
  public void companion(String lineage, String file, ArtifactBody body) throws IOException {
    enter("companion");
    SourceName.of(file);
    requireLineage(lineage);
    byte[] bytes = written(body);
    requireSame(file, recorded.companion(file), bytes);
    recorded.companion(lineage, file, bytes);
  }

  @Override
  public void mark(StreamMark mark) {
    enter("mark");
    marks.add(mark);
  }

  @Override
  public void gap(StreamGap gap) throws IOException {
    enter("gap");
    requireLineage(gap.from().lineage());
    recorded.lost(gap);
  }

  @Override
  public void lag(long bytes, Duration time) {
    enter("lag");
    if (bytes < 0 || time.isNegative()) {
      throw broken("lag of %d bytes and %s".formatted(bytes, time));
    }
  }

  @Override
  public void finding(Finding finding) {
    recorded.found(finding);
  }

  @Override
  public Closeable every(Duration period, Runnable task) {
    enter("every");
    if (period.isNegative() || period.isZero()) {
      throw broken("a period of " + period);
    }
    repeating.incrementAndGet();
    return new Repeated(period, task);
  }

  private byte[] written(SliceSpan span, ArtifactBody body) throws IOException {
    byte[] bytes = written(body);
    if (bytes.length != span.lengthBytes()) {
      throw broken(
          "%d bytes were given for %s, which has %d"
              .formatted(bytes.length, span, span.lengthBytes()));
    }
    return bytes;
  }

  private byte[] written(ArtifactBody body) throws IOException {
    Output out = new Output();
    isInBody = true;
    try {
      body.writeTo(out);
    } finally {
      isInBody = false;
    }
    return out.bytes.toByteArray();
  }

  private void requireLineage(String lineage) throws BackupException.Refused {
    Optional<String> known = recorded.lineage();
    if (known.isPresent() && !known.get().equals(lineage)) {
      throw new BackupException.Refused(
          CoreFailure.STREAM_LINEAGE,
          "stream %s holds the history of %s, this is %s".formatted(name, known.get(), lineage));
    }
  }

  private void requireContinuous(SliceSpan span) throws BackupException.Source {
    Optional<Position> end = recorded.end(span.from().branch());
    if (end.isPresent()
        && Long.compareUnsigned(end.get().offset(), span.from().offset()) < 0
        && !recorded.isGap(end.get(), span.from())) {
      throw new BackupException.Source(
          CoreFailure.STREAM_GAP,
          "stream %s: what is recorded ends at %s, what comes begins at %s"
              .formatted(name, end.get(), span.from()));
    }
  }

  private void requireSame(String what, Optional<byte[]> there, byte[] here)
      throws BackupException.Refused {
    if (there.isPresent() && !Arrays.equals(there.get(), here)) {
      throw new BackupException.Refused(
          CoreFailure.STREAM_DIFFERS,
          "stream %s has %s already, with other bytes".formatted(name, what));
    }
  }

  private static final class Output extends ArtifactOutput {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    @Override
    public void boundary() {}

    @Override
    public void write(byte[] from, int offset, int length) {
      bytes.write(from, offset, length);
    }
  }

  /** A task on a thread of its own, until it is closed. */
  private final class Repeated implements Closeable {
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;
    private boolean isCounted = true;

    Repeated(Duration period, Runnable task) {
      thread = new Thread(() -> run(period, task), "test-watch-" + name);
      thread.setDaemon(true);
      thread.start();
    }

    private void run(Duration period, Runnable task) {
      try {
        do {
          task.run();
        } while (!closed.await(period.toNanos(), TimeUnit.NANOSECONDS));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (RuntimeException e) {
        broken("a repeated task threw " + e);
      }
    }

    @Override
    public void close() {
      closed.countDown();
      boolean wasInterrupted = false;
      while (thread.isAlive() && thread != Thread.currentThread()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          wasInterrupted = true;
        }
      }
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
      if (isCounted) {
        isCounted = false;
        repeating.decrementAndGet();
      }
    }
  }
}
