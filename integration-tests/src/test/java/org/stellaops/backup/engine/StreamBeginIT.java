package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.MemorySink;

/** The first entry of a stream, behind which there is none: whatever is durable is there. */
@Timeout(300)
class StreamBeginIT {
  private static final String OTHER = "other";

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final List<FailureCode> interruptions = new CopyOnWriteArrayList<>();
  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    pruning = new Pruning(host).withKeys();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  private BackupEngine engine(Host on, String stream, ScriptedStream source, BackupSink through)
      throws IOException {
    return on.with(
            on.plan(through).source(Host.SOURCE, StreamHost.capture(1, 0, 10)).stream(
                    stream, source)
                .janitor(pruning.keys())
                .build())
        .listener(
            new BackupListener() {
              @Override
              public void streamInterrupted(
                  SourceName name, BackupException failure, Duration pause) {
                interruptions.add(failure.code());
              }
            })
        .open();
  }

  private void record(String stream, BackupSink through, long from, long to) throws Exception {
    CountDownLatch done = new CountDownLatch(1);
    ScriptedStream source =
        ScriptedStream.doing(session -> ScriptedStream.append(session, 1, from, to), done);
    try (BackupEngine engine = engine(host, stream, source, through)) {
      RunningStream running = engine.stream(stream);
      assertTrue(done.await(120, TimeUnit.SECONDS), () -> running.status().toString());
    }
  }

  private BackupRepository repository() throws IOException {
    return BackupRepository.at(sink)
        .identity(owner)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  private Coverage coverage(String stream) throws IOException {
    try (BackupRepository repository = repository()) {
      return repository.catalog().streams().stream()
          .filter(c -> c.stream().value().equals(stream))
          .findFirst()
          .orElseThrow();
    }
  }

  private void assertWhole() throws IOException {
    try (BackupRepository repository = repository()) {
      assertEquals(List.of(), repository.catalog().damage());
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
    }
  }

  private static ScriptedStream upTo(long end, List<SliceSpan> acknowledged) {
    return ScriptedStream.following(
        session -> {
          long at = session.durable().map(Position::offset).orElse(0L);
          for (; at < end; at += 10) {
            ScriptedStream.append(session, 1, at, at + 10);
            acknowledged.add(ToyLog.span(1, at, at + 10));
          }
          ScriptedStream.untilStopped(session);
        });
  }

  @Test
  void two_that_begin_a_stream_at_the_same_moment_record_it_together() throws Exception {
    CyclicBarrier both = new CyclicBarrier(2);
    AtomicBoolean isBegun = new AtomicBoolean();
    BackupSink meeting =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.equals("put log/" + StreamHost.LOG + "/0000000001.entry")
                  && !isBegun.get()) {
                meet(both);
                isBegun.set(true);
              }
            });
    // An epoch is there, so that nothing else is begun at the same moment.
    try (BackupEngine engine = engine(host, "none", upTo(0, new ArrayList<>()), sink)) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
    }
    Host second = host.copy(root.resolve("second"), sink);
    List<SliceSpan> one = new CopyOnWriteArrayList<>();
    List<SliceSpan> two = new CopyOnWriteArrayList<>();
    try (BackupEngine first = engine(host, StreamHost.STREAM, upTo(50, one), meeting);
        BackupEngine other = engine(second, StreamHost.STREAM, upTo(50, two), meeting)) {
      RunningStream here = first.stream(StreamHost.STREAM);
      RunningStream there = other.stream(StreamHost.STREAM);
      assertTrue(here.await(ToyLog.at(1, 50), StreamHost.LONG), here.status().toString());
      assertTrue(there.await(ToyLog.at(1, 50), StreamHost.LONG), there.status().toString());
    }
    assertTrue(isBegun.get());
    assertTrue(interruptions.size() >= 1, "one of them came second");
    assertEquals(List.of(CoreFailure.STREAM_TAKEN), interruptions.stream().distinct().toList());
    List<SliceSpan> acknowledged = new ArrayList<>(one);
    acknowledged.addAll(two);
    assertEquals(5, acknowledged.size(), "each by one of them: " + acknowledged);
    assertEquals(List.of(ToyLog.span(1, 0, 50)), coverage(StreamHost.STREAM).ranges());
    assertWhole();
  }

  private static void meet(CyclicBarrier both) {
    try {
      both.await(60, TimeUnit.SECONDS);
    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Its object is stored, and no entry names it. Another stream of the same writer says that it
   * knows of the doom, so that is carried out; only then comes the entry.
   */
  @Test
  void what_is_removed_before_the_first_entry_of_another_stream_is_recorded_again()
      throws Exception {
    try (BackupEngine engine = engine(host, "none", upTo(0, new ArrayList<>()), sink)) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
    }
    record(StreamHost.STREAM, sink, 0, 50);
    AtomicBoolean isRemoved = new AtomicBoolean();
    BackupSink slow =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.equals("put log/host-a." + OTHER + "/0000000001.entry")
                  && isRemoved.compareAndSet(false, true)) {
                removeWhatNobodyNames();
              }
            });
    record(OTHER, slow, 50, 70);
    assertTrue(isRemoved.get());
    assertEquals(List.of(CoreFailure.OBJECT_DOOMED), interruptions);
    assertEquals(List.of(ToyLog.span(1, 50, 70)), coverage(OTHER).ranges());
    record(OTHER, sink, 70, 80);
    assertEquals(List.of(ToyLog.span(1, 50, 80)), coverage(OTHER).ranges());
    assertWhole();
  }

  private void removeWhatNobodyNames() throws IOException {
    assertEquals(1, pruning.prune(9).doomedObjects());
    try {
      record(StreamHost.STREAM, sink, 50, 60);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    assertEquals(1, pruning.prune(9).deletedObjects());
  }

  /** Whoever comes next finds the entry, of which nobody was told that it is durable. */
  @Test
  void a_first_entry_of_what_is_doomed_is_not_believed_by_whoever_goes_on() throws Exception {
    try (BackupEngine engine = engine(host, "none", upTo(0, new ArrayList<>()), sink)) {
      engine.backup(BackupRequest.full().named("a")).requireGood();
    }
    record(StreamHost.STREAM, sink, 0, 50);
    AtomicBoolean isRemoved = new AtomicBoolean();
    AtomicBoolean isGone = new AtomicBoolean();
    BackupSink dying =
        HookedStore.on(
            sink,
            operation -> {
              if (isGone.get()) {
                throw new IOException("gone");
              }
              if (operation.equals("put log/host-a." + OTHER + "/0000000001.entry")
                  && isRemoved.compareAndSet(false, true)) {
                removeWhatNobodyNames();
                isGone.set(true);
              }
            });
    List<SliceSpan> acknowledged = new CopyOnWriteArrayList<>();
    CountDownLatch interrupted = new CountDownLatch(1);
    try (BackupEngine engine =
        engine(
            host,
            OTHER,
            ScriptedStream.following(
                session -> {
                  try {
                    ScriptedStream.append(session, 1, 50, 70);
                    acknowledged.add(ToyLog.span(1, 50, 70));
                  } finally {
                    interrupted.countDown();
                  }
                }),
            dying)) {
      engine.stream(OTHER);
      assertTrue(interrupted.await(120, TimeUnit.SECONDS));
    }
    assertEquals(List.of(), acknowledged);
    // Cut otherwise, and interrupted again: what stands in slot 1 counts no more than before.
    assertEquals(Optional.empty(), recordFrom(50, 60));
    assertEquals(List.of(ToyLog.span(1, 50, 60)), coverage(OTHER).ranges());
    assertEquals(Optional.of(ToyLog.at(1, 60)), recordFrom(60, 70));
    assertEquals(List.of(ToyLog.span(1, 50, 70)), coverage(OTHER).ranges());
    assertTrue(pruning.prune(9).isOk());
    assertWhole();
  }

  /** Returns what was durable before. */
  private Optional<Position> recordFrom(long from, long to) throws Exception {
    List<Optional<Position>> durable = new CopyOnWriteArrayList<>();
    CountDownLatch done = new CountDownLatch(1);
    ScriptedStream source =
        ScriptedStream.doing(
            session -> {
              durable.add(session.durable());
              ScriptedStream.append(session, 1, from, to);
            },
            done);
    try (BackupEngine engine = engine(host, OTHER, source, sink)) {
      RunningStream running = engine.stream(OTHER);
      assertTrue(done.await(120, TimeUnit.SECONDS), () -> running.status().toString());
    }
    return durable.get(0);
  }
}
