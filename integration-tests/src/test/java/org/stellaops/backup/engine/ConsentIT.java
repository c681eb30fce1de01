package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotRef.Quality;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.RestoreTarget;

/** Consent is to one plan, and to the world as it was when the plan was shown. */
class ConsentIT {
  private static final ObjectName ENTRY = ObjectName.of("log/host-a/0000000002.entry");

  @TempDir Path root;
  private final List<String> events = new ArrayList<>();
  private final ScriptedTarget target = new ScriptedTarget("here", events);
  private DamagedRepository repository;

  @BeforeEach
  void oneSnapshot() throws IOException {
    repository = new DamagedRepository(root);
    repository.backup("first", BytesSource.of("a", Fixture.random(1, 5_000)));
  }

  @AfterEach
  void nothingIsLeft() {
    repository.close();
    repository.sink.assertNothingOpen();
  }

  private RestoreRequest request(SnapshotRef snapshot, RestoreTarget to) {
    return RestoreRequest.of(snapshot).with(repository.owner).target("files", to);
  }

  private RestoreRequest request() {
    return request(SnapshotRef.named("first"), target);
  }

  private static CoreFailure refusal(
      BackupRepository opened, RestorePlan plan, Confirmation consent) {
    var e = assertThrows(BackupException.Refused.class, () -> opened.restore(plan, consent));
    return (CoreFailure) e.code();
  }

  @Test
  void a_plan_that_nothing_changed_is_carried_out() throws Exception {
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan = opened.planRestore(request());
      assertEquals(plan.digest(), opened.planRestore(request()).digest());
      opened.restore(plan, Confirmation.of(plan.digest()).by("operator", "drill"));
      assertEquals(List.of("stage here", "publish here", "settle here"), events);
    }
  }

  @Test
  void consent_to_another_plan_is_refused_before_anything_is_touched() throws Exception {
    repository.backup("second", BytesSource.of("a", Fixture.random(2, 5_000)));
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan = opened.planRestore(request());
      List<RestorePlan> others =
          List.of(
              opened.planRestore(request(SnapshotRef.named("second"), target)),
              opened.planRestore(
                  request(SnapshotRef.named("first"), new ScriptedTarget("there", events))),
              opened.planRestore(
                  RestoreRequest.of(SnapshotRef.named("first")).with(repository.owner)));
      Set<Digest> digests = new HashSet<>(Set.of(plan.digest()));
      for (RestorePlan other : others) {
        assertTrue(digests.add(other.digest()), "two plans of one digest: " + other.describe());
        assertSame(CoreFailure.PLAN_STALE, refusal(opened, plan, Confirmation.of(other.digest())));
      }
      assertEquals(List.of(), events);
    }
  }

  @Test
  void a_target_that_changed_since_makes_the_plan_stale() throws Exception {
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan = opened.planRestore(request());
      target.now(Occupancy.LIVE, "nothing");
      assertSame(CoreFailure.PLAN_STALE, refusal(opened, plan, Confirmation.of(plan.digest())));
      target.now(Occupancy.EMPTY, "somebody else's");
      var e =
          assertThrows(
              BackupException.Refused.class,
              () -> opened.restore(plan, Confirmation.of(plan.digest())));
      assertSame(CoreFailure.PLAN_STALE, e.code());
      assertTrue(e.getMessage().contains("now: somebody else's"), e.getMessage());
      assertEquals(List.of(), events);
      target.now(Occupancy.EMPTY, "nothing");
      opened.restore(plan, Confirmation.of(plan.digest()));
    }
  }

  @Test
  void a_file_that_appeared_in_a_real_directory_makes_the_plan_stale_and_stays() throws Exception {
    Path tree = Files.createDirectory(root.resolve("tree"));
    Files.writeString(tree.resolve("app.yaml"), "captured");
    try (var engine = repository.engine(FileSource.in(tree).include("**"))) {
      engine.backup(BackupRequest.full().named("files"));
    }
    Path live = root.resolve("live");
    for (FileTarget to : List.of(FileTarget.at(live), FileTarget.at(live).replace())) {
      try (BackupRepository opened = repository.open()) {
        RestorePlan plan = opened.planRestore(request(SnapshotRef.named("files"), to));
        assertTrue(plan.isPossible(), plan.describe());
        Files.createDirectories(live);
        Files.writeString(live.resolve("app.yaml"), "somebody else's");
        assertSame(CoreFailure.PLAN_STALE, refusal(opened, plan, Confirmation.of(plan.digest())));
      }
      assertEquals("somebody else's", Files.readString(live.resolve("app.yaml")));
      try (var left = Files.list(live)) {
        assertEquals(1, left.count());
      }
      Files.delete(live.resolve("app.yaml"));
      Files.delete(live);
    }
  }

  @Test
  void what_was_the_newest_when_it_was_planned_is_what_is_restored() throws Exception {
    var into = new BytesSource.Target();
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan = opened.planRestore(request(SnapshotRef.newest(Quality.GOOD), into));
      BackupReport newer = repository.backup("newer", BytesSource.of("a", new byte[7]));
      assertEquals(newer.snapshot(), opened.catalog().info(SnapshotRef.newest(Quality.GOOD)).id());
      opened.restore(plan, Confirmation.of(plan.digest()));
    }
    assertArrayEquals(Fixture.random(1, 5_000), into.restored.get("a"));
  }

  @Test
  void an_entry_that_was_written_anew_makes_the_plan_stale() throws Exception {
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan = opened.planRestore(request());
      String entry = new String(repository.raw().read(ENTRY), StandardCharsets.US_ASCII);
      String another =
          Forgery.same(entry)
              .replace("# nonce: \\w+", "# nonce: " + "0".repeat(32))
              .signedBy(repository.keys);
      repository.raw().write(ENTRY, another.getBytes(StandardCharsets.US_ASCII));
      assertSame(CoreFailure.PLAN_STALE, refusal(opened, plan, Confirmation.of(plan.digest())));
      assertEquals(List.of(), events);
    }
  }

  @Test
  void a_snapshot_that_is_gone_is_refused() throws Exception {
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan = opened.planRestore(request());
      repository.raw().remove(ENTRY);
      assertSame(CoreFailure.NOT_FOUND, refusal(opened, plan, Confirmation.of(plan.digest())));
      assertEquals(List.of(), events);
    }
  }

  @Test
  void consent_does_not_make_the_impossible_possible() throws Exception {
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan =
          opened.planRestore(RestoreRequest.of(SnapshotRef.named("first")).with(repository.owner));
      assertSame(CoreFailure.BLOCKED, refusal(opened, plan, Confirmation.of(plan.digest())));
    }
  }
}
