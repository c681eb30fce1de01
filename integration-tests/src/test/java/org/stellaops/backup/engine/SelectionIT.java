package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.testkit.MemorySink;

/**
 * A plan with two sources of one component, one of a component that we never heard of, and some
 * more; what a caller means by a name, and what is restored then.
 */
class SelectionIT {
  private static final SnapshotRef WHOLE = SnapshotRef.named("whole");
  private static final Map<String, BytesSource> SOURCES = new LinkedHashMap<>();

  static {
    SOURCES.put("a", new BytesSource("config").with("app.yaml", Fixture.random(1, 3_000)));
    SOURCES.put("b", new BytesSource("config").with("app.yaml", Fixture.random(2, 4_000)));
    SOURCES.put("main", new BytesSource("database").with("base.tar", Fixture.random(3, 50_000)));
    SOURCES.put("locker", new BytesSource("evidence").with("objects", Fixture.random(4, 9_000)));
    SOURCES.put("env", new BytesSource("secrets").with(".env", Fixture.random(5, 100)));
    SOURCES.put("acme", new BytesSource("Acme.Ledger_2").with("ledger", Fixture.random(6, 7_000)));
  }

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final Map<String, BytesSource.Target> targets = new LinkedHashMap<>();
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void backUpEverything() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    try (BackupEngine engine = host.with(plan()).open()) {
      engine.backup(BackupRequest.full().named("whole")).requireGood();
    }
    SOURCES.keySet().forEach(name -> targets.put(name, new BytesSource.Target()));
  }

  @AfterEach
  void nothingIsLeft() {
    owner.close();
    sink.assertNothingOpen();
  }

  private BackupPlan plan() {
    BackupPlan.Builder plan = host.plan(sink);
    SOURCES.forEach(plan::source);
    return plan.build();
  }

  @Test
  void a_component_of_the_callers_own_is_listed_selected_and_restored() throws Exception {
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(
          List.of("whole"),
          repository.catalog().list(SnapshotFilter.all().holding("Acme.Ledger_2")).stream()
              .map(s -> s.name().value())
              .toList());
    }
    restore("acme", "Acme.Ledger_2");
    assertRestored(Set.of("acme"));
    try (BackupEngine engine = host.with(plan()).open()) {
      var report = engine.backup(BackupRequest.full().only("Acme.Ledger_2"));
      assertEquals(
          List.of("Acme.Ledger_2/acme"),
          report.captures().stream().map(c -> c.component() + "/" + c.source()).toList());
    }
  }

  @Test
  void each_component_is_restored_alone_and_nothing_else_is_touched() throws Exception {
    Map<String, String> sourceOf =
        Map.of("database", "main", "evidence", "locker", "secrets", "env");
    for (Map.Entry<String, String> one : sourceOf.entrySet()) {
      targets.replaceAll((name, target) -> new BytesSource.Target());
      restore(one.getValue(), one.getKey());
      assertRestored(Set.of(one.getValue()));
    }
  }

  @Test
  void one_of_two_sources_of_a_component_is_restored_by_its_name_or_its_path() throws Exception {
    for (String name : List.of("b", "config/b")) {
      targets.replaceAll((source, target) -> new BytesSource.Target());
      restore("b", name);
      assertRestored(Set.of("b"));
    }
  }

  @Test
  void several_are_restored_and_the_rest_stays() throws Exception {
    RestoreRequest request = RestoreRequest.of(WHOLE).only("config/a", "secrets", "config/b");
    for (String source : List.of("a", "b", "env")) {
      request = request.target(source, targets.get(source));
    }
    restore(request);
    assertRestored(Set.of("a", "b", "env"));
  }

  @Test
  void a_component_of_two_sources_is_refused_with_both_of_them() throws Exception {
    RestoreRequest request = withAllTargets().only("config");
    try (BackupRepository repository = host.repository(owner)) {
      var e = assertThrows(BackupException.Refused.class, () -> repository.planRestore(request));
      assertSame(CoreFailure.AMBIGUOUS, e.code());
      assertTrue(e.getMessage().contains("[config/a, config/b]"), e.getMessage());
    }
    assertRestored(Set.of());
    try (BackupEngine engine = host.with(plan()).open()) {
      var before = sink.snapshot().keySet();
      var e =
          assertThrows(
              BackupException.Refused.class,
              () -> engine.backup(BackupRequest.full().only("config")));
      assertSame(CoreFailure.AMBIGUOUS, e.code());
      assertEquals(before, sink.snapshot().keySet());
    }
  }

  @Test
  void a_component_that_the_snapshot_does_not_hold_is_refused_with_those_it_does()
      throws Exception {
    try (BackupEngine engine = host.with(plan()).open()) {
      engine.backup(BackupRequest.full().named("part").only("secrets", "config/a"));
    }
    RestoreRequest request =
        RestoreRequest.of(SnapshotRef.named("part"))
            .only("database")
            .target("main", targets.get("main"));
    try (BackupRepository repository = host.repository(owner)) {
      var e = assertThrows(BackupException.Refused.class, () -> repository.planRestore(request));
      assertSame(CoreFailure.NOT_FOUND, e.code());
      assertTrue(e.getMessage().contains("config/a"), e.getMessage());
      assertTrue(e.getMessage().contains("secrets/env"), e.getMessage());
      assertFalse(e.getMessage().contains("config/b"), e.getMessage());
    }
  }

  @Test
  void a_target_for_what_is_not_restored_is_a_blocker_and_nothing_is_touched() throws Exception {
    RestoreRequest request =
        RestoreRequest.of(WHOLE)
            .only("config/b")
            .target("a", targets.get("a"))
            .target("b", targets.get("b"));
    try (BackupRepository repository = host.repository(owner)) {
      RestorePlan plan = repository.planRestore(request);
      assertEquals(
          List.of(
              new Finding(CoreFailure.NOT_FOUND, "a", "has a target, but the restore is of [b]")),
          plan.blockers());
      var e =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.restore(plan, Confirmation.of(plan.digest())));
      assertSame(CoreFailure.BLOCKED, e.code());
    }
    assertRestored(Set.of());
  }

  @Test
  void everything_is_restored_if_nothing_was_chosen() throws Exception {
    restore(withAllTargets());
    assertRestored(SOURCES.keySet());
  }

  private RestoreRequest withAllTargets() {
    RestoreRequest request = RestoreRequest.of(WHOLE);
    for (Map.Entry<String, BytesSource.Target> target : targets.entrySet()) {
      request = request.target(target.getKey(), target.getValue());
    }
    return request;
  }

  private void restore(String source, String only) throws IOException {
    restore(RestoreRequest.of(WHOLE).only(only).target(source, targets.get(source)));
  }

  private void restore(RestoreRequest request) throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      RestorePlan plan = repository.planRestore(request);
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
  }

  private void assertRestored(Set<String> expected) {
    targets.forEach(
        (name, target) -> {
          Map<String, byte[]> captured =
              expected.contains(name) ? SOURCES.get(name).artifacts() : Map.of();
          assertEquals(captured.keySet(), target.staged.keySet(), name);
          assertEquals(captured.keySet(), target.restored.keySet(), name);
          captured.forEach(
              (artifact, bytes) -> assertArrayEquals(bytes, target.restored.get(artifact), name));
        });
  }
}
