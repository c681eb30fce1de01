package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepairReport;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RepairPlan;
import org.stellaops.backup.plan.RepairRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.Damage;
import org.stellaops.backup.testkit.MemorySink;
import org.stellaops.backup.testkit.RawObjects;

/** What a repair stores again, what it says is lost, and that it never removes anything. */
class RepairIT {
  @TempDir Path root;
  private DamagedRepository repository;
  private List<BackupReport> snapshots;
  private final BytesSource first = BytesSource.of("a", Fixture.random(1, 100_000));
  private final BytesSource second = BytesSource.of("a", Fixture.random(2, 100_000));

  @BeforeEach
  void twoSnapshots() throws IOException {
    repository = new DamagedRepository(root);
    snapshots = repository.fill(first, second);
  }

  @AfterEach
  void closed() {
    repository.close();
  }

  private BackupEngine engine(BackupSink sink) throws IOException {
    BackupPlan plan =
        BackupPlan.named("test")
            .source("files", second)
            .encryptTo(repository.owner.recipient())
            .writer(repository.keys)
            .sink(sink)
            .build();
    return BackupEngine.with(plan).clock(repository.clock()).executor(Runnable::run).open();
  }

  private static RepairRequest from(ObjectLocation... copies) {
    RepairRequest request = RepairRequest.of(Verification.stored());
    for (ObjectLocation copy : copies) {
      request = request.from(copy);
    }
    return request;
  }

  /** As often as it takes: a list that was lost hid what it names. */
  private static RepairReport repair(BackupEngine engine, RepairRequest request)
      throws BackupException {
    RepairReport report = repairOnce(engine, request);
    for (int rounds = 1; report.isToBeRepeated(); rounds++) {
      assertTrue(rounds < 4, report.toString());
      report = repairOnce(engine, request);
    }
    return report;
  }

  private static RepairReport repairOnce(BackupEngine engine, RepairRequest request)
      throws BackupException {
    RepairPlan plan = engine.planRepair(request);
    return engine.repair(plan, Confirmation.of(plan.digest()));
  }

  /** One of each kind whose bytes were signed. */
  private List<ObjectName> kinds() throws IOException {
    List<ObjectName> kinds = new ArrayList<>();
    for (String kind :
        List.of("/packs/", "/lists/", "/manifests/", "/state/", "keys/", "log/host-a/")) {
      kinds.add(repository.named(kind).get(0));
    }
    return kinds;
  }

  private static void assertSame(
      SortedMap<ObjectName, byte[]> expected, RawObjects found, String why) throws IOException {
    for (Map.Entry<ObjectName, byte[]> object : expected.entrySet()) {
      assertArrayEquals(object.getValue(), found.read(object.getKey()), why + object.getKey());
    }
  }

  @Test
  void what_is_missing_is_stored_again_byte_for_byte() throws IOException {
    MemorySink copy = repository.copy();
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    for (ObjectName victim : kinds()) {
      MemorySink sink = DamagedRepository.of(whole);
      sink.raw().remove(victim);
      try (BackupEngine engine = engine(sink)) {
        RepairPlan plan = engine.planRepair(from(copy));
        assertEquals(List.of(victim), plan.steps().stream().map(RepairPlan.Step::object).toList());
        assertEquals(List.of(), plan.lost(), plan.describe());
        assertFalse(sink.raw().names().contains(victim), "a plan changes nothing");
        RepairReport report = engine.repair(plan, Confirmation.of(plan.digest()));
        assertEquals(List.of(victim), report.stored());
        boolean namesMore = !victim.value().endsWith(".age");
        assertEquals(!namesMore, report.isWhole(), report.toString());
        assertTrue(repair(engine, from(copy)).isWhole(), report.toString());
      }
      assertEquals(whole.keySet(), sink.snapshot().keySet());
      assertSame(whole, sink.raw(), victim + " ");
      assertTrue(repository.checkStored(sink).isIntact());
    }
  }

  @Test
  void what_is_damaged_is_set_aside_in_a_directory() throws IOException {
    MemorySink copy = repository.copy();
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    int number = 0;
    for (ObjectName victim : kinds()) {
      Path place = Files.createDirectory(root.resolve("directory-" + ++number));
      RawObjects raw = RawObjects.in(place, n -> !n.value().startsWith("tmp/"));
      for (Map.Entry<ObjectName, byte[]> object : whole.entrySet()) {
        raw.write(object.getKey(), object.getValue());
      }
      Damage.flip(victim, 50, 1).inflict(raw);
      byte[] damaged = raw.read(victim);
      try (BackupEngine engine = engine(DirectorySink.at(place))) {
        RepairReport report = repair(engine, from(copy));
        assertTrue(report.isWhole(), report.toString());
        RepositoryReport now = engine.check(Verification.full(repository.owner));
        assertTrue(now.isIntact(), now.toString());
        ObjectName aside = ObjectName.of(victim + ".damaged");
        assertEquals(List.of(aside), now.unnamed().some());
        assertArrayEquals(damaged, raw.read(aside), "nothing is removed");
        Damage.flip(victim, 51, 1).inflict(raw);
        assertTrue(repair(engine, from(copy)).isWhole());
        assertTrue(raw.names().contains(ObjectName.of(victim + ".damaged-2")));
      }
      assertSame(whole, raw, victim + " ");
    }
  }

  @Test
  void where_nothing_can_be_set_aside_it_says_what_to_do() throws IOException {
    MemorySink copy = repository.copy();
    ObjectName pack = repository.named("/packs/").get(0);
    Damage.truncate(pack, 100).inflict(repository.raw());
    SortedMap<ObjectName, byte[]> before = repository.sink.snapshot();
    BackupSink plain = repository.sink.with(store -> new ForwardingStore(store) {});
    try (BackupEngine engine = engine(plain)) {
      RepairPlan plan = engine.planRepair(from(copy));
      assertEquals(List.of(), plan.steps());
      assertEquals(1, plan.unrepaired().size());
      assertTrue(plan.unrepaired().get(0).found().contains("move it away"), plan.describe());
      assertEquals(1, plan.lost().size());
      repair(engine, from(copy));
      repository.raw().remove(pack);
      assertTrue(repair(engine, from(copy)).isWhole());
    }
    before.remove(pack);
    assertSame(before, repository.raw(), "");
  }

  @Test
  void what_no_copy_has_is_lost_by_name_with_the_newer_one_that_has_it() throws IOException {
    ObjectName pack = packOf(1);
    MemorySink copy = repository.copy();
    Damage.flip(pack, 70, 1).inflict(copy.raw());
    repository.raw().remove(pack);
    SortedMap<ObjectName, byte[]> before = repository.sink.snapshot();
    try (BackupEngine engine = engine(repository.sink)) {
      RepairPlan plan = engine.planRepair(from(copy));
      assertEquals(List.of(), plan.steps(), "a copy that is damaged too is no source");
      assertEquals(1, plan.lost().size(), plan.describe());
      var lost = plan.lost().get(0);
      assertEquals(snapshots.get(0).snapshot(), lost.snapshot());
      assertEquals("files", lost.source().value());
      assertEquals(Optional.of("snapshot-2"), lost.newer().map(n -> n.value()));
      assertTrue(plan.describe().contains("snapshot-2 still has it"), plan.describe());
      RepairReport report = engine.repair(plan, Confirmation.of(plan.digest()));
      assertFalse(report.isWhole());
      assertEquals(plan.lost(), report.lost());
    }
    assertSame(before, repository.raw(), "");
    Damage.drop(packOf(2)).inflict(repository.raw());
    try (BackupEngine engine = engine(repository.sink)) {
      RepairPlan both = engine.planRepair(from());
      assertEquals(2, both.lost().size());
      assertTrue(both.lost().stream().allMatch(l -> l.newer().isEmpty()), both.describe());
      RepairPlan second = engine.planRepair(from(copy));
      assertEquals(1, second.steps().size(), second.describe());
      assertEquals(1, second.lost().size());
    }
  }

  /** The pack that a snapshot made; before the entry of each is that of its run. */
  private ObjectName packOf(int snapshot) throws IOException {
    String entry =
        new String(
            repository.raw().read(ObjectName.of("log/host-a/%010d.entry".formatted(2 * snapshot))),
            "US-ASCII");
    String list =
        entry.lines().filter(l -> l.contains("  w/host-a/lists/")).findFirst().orElseThrow();
    String packs = new String(repository.raw().read(ObjectName.of(list.substring(66))), "US-ASCII");
    return ObjectName.of(packs.lines().findFirst().orElseThrow().substring(66));
  }

  @Test
  void the_newest_entry_of_a_log_is_taken_from_a_copy_if_who_signed_it_counts() throws Exception {
    MemorySink copy = repository.copy();
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    ObjectName newest = ObjectName.of("log/host-a/0000000004.entry");
    for (Damage damage : List.of(Damage.drop(newest), Damage.flip(newest, 50, 1))) {
      MemorySink sink = DamagedRepository.of(whole);
      damage.inflict(sink.raw());
      try (BackupEngine engine = engine(sink)) {
        assertTrue(repair(engine, from(copy)).isWhole(), damage.toString());
      }
      assertSame(whole, sink.raw(), damage + " ");
      assertTrue(repository.checkStored(sink).isIntact());
    }
    WriterKeyFile stranger = WriterKeyFile.at(root.resolve("stranger.key")).named("host-a");
    String forged =
        Forgery.same(new String(whole.get(newest), StandardCharsets.US_ASCII)).signedBy(stranger);
    copy.raw().write(newest, forged.getBytes(StandardCharsets.US_ASCII));
    MemorySink sink = DamagedRepository.of(whole);
    sink.raw().remove(newest);
    try (BackupEngine engine = engine(sink)) {
      RepairPlan plan = engine.planRepair(from(copy));
      assertEquals(List.of(), plan.steps(), plan.describe());
      assertFalse(plan.unrepaired().isEmpty());
    }
  }

  @Test
  void the_files_that_are_the_same_everywhere_need_no_copy() throws IOException {
    SortedMap<ObjectName, byte[]> whole = repository.sink.snapshot();
    repository.raw().remove(ObjectName.of("FORMAT.txt"));
    Damage.flip(ObjectName.of("recover.sh"), 50, 1).inflict(repository.raw());
    try (BackupEngine engine = engine(repository.sink)) {
      RepairReport report = repair(engine, from());
      assertTrue(report.isWhole(), report.toString());
      assertEquals(2, report.stored().size());
    }
    assertSame(whole, repository.raw(), "");
  }

  @Test
  void the_second_copy_is_asked_when_the_first_is_damaged_too() throws IOException {
    MemorySink bad = repository.copy();
    MemorySink good = repository.copy();
    MemorySink empty = new MemorySink();
    ObjectName pack = packOf(2);
    Damage.flip(pack, 70, 1).inflict(bad.raw());
    repository.raw().remove(pack);
    try (BackupEngine engine = engine(repository.sink)) {
      RepairPlan plan = engine.planRepair(from(empty, bad, good));
      assertEquals(2, plan.steps().get(0).copy());
      assertTrue(repair(engine, from(empty, bad, good)).isWhole());
    }
  }

  @Test
  void a_copy_that_changes_after_it_was_planned_stores_nothing_wrong() throws IOException {
    MemorySink copy = repository.copy();
    ObjectName pack = packOf(2);
    repository.raw().remove(pack);
    try (BackupEngine engine = engine(repository.sink)) {
      RepairPlan plan = engine.planRepair(from(copy));
      Damage.flip(pack, 70, 1).inflict(copy.raw());
      RepairReport report = engine.repair(plan, Confirmation.of(plan.digest()));
      assertEquals(List.of(), report.stored());
      assertEquals(1, report.failed().size(), report.toString());
      assertFalse(repository.raw().names().contains(pack));
    }
  }

  @Test
  void consent_is_to_one_plan() throws IOException {
    MemorySink copy = repository.copy();
    repository.raw().remove(packOf(2));
    try (BackupEngine engine = engine(repository.sink)) {
      RepairPlan plan = engine.planRepair(from(copy));
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> engine.repair(plan, Confirmation.of(Digest.ofContent(new byte[1]))));
      assertEquals(CoreFailure.PLAN_STALE, refused.code());
    }
  }

  /** Whatever call fails, before or after it is done, the next repair makes it whole. */
  @Test
  void a_repair_that_failed_anywhere_is_done_again() throws IOException {
    MemorySink copy = repository.copy();
    SortedMap<ObjectName, byte[]> whole = copy.snapshot();
    List<ObjectName> victims = kinds();
    AtomicInteger operations = new AtomicInteger();
    run(whole, victims, copy, Integer.MAX_VALUE, operations);
    int all = operations.get();
    assertTrue(all > 10, "operations of a repair: " + all);
    for (int failing = 1; failing <= all; failing += 4) {
      MemorySink sink = run(whole, victims, copy, failing, new AtomicInteger());
      try (BackupEngine engine = engine(sink)) {
        RepairReport again = repair(engine, from(copy));
        assertTrue(again.isWhole(), failing + ": " + again);
      }
      assertEquals(whole.keySet(), sink.snapshot().keySet());
      assertSame(whole, sink.raw(), failing + " ");
    }
  }

  /** From this operation on the store is gone, as when the process is killed. */
  private MemorySink run(
      SortedMap<ObjectName, byte[]> whole,
      List<ObjectName> victims,
      MemorySink copy,
      int failing,
      AtomicInteger operations)
      throws IOException {
    MemorySink sink = DamagedRepository.of(whole);
    for (ObjectName victim : victims) {
      sink.raw().remove(victim);
    }
    RepairPlan plan;
    try (BackupEngine engine = engine(sink)) {
      plan = engine.planRepair(from(copy));
    }
    BackupSink dying =
        HookedStore.on(
            sink,
            operation -> {
              assertFalse(operation.startsWith("delete "), operation);
              if (operations.incrementAndGet() >= failing) {
                throw new IOException("gone at " + operation);
              }
            });
    try (BackupEngine engine = engine(dying)) {
      engine.repair(plan, Confirmation.of(plan.digest()));
    } catch (BackupException.Sink e) {
      assertTrue(operations.get() >= failing, e.toString());
    }
    return sink;
  }

  @Test
  void what_the_source_still_has_is_stored_again_by_the_next_backup() throws IOException {
    for (String damage : List.of("flip", "drop")) {
      MemorySink sink = repository.copy();
      ObjectName pack = packOf(2);
      (damage.equals("flip") ? Damage.flip(pack, 5_000, 3) : Damage.drop(pack)).inflict(sink.raw());
      try (BackupEngine engine = engine(sink)) {
        assertFalse(engine.check(Verification.stored()).isIntact());
        var next = engine.backup(BackupRequest.full()).requireGood();
        assertTrue(engine.verify(next.snapshot(), Verification.full(repository.owner)).isIntact());
        RepairPlan plan = engine.planRepair(from());
        assertEquals(
            List.of(snapshots.get(1).snapshot()),
            plan.lost().stream().map(l -> l.snapshot()).toList());
        assertEquals(
            Optional.of(next.name()),
            plan.lost().get(0).newer(),
            "the newer one has it: " + damage);
      }
      assertTrue(sink.snapshot().keySet().containsAll(without(pack, damage)));
      try (BackupRepository reader = repository.open(sink)) {
        assertEquals(List.of(), reader.catalog().damage());
        assertEquals(3, reader.catalog().list(SnapshotFilter.all()).size());
        assertTrue(reader.verify(SnapshotRef.named("snapshot-1")).isIntact());
      }
    }
  }

  private List<ObjectName> without(ObjectName pack, String damage) throws IOException {
    List<ObjectName> names = new ArrayList<>(repository.raw().names());
    if (damage.equals("drop")) {
      names.remove(pack);
    }
    return names;
  }
}
