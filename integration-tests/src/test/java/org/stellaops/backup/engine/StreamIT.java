package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.RecoverableRange;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.model.StreamStatus.State;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.StreamSession;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** What a stream records, and what it refuses to. */
@Timeout(300)
class StreamIT {
  private static final String CANARY = "canary-51a9c2e7-never-in-clear";

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final List<String> heard = Collections.synchronizedList(new ArrayList<>());
  private AgeIdentity owner;
  private StreamHost host;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new StreamHost(root.resolve("host"), owner, sink);
    host.backUp("base", 1, 0, 10);
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  private BackupListener listener() {
    return new BackupListener() {
      @Override
      public void streamFound(SourceName stream, Finding finding) {
        heard.add("found " + finding.subject());
      }

      @Override
      public void streamInterrupted(SourceName stream, BackupException failure, Duration pause) {
        heard.add("interrupted " + failure.code());
      }

      @Override
      public void streamFailed(SourceName stream, BackupException failure) {
        heard.add("failed " + failure.code());
      }
    };
  }

  private static void await(CountDownLatch latch, RunningStream stream) throws Exception {
    assertTrue(latch.await(60, TimeUnit.SECONDS), () -> stream.status().toString());
  }

  /** What a step of a script throws. */
  private BackupException thrown(ScriptedStream.Follow step) throws Exception {
    AtomicReference<BackupException> thrown = new AtomicReference<>();
    host.record(
        session -> thrown.set(assertThrows(BackupException.class, () -> step.follow(session))));
    return thrown.get();
  }

  @Test
  void what_is_recorded_comes_back_byte_for_byte() throws Exception {
    byte[] file = "a small file".getBytes(StandardCharsets.UTF_8);
    host.record(
        session -> {
          assertEquals(Optional.empty(), session.durable());
          ScriptedStream.append(session, 1, 0, 100_000);
          session.companion(ToyLog.LINEAGE, "00000002.history", out -> out.write(file));
          session.mark(new StreamMark("before the migration", ToyLog.at(1, 5), ToyLog.time(5)));
          ScriptedStream.append(session, 1, 100_000, 100_001);
          ScriptedStream.append(session, 2, 99_000, 120_000);
        });
    ReplayTarget replayed = host.replayed();
    Coverage coverage = replayed.coverage.orElseThrow();
    assertEquals(host.coverage(), replayed.coverage);
    assertEquals(
        List.of(ToyLog.span(1, 0, 100_001), ToyLog.span(2, 99_000, 120_000)), coverage.ranges());
    assertEquals("before the migration", coverage.marks().get(0).name());
    assertEquals(StreamHost.LOG, coverage.log());
    assertEquals("toy-log/1", coverage.kind().value());
    assertEquals(
        "a small file",
        new String(replayed.companions.get("00000002.history"), StandardCharsets.UTF_8));
  }

  @Test
  void the_same_range_with_the_same_bytes_is_recorded_once() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    var objects = sink.snapshot().keySet();
    host.record(
        session -> {
          session.mark(new StreamMark("again", ToyLog.at(1, 5), ToyLog.time(5)));
          ScriptedStream.append(session, 1, 0, 100);
          session.companion(ToyLog.LINEAGE, "x", out -> out.write(1));
        });
    host.record(session -> session.companion(ToyLog.LINEAGE, "x", out -> out.write(1)));
    assertEquals(objects.size() + 2, sink.snapshot().size());
  }

  @Test
  void the_same_range_with_other_bytes_is_refused() throws Exception {
    host.record(
        session -> {
          ScriptedStream.append(session, 1, 0, 100);
          session.companion(ToyLog.LINEAGE, "x", out -> out.write(1));
        });
    SliceSpan span = ToyLog.span(1, 0, 100);
    assertEquals(
        CoreFailure.STREAM_DIFFERS,
        thrown(s -> s.append(span, out -> out.write(new byte[100]))).code());
    assertEquals(
        CoreFailure.STREAM_DIFFERS,
        thrown(s -> s.companion(ToyLog.LINEAGE, "x", out -> out.write(2))).code());
    host.record(
        session -> {
          ScriptedStream.append(session, 1, 100, 200);
          ScriptedStream.merge(session, 1, 0, 200);
          ScriptedStream.append(session, 1, 150, 200);
        });
    assertEquals(
        CoreFailure.STREAM_DIFFERS,
        thrown(s -> s.merge(ToyLog.span(1, 0, 200), out -> out.write(new byte[200]))).code());
    host.replayed();
  }

  @Test
  void another_lineage_is_refused() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    Position from = new Position("system-2", 1, 100, "0/64");
    Position to = new Position("system-2", 1, 101, "0/65");
    assertEquals(
        CoreFailure.STREAM_LINEAGE,
        thrown(s -> s.append(SliceSpan.of(from, to), out -> out.write(1))).code());
    assertEquals(
        CoreFailure.STREAM_LINEAGE,
        thrown(s -> s.merge(SliceSpan.of(from, to), out -> out.write(1))).code());
    assertEquals(
        CoreFailure.STREAM_LINEAGE,
        thrown(s -> s.companion("system-2", "x", out -> out.write(1))).code());
    assertEquals(
        CoreFailure.STREAM_LINEAGE, thrown(s -> s.gap(new StreamGap(from, to, "lost"))).code());
  }

  @Test
  void a_hole_is_an_error_until_it_is_owned_up_to() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    assertEquals(CoreFailure.STREAM_GAP, thrown(s -> ScriptedStream.append(s, 1, 101, 200)).code());
    StreamGap gap = new StreamGap(ToyLog.at(1, 100), ToyLog.at(1, 150), "it was removed");
    host.record(
        session -> {
          session.gap(gap);
          session.gap(gap);
          ScriptedStream.append(session, 1, 150, 200);
          ScriptedStream.append(session, 1, 180, 220);
          ScriptedStream.append(session, 7, 5000, 5001);
        });
    Coverage coverage = host.replayed().coverage.orElseThrow();
    assertEquals(List.of(gap), coverage.gaps());
    assertEquals(3, coverage.ranges().size());
  }

  @Test
  void a_body_of_another_length_is_a_mistake_and_is_not_recorded() throws Exception {
    try (BackupEngine engine =
        host.with(
                ScriptedStream.following(
                    s -> s.append(ToyLog.span(1, 0, 100), out -> out.write(new byte[99]))))
            .listener(listener())
            .open()) {
      RunningStream stream = engine.stream(StreamHost.STREAM);
      assertFalse(stream.await(ToyLog.at(1, 100), StreamHost.LONG));
      assertEquals(State.FAILED, stream.status().state());
      assertEquals(CoreFailure.INTERNAL, stream.status().problem().orElseThrow().code());
    }
    assertEquals(List.of("failed INTERNAL"), heard);
    assertEquals(Optional.empty(), host.coverage());
  }

  @Test
  void a_source_that_throws_what_it_must_not_ends_the_stream() throws Exception {
    try (BackupEngine engine =
        host.with(
                ScriptedStream.following(
                    s -> {
                      throw new IllegalArgumentException("a mistake");
                    }))
            .listener(listener())
            .open()) {
      RunningStream stream = engine.stream(StreamHost.STREAM);
      assertFalse(stream.await(ToyLog.at(1, 100), StreamHost.LONG));
      assertEquals(State.FAILED, stream.status().state());
      BackupException problem = stream.status().problem().orElseThrow();
      assertEquals(CoreFailure.INTERNAL, problem.code());
      assertTrue(problem.getMessage().contains("a mistake"), problem.getMessage());
      stream.close();
      assertEquals(State.FAILED, stream.status().state());
      engine.stream(StreamHost.STREAM).close();
    }
  }

  @Test
  void what_trying_again_cannot_mend_ends_the_stream() throws Exception {
    AtomicInteger follows = new AtomicInteger();
    try (BackupEngine engine =
        host.with(
                ScriptedStream.following(
                    s -> {
                      follows.incrementAndGet();
                      throw new BackupException.Refused(CoreFailure.STREAM_DIFFERS, "no");
                    }))
            .listener(listener())
            .open()) {
      RunningStream stream = engine.stream(StreamHost.STREAM);
      assertFalse(stream.await(ToyLog.at(1, 100), StreamHost.LONG));
      assertEquals(State.FAILED, stream.status().state());
    }
    assertEquals(1, follows.get());
    assertEquals(List.of("failed STREAM_DIFFERS"), heard);
  }

  @Test
  void what_may_pass_is_tried_again_from_what_is_durable_then() throws Exception {
    AtomicInteger follows = new AtomicInteger();
    List<Optional<Position>> begun = new ArrayList<>();
    try (BackupEngine engine =
        host.with(
                ScriptedStream.following(
                    s -> {
                      begun.add(s.durable());
                      int n = follows.getAndIncrement();
                      ScriptedStream.append(s, 1, n * 10L, n * 10L + 10);
                      s.lag(n, Duration.ofSeconds(n));
                      s.finding(new Finding(CoreFailure.SOURCE_FAILED, "try " + n, "x"));
                      if (n < 2) {
                        throw new IOException("the line was cut");
                      }
                      ScriptedStream.untilStopped(s);
                    }))
            .listener(listener())
            .open()) {
      RunningStream stream = engine.stream(StreamHost.STREAM);
      assertTrue(stream.await(ToyLog.at(1, 30), StreamHost.LONG));
      assertEquals(State.FOLLOWING, stream.status().state());
      assertEquals(Optional.empty(), stream.status().problem());
      assertEquals(Optional.of(ToyLog.at(1, 30)), stream.status().durable());
      stream.close();
      assertEquals(State.CLOSED, stream.status().state());
      assertEquals(2, stream.status().lagBytes());
      assertEquals(3, stream.status().findings().size());
    }
    assertEquals(
        List.of(Optional.empty(), Optional.of(ToyLog.at(1, 10)), Optional.of(ToyLog.at(1, 20))),
        begun);
    assertEquals(
        List.of(
            "found try 0",
            "interrupted SOURCE_FAILED",
            "found try 1",
            "interrupted SOURCE_FAILED",
            "found try 2"),
        heard);
  }

  @Test
  void closing_waits_until_what_has_arrived_is_recorded_and_may_be_repeated() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    var source =
        ScriptedStream.following(
            s -> {
              begun.countDown();
              ScriptedStream.untilStopped(s);
              ScriptedStream.append(s, 1, 0, 100);
            });
    try (BackupEngine engine = host.with(source).open()) {
      RunningStream stream = engine.stream(StreamHost.STREAM);
      await(begun, stream);
      assertSame(
          CoreFailure.BLOCKED,
          assertThrows(BackupException.Refused.class, () -> engine.stream(StreamHost.STREAM))
              .code());
      stream.close();
      assertEquals(Optional.of(ToyLog.at(1, 100)), stream.status().durable());
      stream.close();
      assertEquals(State.CLOSED, stream.status().state());
    }
  }

  @Test
  void closing_the_engine_stops_its_streams() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    var source =
        ScriptedStream.following(
            s -> {
              begun.countDown();
              ScriptedStream.untilStopped(s);
              ScriptedStream.append(s, 1, 0, 100);
            });
    BackupEngine engine = host.with(source).open();
    RunningStream stream = engine.stream(StreamHost.STREAM);
    await(begun, stream);
    engine.close();
    assertEquals(State.CLOSED, stream.status().state());
    assertThrows(IllegalStateException.class, () -> engine.stream(StreamHost.STREAM));
    assertEquals(List.of(ToyLog.span(1, 0, 100)), host.coverage().orElseThrow().ranges());
  }

  @Test
  void a_stream_that_the_plan_does_not_have_is_told_what_there_is() throws Exception {
    try (BackupEngine engine = host.with(ScriptedStream.following(s -> {})).open()) {
      var refused = assertThrows(BackupException.Refused.class, () -> engine.stream("wal"));
      assertEquals(CoreFailure.NOT_FOUND, refused.code());
      assertTrue(refused.getMessage().contains("log"), refused.getMessage());
    }
  }

  @Test
  void two_engines_of_one_writer_make_no_fork() throws Exception {
    AtomicInteger taken = new AtomicInteger();
    CountDownLatch secondIsOpen = new CountDownLatch(1);
    CountDownLatch firstWrote = new CountDownLatch(1);
    ScriptedStream.Follow upTo20 = s -> appendFrom(s, 200);
    var first =
        ScriptedStream.following(
            s -> {
              uninterrupted(secondIsOpen);
              upTo20.follow(s);
              firstWrote.countDown();
              ScriptedStream.untilStopped(s);
            });
    var second =
        ScriptedStream.following(
            s -> {
              secondIsOpen.countDown();
              uninterrupted(firstWrote);
              appendFrom(s, 400);
              ScriptedStream.untilStopped(s);
            });
    BackupListener counting =
        new BackupListener() {
          @Override
          public void streamInterrupted(SourceName n, BackupException failure, Duration pause) {
            assertEquals(CoreFailure.STREAM_TAKEN, failure.code());
            taken.incrementAndGet();
          }
        };
    StreamHost other = host.copy(root.resolve("other"), sink);
    try (BackupEngine one = host.with(first).open();
        BackupEngine two = other.with(second).listener(counting).open()) {
      one.stream(StreamHost.STREAM);
      RunningStream behind = two.stream(StreamHost.STREAM);
      assertTrue(behind.await(ToyLog.at(1, 400), StreamHost.LONG), behind.status().toString());
    }
    assertEquals(1, taken.get());
    assertEquals(List.of(ToyLog.span(1, 0, 400)), host.replayed().coverage.orElseThrow().ranges());
    try (BackupRepository repository = host.repository()) {
      assertTrue(repository.check(Verification.stored()).isIntact());
    }
  }

  private static void appendFrom(StreamSession session, long end) throws IOException {
    long at = session.durable().map(Position::offset).orElse(0L);
    for (; at < end; at += 10) {
      ScriptedStream.append(session, 1, at, at + 10);
    }
  }

  private static void uninterrupted(CountDownLatch latch) {
    try {
      assertTrue(latch.await(60, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void a_stream_needs_no_identity_to_be_listed_and_one_to_be_read() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    try (BackupRepository nobody = BackupRepository.at(sink).executor(Runnable::run).open()) {
      assertEquals(List.of(ToyLog.span(1, 0, 100)), nobody.catalog().streams().get(0).ranges());
      RecoverableRange range = nobody.catalog().recoverable(Host.SOURCE).get(0);
      assertEquals(ToyLog.time(10), range.from());
      assertEquals(Optional.of(ToyLog.time(100)), range.to());
      assertEquals(ToyLog.at(1, 100), range.end());
      var refused =
          assertThrows(
              BackupException.Crypto.class, () -> StreamHost.plan(nobody, new ReplayTarget()));
      assertEquals(CoreFailure.KEY_UNAVAILABLE, refused.code());
    }
  }

  @Test
  void what_was_recorded_before_a_capture_makes_no_later_instant_recoverable() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 50));
    host.backUp("later", 1, 50, 50);
    host.backUp("apart", 1, 90, 95);
    try (BackupRepository repository = host.repository()) {
      List<RecoverableRange> ranges = repository.catalog().recoverable(Host.SOURCE);
      assertEquals(
          List.of(Optional.of(ToyLog.time(50)), Optional.of(ToyLog.time(50)), Optional.empty()),
          ranges.stream().map(RecoverableRange::to).toList());
      assertEquals(
          List.of(ToyLog.at(1, 50), ToyLog.at(1, 50), ToyLog.at(1, 95)),
          ranges.stream().map(RecoverableRange::end).toList());
    }
  }

  @Test
  void content_is_nowhere_in_clear() throws Exception {
    byte[] canary = CANARY.repeat(100).getBytes(StandardCharsets.UTF_8);
    SliceSpan span = ToyLog.span(1, 0, canary.length);
    host.record(
        session -> {
          session.append(span, out -> out.write(canary));
          session.companion(ToyLog.LINEAGE, "file", out -> out.write(canary));
        });
    byte[] needle = CANARY.substring(0, 16).getBytes(StandardCharsets.UTF_8);
    for (Map.Entry<ObjectName, byte[]> object : sink.snapshot().entrySet()) {
      assertFalse(holds(object.getValue(), needle), object.getKey().value());
    }
    assertTrue(holds(canary, needle));
  }

  private static boolean holds(byte[] bytes, byte[] needle) {
    return new String(bytes, StandardCharsets.ISO_8859_1)
        .contains(new String(needle, StandardCharsets.ISO_8859_1));
  }

  @Test
  void every_object_of_a_stream_that_is_damaged_is_named_and_hurts_nothing_else() throws Exception {
    host.record(
        session -> {
          ScriptedStream.append(session, 1, 0, 1000);
          ScriptedStream.append(session, 1, 1000, 3000);
          session.companion(ToyLog.LINEAGE, "x", out -> out.write(1));
        });
    var whole = sink.snapshot();
    List<ObjectName> objects =
        whole.keySet().stream().filter(n -> n.value().contains("/stream/")).toList();
    assertEquals(3, objects.size());
    int shorter = 0;
    for (ObjectName victim : objects) {
      for (String damage : List.of("flip", "truncate", "drop", "swap")) {
        sink.reset(damaged(whole, victim, objects, damage));
        try (BackupRepository repository = host.repository()) {
          var report = repository.check(Verification.stored());
          assertTrue(
              report.damage().stream().anyMatch(f -> f.subject().equals(victim.value())),
              damage + " of " + victim + ": " + report);
          assertTrue(report.snapshots().get(0).isIntact());
          Coverage listed = repository.catalog().streams().get(0);
          if (listed.lengthBytes() == 3000) {
            assertThrows(
                BackupException.Corrupt.class,
                () -> StreamHost.plan(repository, new ReplayTarget()),
                damage);
          } else {
            assertNotEquals("flip", damage);
            assertTrue(listed.gaps().get(0).why().contains(victim.value()), damage);
            StreamHost.plan(repository, new ReplayTarget());
          }
          shorter += listed.lengthBytes() == 3000 ? 0 : 1;
        }
      }
    }
    assertTrue(shorter >= 4, "two slices, dropped and truncated, were seen in " + shorter);
    sink.reset(whole);
    host.replayed();
  }

  private static TreeMap<ObjectName, byte[]> damaged(
      Map<ObjectName, byte[]> whole, ObjectName victim, List<ObjectName> objects, String damage) {
    TreeMap<ObjectName, byte[]> after = new TreeMap<>(whole);
    byte[] bytes = whole.get(victim).clone();
    switch (damage) {
      case "flip" -> {
        bytes[bytes.length / 2] ^= 1;
        after.put(victim, bytes);
      }
      case "truncate" -> after.put(victim, Arrays.copyOf(bytes, bytes.length - 1));
      case "drop" -> after.remove(victim);
      default ->
          after.put(victim, whole.get(objects.get((objects.indexOf(victim) + 1) % objects.size())));
    }
    return after;
  }

  @Test
  void one_damaged_slice_leaves_the_others_readable() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 1000));
    ObjectName first = only("/stream/");
    host.record(session -> ScriptedStream.append(session, 1, 1000, 3000));
    sink.raw().remove(first);
    List<String> read = new ArrayList<>();
    ReplayTarget target =
        new ReplayTarget(
            planning -> {
              var recorded = planning.recorded().orElseThrow();
              try (var in = recorded.open(ToyLog.span(1, 1000, 3000))) {
                read.add(Integer.toString(in.readAllBytes().length));
              }
            },
            false);
    try (BackupRepository repository = host.repository()) {
      StreamHost.plan(repository, target);
    }
    assertEquals(List.of("2000"), read);
  }

  @Test
  void what_is_lost_of_a_stream_is_a_gap_in_every_listing() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    Set<ObjectName> before = sink.snapshot().keySet();
    host.record(session -> ScriptedStream.append(session, 1, 100, 200));
    ObjectName middle =
        sink.snapshot().keySet().stream()
            .filter(n -> n.value().contains("/stream/") && !before.contains(n))
            .findFirst()
            .orElseThrow();
    host.record(session -> ScriptedStream.append(session, 1, 200, 300));
    sink.raw().remove(middle);
    try (BackupRepository nobody = BackupRepository.at(sink).executor(Runnable::run).open()) {
      Coverage coverage = nobody.catalog().streams().get(0);
      assertEquals(List.of(ToyLog.span(1, 0, 100), ToyLog.span(1, 200, 300)), coverage.ranges());
      assertEquals(
          List.of(
              new StreamGap(
                  ToyLog.at(1, 100),
                  ToyLog.at(1, 200),
                  "it was recorded, and %s is lost".formatted(middle))),
          coverage.gaps());
      RecoverableRange range = nobody.catalog().recoverable(Host.SOURCE).get(0);
      assertEquals(Optional.of(ToyLog.time(100)), range.to());
      assertEquals(ToyLog.at(1, 100), range.end());
    }
  }

  @Test
  void offsets_need_not_count_bytes() throws Exception {
    byte[] bytes = "what two seconds brought".getBytes(StandardCharsets.UTF_8);
    SliceSpan one = timestamps(1, 2, 4);
    SliceSpan two = timestamps(2, 3, bytes.length - 4);
    host.record(
        session -> {
          session.append(one, out -> out.write(bytes, 0, 4));
          session.append(two, out -> out.write(bytes, 4, bytes.length - 4));
          session.append(timestamps(3, 9, 0), out -> {});
        });
    assertEquals(List.of(timestamps(1, 9, bytes.length)), host.coverage().orElseThrow().ranges());
    host.record(session -> session.merge(timestamps(1, 9, bytes.length), out -> out.write(bytes)));
    assertEquals(List.of(timestamps(1, 9, bytes.length)), host.coverage().orElseThrow().slices());
    List<byte[]> read = new ArrayList<>();
    ReplayTarget target =
        new ReplayTarget(
            planning -> {
              var recorded = planning.recorded().orElseThrow();
              try (var in = recorded.open(recorded.coverage().slices().get(0))) {
                read.add(in.readAllBytes());
              }
            },
            false);
    try (BackupRepository repository = host.repository()) {
      StreamHost.plan(repository, target);
    }
    assertArrayEquals(bytes, read.get(0));
  }

  private static SliceSpan timestamps(long from, long to, long bytes) {
    return new SliceSpan(
        ToyLog.at(1, from << 32),
        ToyLog.at(1, to << 32),
        bytes,
        Optional.empty(),
        Optional.empty());
  }

  private ObjectName only(String part) {
    List<ObjectName> names =
        sink.snapshot().keySet().stream().filter(n -> n.value().contains(part)).toList();
    assertEquals(1, names.size());
    return names.get(0);
  }

  @Test
  void hidden_entries_are_noticed_by_whoever_saw_them() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    var before = sink.snapshot();
    host.record(session -> ScriptedStream.append(session, 1, 100, 200));
    sink.reset(before);
    var failure = new AtomicReference<BackupException>();
    try (BackupEngine engine = host.with(ScriptedStream.following(s -> {})).open()) {
      assertEquals(
          List.of(CoreFailure.WENT_BACKWARDS),
          engine.catalog().damage().stream().map(Finding::code).toList());
      assertTrue(
          engine.check(Verification.stored()).damage().stream()
              .anyMatch(f -> f.code() == CoreFailure.WENT_BACKWARDS));
      RunningStream stream = engine.stream(StreamHost.STREAM);
      assertFalse(stream.await(ToyLog.at(1, 300), StreamHost.LONG));
      failure.set(stream.status().problem().orElseThrow());
    }
    assertEquals(CoreFailure.CHAIN_BROKEN, failure.get().code());
    sink.raw().remove(entry(1));
    try (BackupEngine engine = host.with(ScriptedStream.following(s -> {})).open()) {
      assertEquals(1, engine.catalog().damage().size());
    }
  }

  private static ObjectName entry(long slot) {
    return ObjectName.of("log/%s/%010d.entry".formatted(StreamHost.LOG, slot));
  }

  @Test
  void marks_of_any_length_never_make_an_entry_too_large() throws Exception {
    host.record(
        session -> {
          for (int i = 0; i < 60; i++) {
            for (int j = 0; j < 10; j++) {
              String name = "%d %d ".formatted(i, j) + "\u4e2d".repeat(190);
              session.mark(new StreamMark(name, ToyLog.at(1, i * 10 + j), ToyLog.time(i)));
            }
            ScriptedStream.append(session, 1, i * 10L, i * 10L + 5);
            ScriptedStream.append(session, 1, i * 10L + 5, i * 10L + 10);
          }
          ScriptedStream.merge(session, 1, 0, 600);
          ScriptedStream.append(session, 1, 600, 601);
          ScriptedStream.merge(session, 1, 600, 601);
        });
    Coverage coverage = host.replayed().coverage.orElseThrow();
    assertEquals(List.of(ToyLog.span(1, 0, 601)), coverage.ranges());
    assertEquals(600, coverage.marks().size());
  }

  /** What a stream holds, told in the simplest way. */
  private static final class Model {
    final TreeMap<Long, boolean[]> there = new TreeMap<>();
    final List<StreamGap> gaps = new ArrayList<>();
    final TreeMap<Long, Long> ends = new TreeMap<>();
    long branch;

    void append(long onBranch, long from, long to) {
      boolean[] bytes = there.computeIfAbsent(onBranch, b -> new boolean[20_000]);
      Arrays.fill(bytes, (int) from, (int) to, true);
      ends.merge(onBranch, to, Math::max);
      branch = onBranch;
    }

    List<String> ranges() {
      List<String> ranges = new ArrayList<>();
      there.forEach(
          (onBranch, bytes) -> {
            for (int i = 0; i < bytes.length; i++) {
              if (bytes[i] && (i == 0 || !bytes[i - 1])) {
                int end = i;
                while (bytes[end]) {
                  end++;
                }
                ranges.add("%d %d %d".formatted(onBranch, i, end));
              }
            }
          });
      return ranges;
    }

    Optional<Position> durable() {
      return ends.isEmpty() ? Optional.empty() : Optional.of(ToyLog.at(branch, ends.get(branch)));
    }
  }

  private static List<String> ranges(Coverage coverage) {
    return coverage.ranges().stream()
        .map(r -> "%d %d %d".formatted(r.from().branch(), r.from().offset(), r.to().offset()))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void whatever_is_recorded_and_merged_the_log_tells_the_same_to_who_reads_it_again(long seed)
      throws Exception {
    Random random = new Random(seed);
    Model model = new Model();
    model.branch = 1;
    for (int round = 0; round < 6; round++) {
      host.record(
          session -> {
            assertEquals(model.durable(), session.durable(), "seed " + seed);
            for (int i = 0; i < 40; i++) {
              step(session, model, random);
              assertEquals(model.durable(), session.durable(), "seed " + seed);
            }
          });
      Coverage coverage = host.replayed().coverage.orElseThrow();
      assertEquals(model.ranges(), ranges(coverage), "seed " + seed);
      assertEquals(model.gaps, coverage.gaps(), "seed " + seed);
      try (BackupRepository repository = host.repository()) {
        assertEquals(List.of(), repository.catalog().damage(), "seed " + seed);
      }
    }
  }

  private static void step(StreamSession session, Model model, Random random) throws IOException {
    long branch = model.branch;
    long end = model.ends.getOrDefault(branch, 0L);
    int dice = random.nextInt(20);
    if (dice < 11 || end == 0) {
      long from = end - random.nextInt((int) Math.min(end, 9) + 1);
      long to = end + 1 + random.nextInt(40);
      ScriptedStream.append(session, branch, from, to);
      model.append(branch, from, to);
    } else if (dice < 16) {
      merge(session, model, random, end);
    } else if (dice < 17) {
      StreamGap gap = new StreamGap(ToyLog.at(branch, end), ToyLog.at(branch, end + 7), "lost");
      session.gap(gap);
      model.gaps.add(gap);
      ScriptedStream.append(session, branch, end + 7, end + 9);
      model.append(branch, end + 7, end + 9);
    } else if (dice < 18) {
      long fork = Math.max(0, end - 20);
      ScriptedStream.append(session, branch + 1, fork, fork + 5);
      model.append(branch + 1, fork, fork + 5);
    } else {
      session.companion(ToyLog.LINEAGE, "f" + random.nextInt(5), out -> out.write(1));
    }
  }

  /** Of what is recorded in one piece, up to the end. */
  private static void merge(StreamSession session, Model model, Random random, long end)
      throws IOException {
    boolean[] there = model.there.get(model.branch);
    long from = end;
    int most = 1 + random.nextInt(200);
    while (from > 0 && there[(int) from - 1] && end - from < most) {
      from--;
    }
    if (from < end) {
      ScriptedStream.merge(session, model.branch, from, end);
    }
  }

  @Test
  void two_thousand_entries_are_read_as_fast_as_what_counts_of_them() throws Exception {
    int appends = 2000;
    host.record(
        session -> {
          for (long at = 0; at < appends; at++) {
            ScriptedStream.append(session, 1, at, at + 1);
            if (at % 50 == 49) {
              ScriptedStream.merge(session, 1, at - 49, at + 1);
            }
          }
        });
    FaultPlan counting = FaultPlan.none();
    try (BackupRepository repository = host.host.repository(owner, counting.on(sink))) {
      assertEquals(appends, repository.catalog().streams().get(0).lengthBytes());
    }
    long read =
        counting.log().stream().filter(o -> o.startsWith("open log/" + StreamHost.LOG)).count();
    assertTrue(read < 45, read + " entries were read");
  }

  @Test
  void preflight_asks_streams_too() throws Exception {
    try (BackupEngine engine = host.with(ScriptedStream.following(s -> {})).open()) {
      assertTrue(
          engine.preflight(BackupRequest.full()).stream()
              .anyMatch(c -> c.id().equals("log: check.stream")));
    }
  }

  @Test
  @SuppressWarnings("try")
  void a_repeated_task_runs_beside_and_ends_with_its_registration() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    host.record(
        session -> {
          CountDownLatch called = new CountDownLatch(2);
          try (var repeating =
              session.every(
                  Duration.ofMillis(1),
                  () -> {
                    calls.incrementAndGet();
                    called.countDown();
                  })) {
            uninterrupted(called);
          }
          int then = calls.get();
          ScriptedStream.append(session, 1, 0, 10);
          assertEquals(then, calls.get());
        });
    assertTrue(calls.get() >= 2);
  }

  @Test
  void waiting_for_a_place_ends_when_the_engine_closes() throws Exception {
    BackupEngine engine = host.with(ScriptedStream.following(ScriptedStream::untilStopped)).open();
    RunningStream stream = engine.stream(StreamHost.STREAM);
    CompletableFuture<Boolean> waiting =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return stream.await(ToyLog.at(1, 10), StreamHost.LONG);
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    engine.close();
    assertFalse(waiting.get(60, TimeUnit.SECONDS));
  }

  @Test
  void a_snapshot_can_be_restored_as_it_is_whatever_the_stream_says() throws Exception {
    host.record(session -> ScriptedStream.append(session, 1, 0, 100));
    ReplayTarget target = new ReplayTarget();
    try (BackupRepository repository = host.repository()) {
      repository.planRestore(
          RestoreRequest.of(SnapshotRef.newest(SnapshotRef.Quality.GOOD))
              .target(Host.SOURCE, target));
    }
    assertEquals(Optional.<RecoveryPoint>empty(), target.point);
    assertEquals(Optional.empty(), target.coverage);
  }
}
