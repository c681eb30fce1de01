package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepairReport;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.RepairPlan;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.MemorySink;

/** What somebody deleted or replaced in a store that keeps versions is named, and comes back. */
class HiddenObjectsIT {
  @TempDir Path root;
  private DamagedRepository repository;
  private SortedMap<ObjectName, byte[]> whole;
  private final BytesSource first = BytesSource.of("a", Fixture.random(1, 100_000));
  private final BytesSource second = BytesSource.of("a", Fixture.random(2, 100_000));

  @BeforeEach
  void twoSnapshots() throws IOException {
    repository = new DamagedRepository(root);
    repository.fill(first, second);
    whole = repository.sink.snapshot();
  }

  @AfterEach
  void closed() {
    repository.close();
  }

  private BackupEngine engine(VersionedPlace place) throws IOException {
    BackupPlan plan =
        BackupPlan.named("test")
            .source("files", second)
            .encryptTo(repository.owner.recipient())
            .writer(repository.keys)
            .sink(place.sink())
            .build();
    return BackupEngine.with(plan).clock(repository.clock()).executor(Runnable::run).open();
  }

  /** One of each kind, and the newest entry of each log, which nothing names. */
  private List<ObjectName> kinds() throws IOException {
    List<ObjectName> kinds = new ArrayList<>();
    for (String kind : List.of("/packs/", "/lists/", "/manifests/", "/state/", "keys/")) {
      kinds.add(repository.named(kind).get(0));
    }
    for (String log : List.of("log/host-a/", "log/verify/")) {
      List<ObjectName> entries = repository.named(log);
      kinds.add(entries.get(0));
      kinds.add(entries.get(entries.size() - 1));
    }
    return kinds;
  }

  /** Everything that is stored again, as often as it takes. */
  private static List<ObjectName> repair(BackupEngine engine) throws IOException {
    List<ObjectName> stored = new ArrayList<>();
    RepairReport report;
    do {
      RepairPlan plan = engine.planRepair(RepairRequest.of(Verification.stored()));
      assertTrue(plan.steps().stream().allMatch(RepairPlan.Step::isBroughtBack), plan::describe);
      report = engine.repair(plan, Confirmation.of(plan.digest()));
      assertEquals(List.of(), report.failed());
      stored.addAll(report.stored());
    } while (report.isToBeRepeated() && stored.size() < 200);
    return stored;
  }

  private static List<String> hidden(RepositoryReport report) {
    return report.damage().stream()
        .filter(f -> f.code() == CoreFailure.OBJECT_HIDDEN)
        .map(Finding::subject)
        .toList();
  }

  private void requireWhole(MemorySink sink) throws IOException {
    for (Map.Entry<ObjectName, byte[]> object : whole.entrySet()) {
      assertArrayEquals(
          object.getValue(), sink.raw().read(object.getKey()), object.getKey()::toString);
    }
    assertTrue(repository.checkStored(sink).isIntact());
  }

  @Test
  void what_was_deleted_is_named_with_its_time_and_brought_back() throws IOException {
    for (ObjectName victim : kinds()) {
      MemorySink sink = DamagedRepository.of(whole);
      VersionedPlace place = new VersionedPlace(sink);
      place.delete(victim);
      try (BackupEngine engine = engine(place)) {
        RepositoryReport found = engine.check(Verification.structure());
        assertEquals(List.of(victim.value()), hidden(found), found.damage().toString());
        assertTrue(
            found.damage().stream().anyMatch(f -> f.found().contains("deleted at 2026-11-21T03")),
            found.damage().toString());

        assertEquals(List.of(victim), repair(engine));
      }
      requireWhole(sink);
    }
  }

  @Test
  void what_was_replaced_is_brought_back_as_it_was_signed_whatever_came_after() throws IOException {
    for (ObjectName victim : kinds()) {
      MemorySink sink = DamagedRepository.of(whole);
      VersionedPlace place = new VersionedPlace(sink);
      byte[] changed = sink.raw().read(victim);
      changed[changed.length / 2] ^= 1;
      place.replace(victim, changed);
      place.replace(victim, "something else".getBytes(StandardCharsets.UTF_8));
      try (BackupEngine engine = engine(place)) {
        RepositoryReport found = engine.check(Verification.stored());
        assertEquals(List.of(victim.value()), hidden(found), found.damage().toString());
        assertTrue(
            found.damage().stream().anyMatch(f -> f.found().contains("replaced at")),
            found.damage().toString());

        assertEquals(List.of(victim), repair(engine));
      }
      requireWhole(sink);
    }
  }

  @Test
  void a_whole_log_that_was_deleted_comes_back() throws IOException {
    MemorySink sink = DamagedRepository.of(whole);
    VersionedPlace place = new VersionedPlace(sink);
    for (ObjectName entry : repository.named("log/verify/")) {
      place.delete(entry);
    }
    try (BackupEngine engine = engine(place)) {
      repair(engine);
    }
    requireWhole(sink);
  }

  @Test
  void a_repository_of_which_everything_was_deleted_comes_back_whole() throws IOException {
    MemorySink sink = DamagedRepository.of(whole);
    VersionedPlace place = new VersionedPlace(sink);
    for (ObjectName name : whole.keySet()) {
      place.delete(name);
    }
    BackupRepository.Access access = repository.access(place.sink());

    var e = assertThrows(BackupException.Refused.class, access::open);

    assertEquals(CoreFailure.OBJECT_HIDDEN, e.code(), e.getMessage());
    assertTrue(access.undelete());
    assertFalse(access.undelete(), "once is enough");
    try (BackupEngine engine = engine(place)) {
      repair(engine);
    }
    requireWhole(sink);
  }

  @Test
  void a_version_with_other_bytes_than_were_signed_is_not_brought_back() throws IOException {
    MemorySink sink = DamagedRepository.of(whole);
    VersionedPlace place = new VersionedPlace(sink);
    ObjectName victim = repository.named("/packs/").get(0);
    byte[] changed = sink.raw().read(victim);
    changed[0] ^= 1;
    sink.raw().write(victim, changed);
    place.delete(victim);
    try (BackupEngine engine = engine(place)) {
      RepairPlan plan = engine.planRepair(RepairRequest.of(Verification.stored()));

      assertEquals(List.of(), plan.steps());
      assertFalse(plan.unrepaired().isEmpty());
    }
  }

  @Test
  void what_is_as_it_should_be_is_not_called_hidden() throws IOException {
    MemorySink sink = DamagedRepository.of(whole);
    VersionedPlace place = new VersionedPlace(sink);
    ObjectName pack = repository.named("/packs/").get(0);
    byte[] same = sink.raw().read(pack);
    place.replace(pack, same);
    try (BackupEngine engine = engine(place)) {
      RepositoryReport found = engine.check(Verification.stored());

      assertTrue(found.isIntact(), found.damage().toString());
    }
  }
}
