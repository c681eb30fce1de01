package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.StreamSession;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Every operation on the store fails once while a stream is recorded, or from one on all of them.
 * The law: what was acknowledged is there, byte for byte; recording goes on without a gap; nothing
 * is listed that is not whole, and nothing is left open.
 */
@Tag("interop")
class StreamFaultIT {
  /** So many entries stand before the script that one more merge lists them together. */
  private static final int BEFORE = 62;

  private static final long STEP = 100;
  private static final long START = BEFORE * STEP;
  private static final byte[] COMPANION = "1 0/1000 a branch".getBytes(StandardCharsets.UTF_8);

  private static AgeIdentity owner;
  private static StreamHost template;
  private static SortedMap<ObjectName, byte[]> before;
  @TempDir static Path root;
  private static int hosts;

  private final MemorySink sink = new MemorySink();
  private final Set<Long> acknowledged = new ConcurrentSkipListSet<>();

  @BeforeAll
  static void recordSome() throws Exception {
    owner = AgeIdentity.generate();
    MemorySink first = new MemorySink();
    template = new StreamHost(root.resolve("template"), owner, first);
    template.backUp("base", 1, 0, 10);
    template.record(
        session -> {
          for (long at = 0; at < START; at += STEP) {
            ScriptedStream.append(session, 1, at, at + STEP);
            ScriptedStream.merge(session, 1, at, at + STEP);
          }
        });
    before = first.snapshot();
  }

  @AfterAll
  static void wipe() {
    owner.close();
  }

  @BeforeEach
  void reset() {
    sink.reset(before);
  }

  /** Appends, merges, lists together, names, loses: from wherever it was recorded. */
  private void script(StreamSession session) throws IOException {
    long at = session.durable().orElseThrow().offset();
    if (at < START + 600) {
      appendUpTo(session, at, START + 600);
    }
    session.gap(
        new StreamGap(ToyLog.at(1, START + 600), ToyLog.at(1, START + 700), "it was removed"));
    if (at < START + 800) {
      acknowledge(session, START + 700, START + 800);
    }
    session.companion(ToyLog.LINEAGE, "2.history", out -> out.write(COMPANION));
  }

  private void appendUpTo(StreamSession session, long from, long end) throws IOException {
    for (long at = from; at < end; at += STEP) {
      session.mark(new StreamMark("mark " + at, ToyLog.at(1, at), ToyLog.time(at)));
      acknowledge(session, at, at + STEP);
      if ((at / STEP) % 2 == 1) {
        ScriptedStream.merge(session, 1, at - STEP, at + STEP);
      }
    }
  }

  private void acknowledge(StreamSession session, long from, long to) throws IOException {
    ScriptedStream.append(session, 1, from, to);
    acknowledged.add(to);
    assertEquals(Optional.of(ToyLog.at(1, to)), session.durable());
  }

  /** What was acknowledged is there, and nothing is half. */
  private void assertLaw(StreamHost host) throws IOException {
    ReplayTarget replayed = host.replayed();
    List<SliceSpan> ranges = replayed.coverage.orElseThrow().ranges();
    for (long to : acknowledged) {
      assertTrue(
          ranges.stream().anyMatch(r -> r.covers(ToyLog.span(1, to - STEP, to))),
          () -> to + " was acknowledged, there is " + ranges);
    }
    assertEquals(0, ranges.get(0).from().offset());
    try (BackupRepository repository = host.repository()) {
      var report = repository.check(Verification.stored());
      assertTrue(report.isIntact(), report::toString);
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  private void assertComplete(StreamHost host) throws IOException {
    assertLaw(host);
    ReplayTarget replayed = host.replayed();
    var coverage = replayed.coverage.orElseThrow();
    assertEquals(
        List.of(ToyLog.span(1, 0, START + 600), ToyLog.span(1, START + 700, START + 800)),
        coverage.ranges());
    assertEquals(1, coverage.gaps().size());
    assertEquals(6, coverage.marks().size(), coverage.marks()::toString);
    assertArrayEquals(COMPANION, replayed.companions.get("2.history"));
    sink.assertNothingOpen();
    host.host.assertWorkspaceClean();
  }

  /** Each operation in one of the three ways, the next one in another. */
  @ParameterizedTest
  @EnumSource
  void a_fault_loses_nothing_that_was_acknowledged_and_the_stream_goes_on(When when)
      throws Exception {
    fail(when, when.ordinal(), When.values().length);
  }

  @ParameterizedTest
  @EnumSource
  @Tag("soak")
  void a_fault_at_any_operation_in_any_way_loses_nothing_that_was_acknowledged(When when)
      throws Exception {
    fail(when, 0, 1);
  }

  private void fail(When when, long first, int step) throws Exception {
    FaultPlan none = FaultPlan.none();
    goesOn(copy(), none);
    assertTrue(none.log().stream().filter(o -> o.startsWith("put log/host-a.log/")).count() > 10);
    for (long n = first; n < none.operations(); n += step) {
      sink.reset(before);
      acknowledged.clear();
      FaultPlan plan = FaultPlan.failing(n, when);
      goesOn(copy(), plan);
      assertTrue(plan.hasFired(), plan.toString());
    }
  }

  private void goesOn(StreamHost host, FaultPlan plan) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    try (BackupEngine engine = open(host, plan, done, () -> assertLaw(host))) {
      RunningStream stream = engine.stream(StreamHost.STREAM);
      assertTrue(done.await(60, TimeUnit.SECONDS), () -> plan + ": " + stream.status());
    }
    assertComplete(host);
  }

  /** Opening may be what fails. */
  private BackupEngine open(StreamHost host, FaultPlan plan, CountDownLatch done, Law law)
      throws IOException {
    BackupEngine.Builder builder =
        host.with(ScriptedStream.doing(this::script, done), plan.on(sink))
            .listener(new Interrupted(law));
    try {
      return builder.open();
    } catch (BackupException.Sink e) {
      return builder.open();
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_writer_that_dies_loses_nothing_that_was_acknowledged_and_the_next_goes_on(When when)
      throws Exception {
    FaultPlan none = FaultPlan.none();
    goesOn(copy(), none);
    // Each operation is the last one in one of the three ways.
    for (long n = when.ordinal(); n < none.operations(); n += When.values().length) {
      sink.reset(before);
      acknowledged.clear();
      StreamHost host = copy();
      dies(host, FaultPlan.failing(n, when).andEverAfter());
      assertLaw(host);
      goesOn(host, FaultPlan.none());
    }
  }

  private void dies(StreamHost host, FaultPlan plan) throws Exception {
    CountDownLatch interrupted = new CountDownLatch(1);
    var source = ScriptedStream.doing(this::script, interrupted);
    try (BackupEngine engine =
        host.with(source, plan.on(sink)).listener(new Interrupted(interrupted::countDown)).open()) {
      engine.stream(StreamHost.STREAM);
      assertTrue(interrupted.await(60, TimeUnit.SECONDS));
    } catch (BackupException.Sink e) {
      assertTrue(plan.hasFired(), e.toString());
    }
  }

  private StreamHost copy() throws IOException {
    return template.copy(root.resolve("host-" + hosts++), sink);
  }

  /** What has to be true when a stream was interrupted. */
  @FunctionalInterface
  private interface Law {
    void check() throws IOException;
  }

  private static final class Interrupted implements BackupListener {
    private final Law law;

    Interrupted(Law law) {
      this.law = law;
    }

    @Override
    public void streamInterrupted(SourceName stream, BackupException failure, Duration pause) {
      try {
        law.check();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void the_script_lists_entries_together() throws Exception {
    StreamHost host = copy();
    long entries = entries();
    FaultPlan none = FaultPlan.none();
    goesOn(host, none);
    assertTrue(entries() > entries);
    FaultPlan reading = FaultPlan.none();
    try (BackupRepository repository = host.host.repository(owner, reading.on(sink))) {
      repository.catalog().streams();
    }
    long read =
        reading.log().stream().filter(o -> o.startsWith("open log/" + StreamHost.LOG)).count();
    assertTrue(read < 10, read + " entries were read");
  }

  private long entries() {
    return sink.snapshot().keySet().stream()
        .filter(n -> n.value().startsWith("log/" + StreamHost.LOG))
        .count();
  }
}
