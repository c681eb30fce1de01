package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.HoldContext;
import org.stellaops.backup.spi.SourceDescription;

class CaptureHarnessTest {
  private static final ArtifactName A = ArtifactName.of("a");
  private static final CaptureSpan SPAN =
      new CaptureSpan(new Position("l", 1, 2, "2"), new Position("l", 1, 3, "3"), Instant.EPOCH);
  private static final ArtifactName B = ArtifactName.of("b");

  @TempDir Path directory;

  @Test
  void what_a_source_writes_can_be_read_and_is_described() throws IOException {
    byte[] bytes = {1, 2, 3};

    Captured captured =
        capture(
            session -> {
              session.artifact(
                  A,
                  Form.BLOCKS,
                  out -> {
                    out.write(1);
                    out.boundary();
                    out.boundary();
                    out.write(new byte[] {9, 2, 3}, 1, 2);
                  });
              session.version("server", "17");
              session.property("consistency", "SNAPSHOT");
              session.witness("chain", Digest.ofContent(bytes), 7);
              session.span(SPAN);
            });

    assertArrayEquals(bytes, captured.bytes("a"));
    assertEquals(List.of(1L), captured.boundaries("a"));
    assertEquals(Form.BLOCKS, captured.form("a"));
    assertEquals(Digest.ofContent(bytes), captured.source().artifact(A).orElseThrow().plain());
    assertEquals(3, captured.source().header().plainBytes());
    assertEquals(Outcome.GOOD, captured.source().header().outcome());
    assertEquals("17", captured.source().versions().get("server"));
    assertEquals("SNAPSHOT", captured.source().properties().get("consistency"));
    assertEquals(7, captured.source().witnesses().get(0).sequence());
    assertEquals(Optional.of(SPAN), captured.source().header().span());
  }

  @Test
  void artifacts_can_be_kept_as_files() throws IOException {
    Captured captured =
        CaptureHarness.of(new ScriptedSource(s -> s.artifact(A, Form.CONTENT, out -> out.write(5))))
            .spoolTo(directory.resolve("new"))
            .capture();

    assertArrayEquals(new byte[] {5}, Files.readAllBytes(captured.file("a").orElseThrow()));
  }

  @Test
  void an_artifact_whose_body_threw_is_not_kept_and_may_be_tried_again() throws IOException {
    Captured captured =
        capture(
            session -> {
              assertThrows(
                  IOException.class,
                  () ->
                      session.artifact(
                          A,
                          Form.CONTENT,
                          out -> {
                            out.write(1);
                            throw new IOException("first try");
                          }));
              session.artifact(A, Form.CONTENT, out -> out.write(2));
            });

    assertArrayEquals(new byte[] {2}, captured.bytes("a"));
  }

  @Test
  void a_failed_artifact_that_is_not_tried_again_is_a_breach() {
    assertBreach(
        "without the failed artifacts [a]",
        session ->
            assertThrows(
                IOException.class,
                () ->
                    session.artifact(
                        A,
                        Form.CONTENT,
                        out -> {
                          throw new IOException("only try");
                        })));
  }

  @Test
  void a_name_used_twice_is_a_breach_even_if_the_exception_is_swallowed() {
    assertBreach(
        "captured twice",
        session -> {
          session.artifact(A, Form.CONTENT, out -> {});
          swallow(() -> session.artifact(A, Form.CONTENT, out -> {}));
        });
  }

  @Test
  void an_artifact_inside_another_is_a_breach() {
    assertBreach(
        "begins inside",
        session ->
            session.artifact(A, Form.CONTENT, out -> session.artifact(B, Form.CONTENT, o -> {})));
  }

  @Test
  void writing_after_the_body_ended_is_a_breach() {
    AtomicReference<ArtifactOutput> kept = new AtomicReference<>();
    assertBreach(
        "after its body ended",
        session -> {
          session.artifact(A, Form.CONTENT, kept::set);
          kept.get().write(1);
        });
  }

  @Test
  void use_by_another_thread_is_a_breach() {
    assertBreach(
        "instead of the capture's own",
        session -> {
          Thread other = new Thread(() -> swallow(() -> session.progress(1, 1, 1)));
          other.start();
          join(other);
        });
  }

  @Test
  void use_after_capture_returned_is_refused() throws IOException {
    AtomicReference<CaptureSession> kept = new AtomicReference<>();
    capture(kept::set);

    var e = assertThrows(IllegalStateException.class, () -> kept.get().source());
    assertTrue(e.getMessage().contains("after capture returned"), e.getMessage());
  }

  @Test
  void progress_that_goes_backwards_is_a_breach() {
    assertBreach(
        "goes backwards",
        session -> {
          session.progress(10, 1, 100);
          session.progress(9, 1, 100);
        });
  }

  @Test
  void an_unclosed_registration_is_a_breach() {
    assertBreach(
        "onStop were not closed", session -> session.stopping().onStop(() -> {}).getClass());
  }

  @Test
  void a_recalled_stream_left_open_is_a_breach() throws IOException {
    Captured parent = remembering();
    assertBreach(
        "recalled and not closed",
        CaptureHarness.of(new ScriptedSource(s -> s.parent().orElseThrow().recall(A)))
            .parent(parent));
  }

  @Test
  void a_remembered_artifact_can_be_recalled_and_another_cannot() throws IOException {
    Captured parent = remembering();

    Captured child =
        CaptureHarness.of(
                new ScriptedSource(
                    session -> {
                      var remembered = session.parent().orElseThrow();
                      assertEquals(Optional.empty(), remembered.recall(B));
                      assertEquals(Optional.empty(), remembered.recall(ArtifactName.of("c")));
                      session.dependsOn(remembered);
                      try (InputStream in = remembered.recall(A).orElseThrow()) {
                        byte[] bytes = in.readAllBytes();
                        session.artifact(A, Form.CONTENT, out -> out.write(bytes));
                      }
                    }))
            .parent(parent)
            .capture();

    assertArrayEquals(parent.bytes("a"), child.bytes("a"));
    assertEquals(List.of(new SnapshotId("snapshot-1")), child.source().header().parents());
    assertEquals(List.of(parent, child), child.chain());
  }

  @Test
  void depending_on_a_parent_when_a_full_capture_was_requested_is_a_breach() throws IOException {
    assertBreach(
        "although a full one was requested",
        CaptureHarness.of(new ScriptedSource(s -> s.dependsOn(s.parent().orElseThrow())))
            .parent(remembering())
            .requesting(CaptureKind.FULL));
  }

  @Test
  void less_than_expected_is_a_finding_and_degrades() throws IOException {
    Captured captured =
        capture(
            session -> {
              session.expect(InventoryItem.of("rows", 3, 0));
              session.expect(InventoryItem.of("tables", 1, 0));
              session.captured(InventoryItem.of("rows", 2, 10));
              session.captured(InventoryItem.of("tables", 1, 0));
            });

    Finding finding = captured.findings().get(0);
    assertEquals(1, captured.findings().size());
    assertEquals(CoreFailure.LESS_THAN_EXPECTED, finding.code());
    assertEquals("rows", finding.subject());
    assertEquals(Outcome.DEGRADED, captured.source().header().outcome());
  }

  @Test
  void an_earlier_source_of_the_same_run_is_shown() throws IOException {
    Captured first = CaptureHarness.of(new ScriptedSource(s -> {})).named("database").capture();

    Captured second =
        CaptureHarness.of(
                new ScriptedSource(
                    s -> {
                      assertSame(
                          first.source(), s.captured(SourceName.of("database")).orElseThrow());
                      assertEquals(Optional.empty(), s.captured(SourceName.of("other")));
                    }))
            .after(first)
            .capture();

    assertEquals(SourceName.of("source"), second.source().header().source());
  }

  @Test
  void storage_fails_at_the_byte_that_was_named_and_for_good() {
    AtomicReference<Integer> written = new AtomicReference<>(0);
    var e =
        assertThrows(
            BackupException.Sink.class,
            () ->
                CaptureHarness.of(
                        new ScriptedSource(
                            s ->
                                s.artifact(
                                    A,
                                    Form.CONTENT,
                                    out -> {
                                      for (int i = 0; i < 10; i++) {
                                        out.write(i);
                                        written.set(i + 1);
                                      }
                                    })))
                    .failStorageAt(4)
                    .capture());

    assertEquals(4, written.get());
    assertEquals(BackupException.Sink.Reason.REFUSED, e.reason());
  }

  @Test
  void a_source_that_swallows_a_failure_of_storage_is_a_breach() {
    assertBreach(
        "storage failed and the source reported success",
        CaptureHarness.of(
                new ScriptedSource(
                    s -> swallow(() -> s.artifact(A, Form.CONTENT, o -> o.write(1)))))
            .failStorageAt(0));
  }

  @Test
  void a_source_that_hides_a_failure_of_storage_is_a_breach() {
    assertBreach(
        "hid it behind another failure",
        CaptureHarness.of(
                new ScriptedSource(
                    s -> {
                      swallow(() -> s.artifact(A, Form.CONTENT, o -> o.write(1)));
                      throw new IOException("connection lost");
                    }))
            .failStorageAt(0));
  }

  @Test
  void a_failure_of_storage_that_a_driver_wrapped_is_thrown_as_what_it_is() {
    assertThrows(
        BackupException.Sink.class,
        () ->
            CaptureHarness.of(
                    new ScriptedSource(
                        s -> {
                          try {
                            s.artifact(A, Form.CONTENT, o -> o.write(1));
                          } catch (BackupException.Sink e) {
                            throw new IllegalStateException("driver", new IOException(e));
                          }
                        }))
                .failStorageAt(0)
                .capture());
  }

  @Test
  void stopping_runs_the_actions_and_ends_as_stopped_whatever_the_source_throws() {
    AtomicReference<String> ran = new AtomicReference<>("");
    var e =
        assertThrows(
            BackupException.Stopped.class,
            () ->
                CaptureHarness.of(
                        new ScriptedSource(
                            s -> {
                              try (var r = s.stopping().onStop(() -> ran.set("socket closed"))) {
                                assertTrue(r != null && !s.stopping().isStopping());
                                s.artifact(A, Form.CONTENT, out -> out.write(new byte[100]));
                                assertTrue(s.stopping().isStopping());
                                throw new IOException("socket closed");
                              }
                            }))
                    .stopAfter(100)
                    .capture());

    assertEquals("socket closed", ran.get());
    assertEquals("socket closed", e.getSuppressed()[0].getMessage());
  }

  @Test
  void a_source_that_does_not_stop_is_a_breach() {
    assertBreach(
        "after it was stopped",
        CaptureHarness.of(
                new ScriptedSource(
                    s ->
                        s.artifact(
                            A,
                            Form.CONTENT,
                            out -> {
                              while (true) {
                                out.write(new byte[1 << 20]);
                              }
                            })))
            .stopAfter(1));
  }

  @Test
  void the_hold_is_open_during_the_capture_and_closed_after_it() throws IOException {
    Files.write(directory.resolve("x"), new byte[] {1});
    var source = new HoldingSource(new ToySource(directory));

    CaptureHarness.of(source).capture();

    assertTrue(source.wasHeld);
    assertFalse(source.isHeld);
  }

  @Test
  void checks_are_collected() throws IOException {
    List<CheckResult> good = CaptureHarness.checks(new ToySource(directory));
    List<CheckResult> bad = CaptureHarness.checks(new ToySource(directory.resolve("none")));

    assertEquals(CheckResult.Verdict.PASS, good.get(0).verdict());
    assertEquals(CheckResult.Verdict.FAIL, bad.get(0).verdict());
  }

  @Test
  void an_increment_of_the_toy_holds_only_what_is_new() throws IOException {
    Files.write(directory.resolve("old"), new byte[] {1});
    Captured full = CaptureHarness.of(new ToySource(directory)).capture();
    Files.write(directory.resolve("new"), new Random(1).ints(10).mapToObj(i -> "" + i).toList());

    Captured increment = CaptureHarness.of(new ToySource(directory)).parent(full).capture();

    assertEquals(List.of(ArtifactName.of("file.new"), ToySource.LIST), increment.names());
    assertTrue(increment.source().header().isIncremental());
  }

  private static Captured remembering() throws IOException {
    return capture(
        session -> {
          session.artifact(A, Form.CONTENT.remembered(), out -> out.write(new byte[] {4, 2}));
          session.artifact(B, Form.CONTENT, out -> {});
        });
  }

  private static Captured capture(ScriptedSource.Script script) throws IOException {
    return CaptureHarness.of(new ScriptedSource(script)).capture();
  }

  private static void assertBreach(String what, ScriptedSource.Script script) {
    assertBreach(what, CaptureHarness.of(new ScriptedSource(script)));
  }

  private static void assertBreach(String what, CaptureHarness harness) {
    var e = assertThrows(AssertionError.class, harness::capture);
    assertTrue(e.getMessage().contains(what), e.getMessage());
  }

  private static void swallow(Action action) {
    assertThrows(Exception.class, action::run);
  }

  private static void join(Thread thread) throws IOException {
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private interface Action {
    void run() throws IOException;
  }

  private static final class HoldingSource implements BackupSource {
    private final ToySource toy;
    private boolean isHeld;
    private boolean wasHeld;

    HoldingSource(ToySource toy) {
      this.toy = toy;
    }

    @Override
    public SourceDescription describe() {
      return toy.describe();
    }

    @Override
    public void check(Checks checks) {
      toy.check(checks);
    }

    @Override
    public void capture(CaptureSession session) throws IOException {
      wasHeld = isHeld;
      toy.capture(session);
    }

    @Override
    public Closeable hold(HoldContext context) {
      isHeld = true;
      return () -> isHeld = false;
    }
  }
}
