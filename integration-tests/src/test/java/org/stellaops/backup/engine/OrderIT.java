package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.MemorySink;

/** A system is captured from what refers to what is referred to, and restored the other way. */
class OrderIT {
  private static final List<String> CAPTURED =
      Arrays.stream(Stage.values()).map(s -> s.name().toLowerCase(Locale.ROOT)).toList();
  private static final List<String> RESTORED =
      List.of("keys", "secrets", "files", "database", "documents", "objects");
  private static final SnapshotRef WHOLE = SnapshotRef.named("whole");

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
  void sources_are_captured_by_stage_in_whatever_order_they_were_planned() throws Exception {
    for (long seed = 0; seed < 10; seed++) {
      events.clear();
      try (BackupEngine engine = host.with(plan(seed)).open()) {
        engine.backup(BackupRequest.full().named("seed-" + seed)).requireGood();
      }
      assertEquals(CAPTURED, events, "seed " + seed);
    }
  }

  @Test
  void a_source_sees_exactly_those_that_were_captured_before_it() throws Exception {
    List<String> seen = new ArrayList<>();
    BackupPlan.Builder plan = host.plan(sink);
    for (Stage stage : List.of(Stage.KEYS, Stage.FILES, Stage.DATABASE)) {
      plan.source(
          name(stage),
          ScriptedSource.capturing(
                  session -> {
                    CAPTURED.stream()
                        .filter(s -> session.captured(SourceName.of(s)).isPresent())
                        .forEach(s -> seen.add(session.source() + " after " + s));
                    session.artifact(ArtifactName.of("a"), Form.CONTENT, out -> out.write(1));
                  })
              .at(stage));
    }
    try (BackupEngine engine = host.with(plan.build()).open()) {
      engine.backup(BackupRequest.full()).requireGood();
    }
    assertEquals(List.of("files after database", "keys after database", "keys after files"), seen);
  }

  @Test
  void all_components_are_one_snapshot_or_none() throws Exception {
    for (int failing = 0; failing < CAPTURED.size(); failing++) {
      Stage bad = Stage.values()[failing];
      BackupPlan.Builder plan = host.plan(sink);
      for (Stage stage : Stage.values()) {
        plan.source(name(stage), stage == bad ? failing().at(stage) : noting(stage));
      }
      try (BackupEngine engine = host.with(plan.build()).open()) {
        assertThrows(BackupException.Source.class, () -> engine.backup(BackupRequest.full()));
        assertEquals(List.of(), engine.catalog().list(SnapshotFilter.all()), bad + " failed");
      }
    }
    try (BackupEngine engine = host.with(plan(1)).open()) {
      engine.backup(BackupRequest.full().named("whole")).requireGood();
      List<SnapshotSummary> snapshots = engine.catalog().list(SnapshotFilter.all());
      assertEquals(1, snapshots.size());
      assertEquals(
          CAPTURED, snapshots.get(0).captures().stream().map(c -> c.source().value()).toList());
    }
  }

  @Test
  void sources_are_restored_keys_first_and_what_the_database_refers_to_last() throws Exception {
    try (BackupEngine engine = host.with(plan(2)).open()) {
      engine.backup(BackupRequest.full().named("whole")).requireGood();
      events.clear();
      assertRestoredInOrder(engine, request(RESTORED));
    }
  }

  @Test
  void an_empty_machine_that_has_no_plan_restores_in_the_same_order() throws Exception {
    try (BackupEngine engine = host.with(plan(3)).open()) {
      engine.backup(BackupRequest.full().named("whole")).requireGood();
    }
    events.clear();
    try (BackupRepository repository = host.repository(owner)) {
      assertRestoredInOrder(repository, request(RESTORED));
    }
  }

  private void assertRestoredInOrder(BackupRepository repository, RestoreRequest request)
      throws BackupException {
    RestorePlan plan = repository.planRestore(request.with(owner));
    assertEquals(RESTORED, plan.parts().stream().map(p -> p.captured().source().value()).toList());
    assertEquals(List.of(), events, "planning touches nothing");
    repository.restore(plan, Confirmation.of(plan.digest()));
    assertEquals(
        Stream.of("stage ", "publish ", "settle ")
            .flatMap(step -> RESTORED.stream().map(step::concat))
            .toList(),
        events);
  }

  @Test
  void one_that_cannot_be_published_takes_all_back_newest_first() throws Exception {
    try (BackupEngine engine = host.with(plan(4)).open()) {
      engine.backup(BackupRequest.full().named("whole")).requireGood();
    }
    events.clear();
    RestoreRequest request =
        request(RESTORED).target("files", new ScriptedTarget("files", events).broken());
    try (BackupRepository repository = host.repository(owner)) {
      RestorePlan plan = repository.planRestore(request);
      var e =
          assertThrows(
              BackupException.Target.class,
              () -> repository.restore(plan, Confirmation.of(plan.digest())));
      assertTrue(e.getMessage().contains("files does not start"), e.getMessage());
    }
    assertEquals(
        List.of("publish keys", "publish secrets", "publish files"),
        events.stream().filter(s -> s.startsWith("publish")).toList());
    List<String> newestFirst = new ArrayList<>(RESTORED);
    Collections.reverse(newestFirst);
    assertEquals(
        newestFirst.stream().map("roll back "::concat).toList(),
        events.stream().filter(s -> s.startsWith("roll back")).toList());
    assertEquals("roll back keys", events.get(events.size() - 1));
  }

  @Test
  void what_several_targets_need_on_one_file_system_adds_up() throws Exception {
    try (BackupEngine engine = host.with(plan(5)).open()) {
      engine.backup(BackupRequest.full().named("whole")).requireGood();
    }
    long most = (long) (0.6 * Files.getFileStore(root).getUsableSpace());
    Path deep = root.resolve("not/there/yet");
    RestoreRequest one =
        request(RESTORED).target("keys", new ScriptedTarget("keys", events).needing(root, most));
    RestoreRequest two =
        one.target("files", new ScriptedTarget("files", events).needing(deep, most));
    try (BackupRepository repository = host.repository(owner)) {
      assertTrue(repository.planRestore(one).isPossible());
      RestorePlan plan = repository.planRestore(two);
      assertEquals(1, plan.blockers().size(), plan.describe());
      assertSame(CoreFailure.TARGET_FAILED, plan.blockers().get(0).code());
      assertEquals(deep.toString(), plan.blockers().get(0).subject());
    }
  }

  /** A source for each stage, in an order that depends on the seed. */
  private BackupPlan plan(long seed) {
    List<Stage> stages = new ArrayList<>(List.of(Stage.values()));
    Collections.shuffle(stages, new Random(seed));
    BackupPlan.Builder plan = host.plan(sink);
    for (Stage stage : stages) {
      plan.source(name(stage), noting(stage), s -> s.component(component(stage)));
    }
    return plan.build();
  }

  private ScriptedSource noting(Stage stage) {
    return ScriptedSource.capturing(
            session -> {
              events.add(name(stage));
              session.artifact(
                  ArtifactName.of("a"),
                  Form.CONTENT,
                  out -> out.write(Fixture.random(stage.ordinal(), 1000)));
            })
        .at(stage);
  }

  private static ScriptedSource failing() {
    return ScriptedSource.capturing(
        session -> {
          throw new IOException("disk on fire");
        });
  }

  private RestoreRequest request(List<String> sources) {
    RestoreRequest request = RestoreRequest.of(WHOLE);
    for (String source : sources) {
      request = request.target(source, new ScriptedTarget(source, events));
    }
    return request;
  }

  private static String name(Stage stage) {
    return stage.name().toLowerCase(Locale.ROOT);
  }

  private static Component component(Stage stage) {
    return switch (stage) {
      case DATABASE, DOCUMENTS -> Component.DATABASE;
      case OBJECTS -> Component.EVIDENCE;
      case FILES -> Component.CONFIG;
      case SECRETS -> Component.SECRETS;
      case KEYS -> Component.KEYS;
    };
  }
}
