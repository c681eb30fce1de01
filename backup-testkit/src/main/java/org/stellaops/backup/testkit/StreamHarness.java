package org.stellaops.backup.testkit;

import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.Stopping;

/**
 * Runs a {@link ContinuousSource} without an engine, against a recorder in memory that enforces the
 * contract of {@link org.stellaops.backup.spi.StreamSession}:
 *
 * <pre>{@code
 * StreamHarness harness = StreamHarness.of(source);
 * harness.beforeAppend(span -> harness.stopping().stop());
 * harness.follow();
 * assertArrayEquals(expected, harness.bytes(span));
 * assertThrows(IOException.class, () -> harness.failAppend(2).follow());
 * harness.follow();                                 // goes on where that ended
 * }</pre>
 *
 * <p>What was recorded stays from one call of {@link #follow} to the next, as in a repository. A
 * source that breaks the contract gets an {@link IllegalStateException}, and whatever it does with
 * that, {@link #follow} ends in an {@link AssertionError}: a body of another length, another
 * thread, a call from within a body or after the end, a merge of what was not recorded, lag that is
 * negative, a repeated task or an {@code onStop} registration left open. What an engine refuses
 * with an exception is refused with the same one here.
 *
 * <p>One thread at a time calls {@link #follow} and the settings; the others are from any thread.
 */
public final class StreamHarness {
  /** The time that every call sees, unless told otherwise. */
  public static final Instant TIME = CaptureHarness.TIME;

  /** What a test does at some place. */
  @FunctionalInterface
  public interface Hook {
    /** May block, stop the stream, or throw what a store would. */
    void at(SliceSpan span) throws IOException;
  }

  private final ContinuousSource source;
  private final RecordedSlices recorded = new RecordedSlices();
  private SourceName name = SourceName.of("stream");
  private InstantSource clock = InstantSource.fixed(TIME);
  private StopSwitch stopping = new StopSwitch();
  private Hook before = span -> {};
  private Hook after = span -> {};
  private long failingAppend = Long.MAX_VALUE;

  private StreamHarness(ContinuousSource source) {
    this.source = source;
  }

  /** Nothing is recorded yet. */
  public static StreamHarness of(ContinuousSource source) {
    return new StreamHarness(source);
  }

  /** What the plan calls the stream; {@code stream} unless said. */
  public StreamHarness named(String stream) {
    name = SourceName.of(stream);
    return this;
  }

  /** The engine's clock; stands at {@link #TIME} unless said. */
  public StreamHarness clock(InstantSource newClock) {
    clock = newClock;
    return this;
  }

  /** What stops the next call of {@link #follow}; a new one unless said. */
  public StreamHarness stopping(StopSwitch newStopping) {
    stopping = newStopping;
    return this;
  }

  /** The switch that stops the call of {@link #follow} that is under way, or else the next one. */
  public StopSwitch stopping() {
    return stopping;
  }

  /** Is done on the source's thread when its bytes are there, and before anything is durable. */
  public StreamHarness beforeAppend(Hook hook) {
    before = hook;
    return this;
  }

  /** Is done on the source's thread when a range is durable, and before the source is told. */
  public StreamHarness afterAppend(Hook hook) {
    after = hook;
    return this;
  }

  /**
   * The append of this number in the next call of {@link #follow}, from 0 on, fails as a store
   * does, with nothing recorded. Once.
   */
  public StreamHarness failAppend(long number) {
    failingAppend = number;
    return this;
  }

  /**
   * Follows once, until the source returns. Stopped before, it is stopped from the beginning.
   *
   * @throws IOException as the source threw it
   * @throws AssertionError if the source broke its contract
   */
  public void follow() throws IOException {
    SourceDescription description = source.describe();
    StopSwitch current = stopping;
    int registrations = current.openRegistrations();
    var session =
        new StrictStreamSession(name, clock, current, recorded, before, after, failingAppend);
    failingAppend = Long.MAX_VALUE;
    try {
      session.run(source);
    } finally {
      stopping = current.isStopping() ? new StopSwitch() : current;
    }
    session.requireClean(current.openRegistrations() - registrations);
    if (!description.equals(source.describe())) {
      throw new AssertionError("describe() answers differently from call to call");
    }
  }

  /**
   * The results of {@link ContinuousSource#check}, in the order they were added.
   *
   * @throws IOException as the source's check throws it
   */
  public List<CheckResult> checks() throws IOException {
    Stopping current = stopping;
    CollectedChecks checks = new CollectedChecks(current, clock);
    source.check(checks);
    return checks.results();
  }

  /** How far the branch that was recorded last is recorded. */
  public Optional<Position> durable() {
    return recorded.durable();
  }

  /** What is recorded; empty if nothing is. */
  public Optional<Coverage> coverage() {
    return recorded.coverage(name, source.describe().kind());
  }

  /**
   * The recorded bytes of a range, wherever they were recorded.
   *
   * @throws AssertionError if one of them was not
   */
  public byte[] bytes(SliceSpan span) {
    return recorded.bytes(span);
  }

  /** The small files that were recorded, by name. */
  public Map<String, byte[]> companions() {
    return recorded.companions();
  }

  /** Every range that was merged, in order. */
  public List<SliceSpan> merges() {
    return recorded.merges();
  }

  /** Everything that was found, in order. */
  public List<Finding> findings() {
    return recorded.findings();
  }
}
