package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotRef.Quality;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.SourceSettings;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/** How a run ends, given how its sources end. */
class OutcomeIT {
  private static final ArtifactName A = ArtifactName.of("a");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final List<String> events = new ArrayList<>();
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void makeHost() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    owner.close();
    sink.assertNothingOpen();
    host.assertWorkspaceClean();
  }

  @Test
  void one_source_that_fails_fails_the_run_and_there_is_no_snapshot() throws Exception {
    BackupPlan plan =
        host.plan(sink).source("sound", sound()).source("failing", failing("disk on fire")).build();
    var e = assertThrows(BackupException.Source.class, () -> backUp(plan));
    assertEquals(CoreFailure.SOURCE_FAILED, e.code());
    assertTrue(e.getMessage().contains("capture of failing: disk on fire"), e.getMessage());
    assertEquals(0, snapshots());
    assertEquals(List.of("failed STELLA-200"), events);
  }

  @Test
  void a_source_that_may_fail_makes_the_snapshot_partial_and_never_the_newest_good_one()
      throws Exception {
    BackupReport good = host.backUp(BytesSource.of("a", new byte[10]), "good");
    BackupPlan plan =
        host.plan(sink)
            .source("sound", sound())
            .source("failing", failing("disk on fire"), SourceSettings::mayFail)
            .build();
    BackupReport partial = backUp(plan);
    assertEquals(Outcome.PARTIAL, partial.outcome());
    assertEquals(
        List.of(new Finding(CoreFailure.SOURCE_SKIPPED, "failing", "disk on fire")),
        partial.findings());
    assertThrows(BackupException.Refused.class, partial::requireGood);
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(
          good.snapshot(), repository.catalog().info(SnapshotRef.newest(Quality.GOOD)).id());
      var info = repository.catalog().info(partial.snapshot());
      assertEquals(Outcome.PARTIAL, info.outcome());
      assertEquals(2, info.plannedSources().values().stream().mapToInt(i -> i).sum());
      assertFalse(info.isWhole());
      assertEquals(
          info.id(),
          repository.catalog().info(SnapshotRef.newest(Quality.GOOD).holding("sound")).id());
      assertEquals(
          List.of("sound"), info.captures().stream().map(c -> c.source().value()).toList());
      assertTrue(repository.verify(partial.snapshot()).isIntact());
    }
  }

  @Test
  void a_source_that_may_fail_and_fails_its_check_is_skipped() throws Exception {
    BackupSource unready = sound().checked(CheckResult.fail("check.port", "closed", "open it"));
    BackupReport report =
        backUp(
            host.plan(sink)
                .source("sound", sound())
                .source("unready", unready, SourceSettings::mayFail)
                .build());
    assertEquals(Outcome.PARTIAL, report.outcome());
    assertEquals(CoreFailure.SOURCE_SKIPPED, report.findings().get(0).code());
  }

  @Test
  void there_is_no_snapshot_of_nothing_though_every_source_may_fail() {
    BackupPlan plan =
        host.plan(sink).source("only", failing("gone"), SourceSettings::mayFail).build();
    assertThrows(BackupException.Source.class, () -> backUp(plan));
  }

  @Test
  void less_than_was_expected_is_degraded_and_never_the_newest_good_one() throws Exception {
    BackupReport report =
        backUp(
            ScriptedSource.capturing(
                session -> {
                  session.expect(InventoryItem.of("users", 10, 100));
                  session.artifact(A, Form.CONTENT, out -> out.write(new byte[50]));
                  session.captured(InventoryItem.of("users", 9, 50));
                }));
    assertEquals(Outcome.DEGRADED, report.outcome());
    assertEquals(
        List.of(
            new Finding(CoreFailure.LESS_THAN_EXPECTED, "files/users", "expected 10, captured 9")),
        report.findings());
    try (BackupRepository repository = host.repository(owner)) {
      assertTrue(repository.catalog().find(SnapshotRef.newest(Quality.GOOD)).isEmpty());
    }
  }

  @Test
  void what_was_expected_and_never_came_is_a_finding_too() throws Exception {
    BackupReport report =
        backUp(
            ScriptedSource.capturing(
                session -> {
                  session.expect(InventoryItem.of("users", 1, 100));
                  session.artifact(A, Form.CONTENT, out -> out.write(1));
                }));
    assertEquals(Outcome.DEGRADED, report.outcome());
  }

  @Test
  void a_component_is_as_good_as_the_worst_of_its_sources() throws Exception {
    ScriptedSource less =
        ScriptedSource.capturing(
            session -> {
              session.expect(InventoryItem.of("users", 1, 100));
              session.artifact(A, Form.CONTENT, out -> out.write(1));
            });
    BackupReport report =
        backUp(
            host.plan(sink)
                .source("sound", sound(), s -> s.component(Component.DATABASE))
                .source("less", less, s -> s.component(Component.DATABASE))
                .build());
    SnapshotRef.Newest good = SnapshotRef.newest(Quality.GOOD);
    try (BackupRepository repository = host.repository(owner)) {
      assertTrue(repository.catalog().find(good.holding("database")).isEmpty());
      assertTrue(repository.catalog().find(good.holding("less")).isEmpty());
      assertEquals(report.snapshot(), repository.catalog().info(good.holding("sound")).id());
    }
  }

  @Test
  void nothing_where_something_was_expected_is_a_failure() throws Exception {
    assertFails(
        CoreFailure.EMPTY_ARTIFACT,
        session -> {
          session.expect(InventoryItem.of("users", 1, 100));
          session.artifact(A, Form.CONTENT, out -> {});
        });
    assertFails(CoreFailure.EMPTY_ARTIFACT, session -> {});
  }

  @Test
  void a_body_that_throws_is_tried_again_and_only_its_last_bytes_count() throws Exception {
    byte[] bytes = Fixture.random(1, 300_000);
    var tries = new AtomicInteger();
    BackupReport report =
        backUp(
            ScriptedSource.capturing(
                session -> {
                  var first =
                      assertThrows(
                          IOException.class,
                          () ->
                              session.artifact(
                                  A,
                                  Form.CONTENT.remembered(),
                                  out -> {
                                    tries.incrementAndGet();
                                    out.write(Fixture.random(2, 200_000));
                                    throw new IOException("connection lost");
                                  }));
                  assertEquals("connection lost", first.getMessage());
                  session.artifact(A, Form.CONTENT.remembered(), out -> out.write(bytes));
                }));
    assertEquals(1, tries.get());
    assertEquals(Outcome.GOOD, report.outcome());
    try (BackupRepository repository = host.repository(owner)) {
      Host.assertRestores(repository, report.snapshot(), Map.of("a", bytes));
    }
  }

  @Test
  void an_artifact_that_failed_and_was_never_captured_fails_the_run() throws Exception {
    assertFails(
        CoreFailure.SOURCE_FAILED,
        session -> {
          session.artifact(ArtifactName.of("b"), Form.CONTENT, out -> out.write(1));
          assertThrows(
              IOException.class,
              () ->
                  session.artifact(
                      A,
                      Form.CONTENT,
                      out -> {
                        throw new IOException("connection lost");
                      }));
        });
  }

  @Test
  void an_artifact_captured_twice_is_a_mistake_of_the_source() throws Exception {
    var mistake =
        assertThrows(
            IllegalStateException.class,
            () ->
                backUp(
                    ScriptedSource.capturing(
                        session -> {
                          session.artifact(A, Form.CONTENT, out -> out.write(1));
                          session.artifact(A, Form.CONTENT, out -> out.write(2));
                        })));
    assertTrue(mistake.getMessage().contains("artifact captured twice: a"));
    assertEquals(0, snapshots());
    assertEquals(List.of("failed STELLA-199"), events);
  }

  @Test
  void an_artifact_within_an_artifact_is_a_mistake_of_the_source() {
    assertThrows(
        IllegalStateException.class,
        () ->
            backUp(
                ScriptedSource.capturing(
                    session ->
                        session.artifact(
                            A,
                            Form.CONTENT,
                            out ->
                                session.artifact(
                                    ArtifactName.of("b"), Form.CONTENT, in -> in.write(1))))));
  }

  @Test
  void an_unchecked_wrapper_of_a_failure_is_that_failure() throws Exception {
    assertFails(
        CoreFailure.SOURCE_FAILED,
        session -> {
          throw new UncheckedIOException(new IOException("directory vanished"));
        });
  }

  @Test
  void a_storage_failure_wins_over_what_the_source_makes_of_it() throws Exception {
    long firstPack = firstPack();
    var empty = sink.snapshot();
    byte[] keys = Files.readAllBytes(host.directory.resolve("writer.key"));
    for (Translation translation : Translation.values()) {
      sink.reset(empty);
      Files.write(host.directory.resolve("writer.key"), keys);
      FaultPlan plan = FaultPlan.failing(firstPack, When.BEFORE).andEverAfter();
      BackupPlan failing =
          host.plan(plan.on(sink)).source(Host.SOURCE, translatingSource(translation)).build();
      var e = assertThrows(BackupException.Sink.class, () -> backUp(failing), translation.name());
      assertTrue(e.getMessage().contains("injected fault"), translation + ": " + e);
      assertEquals(0, snapshots());
    }
  }

  /** What a source does with an exception that passes through it. */
  private enum Translation {
    PASSES,
    WRAPS,
    WRAPS_UNCHECKED,
    SWALLOWS
  }

  /** Writes more than a pack holds, so that storing begins while it writes. */
  private static BackupSource translatingSource(Translation translation) {
    byte[] block = Fixture.random(5, 1_000_000);
    return ScriptedSource.capturing(
        session -> {
          try {
            session.artifact(
                A,
                Form.WHOLE,
                out -> {
                  for (int i = 0; i < 16; i++) {
                    block[0] = (byte) i;
                    out.write(block);
                  }
                });
          } catch (IOException e) {
            switch (translation) {
              case PASSES -> throw e;
              case WRAPS -> throw new IOException("the database hung up", e);
              case WRAPS_UNCHECKED -> throw new IllegalStateException("cannot be", e);
              case SWALLOWS -> session.artifact(A, Form.WHOLE, out -> out.write(1));
            }
          }
        });
  }

  /** The number of the operation that stores the first pack. */
  private long firstPack() throws IOException {
    FaultPlan none = FaultPlan.none();
    var elsewhere = new MemorySink();
    Host other = new Host(root.resolve("other"), owner.recipient(), elsewhere).withKeys();
    other.backUp(translatingSource(Translation.PASSES), "good", none.on(elsewhere));
    return none.log().stream()
        .takeWhile(o -> !(o.startsWith("put ") && o.contains("/packs/")))
        .count();
  }

  @Test
  void holds_open_before_the_first_capture_and_close_in_reverse() throws Exception {
    List<String> order = new ArrayList<>();
    backUp(
        host.plan(sink)
            .source("one", noting("one", order))
            .source("two", noting("two", order))
            .build());
    assertEquals(
        List.of("hold one", "hold two", "one", "two", "release two", "release one"), order);
  }

  @Test
  void holds_close_in_reverse_whatever_happens() {
    List<String> order = new ArrayList<>();
    ScriptedSource bad =
        failing("disk on fire")
            .holding(
                context -> {
                  order.add("hold bad");
                  return () -> {
                    order.add("release bad");
                    throw new IllegalStateException("release failed");
                  };
                });
    BackupPlan plan =
        host.plan(sink).source("one", noting("one", order)).source("two", bad).build();
    var e = assertThrows(BackupException.Source.class, () -> backUp(plan));
    assertTrue(e.getMessage().contains("disk on fire"), e.getMessage());
    assertEquals("release failed", e.getSuppressed()[0].getMessage());
    assertEquals(List.of("hold one", "hold bad", "one", "release bad", "release one"), order);
  }

  @Test
  void a_hold_that_cannot_be_opened_fails_its_source_and_releases_the_others() {
    List<String> order = new ArrayList<>();
    ScriptedSource bad =
        sound()
            .holding(
                context -> {
                  throw new IOException("locked by another");
                });
    BackupPlan plan =
        host.plan(sink).source("one", noting("one", order)).source("two", bad).build();
    var e = assertThrows(BackupException.Source.class, () -> backUp(plan));
    assertTrue(e.getMessage().contains("hold of two: locked by another"), e.getMessage());
    assertEquals(List.of("hold one", "release one"), order);
  }

  @Test
  void a_hold_that_cannot_be_released_is_a_failure_of_its_source() {
    ScriptedSource bad =
        sound()
            .holding(
                context ->
                    () -> {
                      throw new IOException("connection lost");
                    });
    var e = assertThrows(BackupException.Source.class, () -> backUp(bad));
    assertEquals(CoreFailure.SOURCE_FAILED, e.code());
  }

  @Test
  void a_required_file_that_is_missing_fails_before_anything_is_stored() throws Exception {
    FileSource files = FileSource.in(root).include("host/*.key").required("absent.yaml");
    BackupPlan plan = host.plan(sink).source("one", sound()).source("config", files).build();
    host.with(plan).open().close();
    var before = sink.snapshot();
    var e = assertThrows(BackupException.Source.class, () -> backUp(plan));
    assertEquals(CoreFailure.SOURCE_CHECK_FAILED, e.code());
    assertTrue(e.getMessage().contains("absent.yaml"), e.getMessage());
    assertEquals(before.keySet(), sink.snapshot().keySet());
  }

  @Test
  void a_snapshot_without_a_name_gets_one_though_two_are_made_in_a_second() throws Exception {
    BackupPlan plan = host.plan(sink).source(Host.SOURCE, sound()).build();
    var noon = java.time.Instant.parse("2026-11-20T12:00:00Z");
    try (BackupEngine engine = host.with(plan).clock(() -> noon).open()) {
      assertEquals("test-20261120T120000Z", engine.backup(BackupRequest.full()).name().value());
      assertEquals("test-20261120T120000Z-2", engine.backup(BackupRequest.full()).name().value());
      assertEquals("test-20261120T120000Z-3", engine.backup(BackupRequest.full()).name().value());
    }
  }

  @Test
  void an_object_that_is_there_is_found_on_whatever_page_of_the_listing() throws Exception {
    for (long seed = 0; seed < 20; seed++) {
      var paged = new MemorySink(seed);
      Host other = new Host(root.resolve("seed" + seed), owner.recipient(), paged).withKeys();
      other.backUp(sound(), "first");
      BackupReport second = other.backUp(sound(), "second");
      assertEquals(0, second.newBytes(), "seed " + seed);
    }
  }

  @Test
  void what_listeners_throw_changes_nothing() throws Exception {
    BackupPlan plan = host.plan(sink).source(Host.SOURCE, sound()).build();
    var heard = new AtomicInteger();
    BackupListener rude =
        (BackupListener)
            java.lang.reflect.Proxy.newProxyInstance(
                BackupListener.class.getClassLoader(),
                new Class<?>[] {BackupListener.class},
                (proxy, method, arguments) -> {
                  if (method.getDeclaringClass() == Object.class) {
                    return method.getName().equals("equals")
                        ? proxy == arguments[0]
                        : System.identityHashCode(proxy);
                  }
                  heard.incrementAndGet();
                  throw new IllegalArgumentException("rude " + method.getName());
                });
    try (BackupEngine engine = host.with(plan).listener(rude).listener(events()).open()) {
      BackupReport report = engine.backup(BackupRequest.full()).requireGood();
      assertTrue(engine.verify(report.snapshot()).isIntact());
    }
    assertTrue(heard.get() >= 5, heard + " events");
    assertEquals(List.of("finished"), events);
  }

  private void assertFails(CoreFailure code, ScriptedSource.Capture capture) throws Exception {
    var e =
        assertThrows(BackupException.Source.class, () -> backUp(ScriptedSource.capturing(capture)));
    assertSame(code, e.code());
    assertEquals(0, snapshots());
  }

  private long snapshots() throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      return repository.catalog().list(SnapshotFilter.all()).size();
    } catch (BackupException.Refused e) {
      assertEquals(CoreFailure.NOT_A_REPOSITORY, e.code());
      return 0;
    }
  }

  private BackupReport backUp(BackupSource source) throws BackupException {
    return backUp(host.plan(sink).source(Host.SOURCE, source).build());
  }

  private BackupReport backUp(BackupPlan plan) throws BackupException {
    try (BackupEngine engine = host.with(plan).listener(events()).open()) {
      return engine.backup(BackupRequest.full());
    }
  }

  private BackupListener events() {
    return new BackupListener() {
      @Override
      public void runFinished(BackupReport report) {
        events.add("finished");
      }

      @Override
      public void runFailed(RunId run, BackupException failure) {
        events.add("failed " + failure.code().code());
      }
    };
  }

  private static ScriptedSource sound() {
    return ScriptedSource.capturing(OutcomeIT::captureSomething);
  }

  private static void captureSomething(CaptureSession session) throws IOException {
    session.artifact(A, Form.CONTENT, out -> out.write(Fixture.random(9, 10_000)));
  }

  private static ScriptedSource failing(String message) {
    return ScriptedSource.capturing(
        session -> {
          captureSomething(session);
          throw new IOException(message);
        });
  }

  private static ScriptedSource noting(String name, List<String> order) {
    return ScriptedSource.capturing(
            session -> {
              order.add(name);
              captureSomething(session);
            })
        .holding(
            context -> {
              order.add("hold " + name);
              return () -> order.add("release " + name);
            });
  }
}
