package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Progress;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.Sample;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupListener;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.Damage;
import org.stellaops.backup.testkit.MemorySink;

/** What each level of a check promises, and that it looks at everything once. */
class CheckIT {
  private static final int PARTS = 5;
  private static final long SEED = 11;

  @TempDir static Path root;
  private static DamagedRepository repository;
  private static List<BackupReport> snapshots;

  /** The first two share everything; the third has a pack of its own. */
  @BeforeAll
  static void threeSnapshots() throws IOException {
    repository = new DamagedRepository(root);
    byte[] shared = Fixture.random(1, 300_000);
    snapshots =
        repository.fill(
            BytesSource.of("a", shared),
            BytesSource.of("a", shared),
            BytesSource.of("a", Fixture.random(2, 300_000)));
  }

  @AfterAll
  static void closed() {
    repository.close();
  }

  private static RepositoryReport check(BackupSink sink, Verification depth)
      throws BackupException {
    try (BackupRepository opened = open(sink)) {
      return opened.check(depth);
    }
  }

  private static BackupRepository open(BackupSink sink, BackupListener... listeners)
      throws BackupException {
    BackupRepository.Access access =
        BackupRepository.at(sink)
            .trust(Trust.owner(repository.writer))
            .clock(repository.clock())
            .executor(Runnable::run);
    for (BackupListener listener : listeners) {
      access.listener(listener);
    }
    return access.open();
  }

  private static List<Verification> levels() {
    return List.of(
        Verification.structure(), Verification.stored(), Verification.full(repository.owner));
  }

  private static boolean isContent(ObjectName name) {
    return name.value().startsWith("w/") && name.value().endsWith(".age");
  }

  private static Set<ObjectName> contents() throws IOException {
    Set<ObjectName> contents = new HashSet<>(repository.raw().names());
    contents.removeIf(n -> !isContent(n));
    return contents;
  }

  @Test
  void a_whole_repository_is_intact_on_every_level() throws IOException {
    for (Verification level : levels()) {
      RepositoryReport report = check(repository.sink, level);
      assertTrue(report.isIntact(), report.toString());
      assertEquals(
          List.of(Verdict.INTACT, Verdict.INTACT, Verdict.INTACT),
          report.snapshots().stream().map(VerificationReport::verdict).toList());
      assertTrue(report.snapshots().stream().allMatch(s -> s.depth() == level.depth()));
      assertEquals(0, report.unnamed().objects(), report.unnamed().toString());
      assertEquals(contents().size() + named("/lists/").size(), report.objects());
    }
  }

  private static List<ObjectName> named(String part) throws IOException {
    return repository.named(part);
  }

  @Test
  void every_level_names_what_is_missing_or_has_another_size() throws IOException {
    MemorySink sink = repository.copy();
    int number = 0;
    for (ObjectName name : repository.raw().names()) {
      String path = name.value();
      boolean isNewest = path.equals("log/verify/0000000003.entry");
      if (path.equals("repository.json") || isNewest) {
        continue;
      }
      // There are at least three of each kind that has its size in its name.
      List<Damage> kinds =
          List.of(Damage.drop(name), Damage.truncate(name, 9), Damage.extend(name, new byte[3]));
      Damage damage = kinds.get(number++ % kinds.size());
      damage.during(
          sink.raw(),
          () -> {
            for (Verification level : levels()) {
              assertNames(check(sink, level).damage(), name, level.depth() + ": " + damage);
            }
          });
    }
  }

  private static void assertNames(List<Finding> findings, ObjectName name, String why) {
    assertTrue(
        findings.stream().anyMatch(f -> f.toString().contains(name.value())),
        () -> why + ": " + findings);
  }

  @Test
  void flipped_bits_of_entries_and_lists_are_structure_and_those_of_packs_are_not()
      throws IOException {
    MemorySink sink = repository.copy();
    for (ObjectName name : repository.raw().names()) {
      if (name.value().equals("repository.json")) {
        continue;
      }
      Damage flip = Damage.flip(name, repository.raw().lengthBytes(name) / 2, 3);
      flip.during(
          sink.raw(),
          () -> {
            assertNames(check(sink, Verification.stored()).damage(), name, flip.toString());
            List<Finding> structure = check(sink, Verification.structure()).damage();
            if (isContent(name)) {
              assertEquals(List.of(), structure, "the structure says nothing of bits");
            } else {
              assertNames(structure, name, flip.toString());
            }
          });
    }
  }

  @Test
  void damage_is_told_to_each_snapshot_that_needs_it_and_to_no_other() throws IOException {
    MemorySink sink = repository.copy();
    ObjectName shared = packOf(1);
    for (Damage damage : List.of(Damage.flip(shared, 5000, 1), Damage.drop(shared))) {
      damage.during(
          sink.raw(),
          () -> {
            RepositoryReport report = check(sink, Verification.full(repository.owner));
            Map<SnapshotRef, Verdict> verdicts = new TreeMap<>(byName());
            report.snapshots().forEach(s -> verdicts.put(s.snapshot(), s.verdict()));
            assertEquals(Verdict.DAMAGED, verdicts.get(snapshots.get(0).snapshot()));
            assertEquals(Verdict.DAMAGED, verdicts.get(snapshots.get(1).snapshot()));
            assertEquals(Verdict.INTACT, verdicts.get(snapshots.get(2).snapshot()));
            assertEquals(
                List.of(shared.value()), report.damage().stream().map(Finding::subject).toList());
          });
    }
  }

  private static Comparator<SnapshotRef> byName() {
    return Comparator.comparing(SnapshotRef::toString);
  }

  /** The pack that a snapshot made; before the entry of each is that of its run. */
  private static ObjectName packOf(int snapshot) throws IOException {
    String entry =
        new String(
            repository.raw().read(ObjectName.of("log/host-a/%010d.entry".formatted(2 * snapshot))),
            "US-ASCII");
    String list =
        entry.lines().filter(l -> l.contains("  w/host-a/lists/")).findFirst().orElseThrow();
    String packs = new String(repository.raw().read(ObjectName.of(list.substring(66))), "US-ASCII");
    return ObjectName.of(packs.lines().findFirst().orElseThrow().substring(66));
  }

  private static BackupSink counting(MemorySink sink, Map<String, Integer> opened) {
    return HookedStore.on(
        sink,
        operation -> {
          if (operation.startsWith("open ")) {
            opened.merge(operation.substring(5), 1, Integer::sum);
          }
        });
  }

  @Test
  void each_object_is_read_once_however_many_need_it() throws IOException {
    Map<String, Integer> opened = new ConcurrentHashMap<>();
    RepositoryReport report = check(counting(repository.copy(), opened), Verification.stored());
    long bytes = 0;
    for (ObjectName name : contents()) {
      assertEquals(1, opened.get(name.value()), name.value());
      bytes += repository.raw().lengthBytes(name);
    }
    for (ObjectName list : named("/lists/")) {
      bytes += repository.raw().lengthBytes(list);
    }
    assertEquals(bytes, report.bytes());
    opened.clear();
    check(counting(repository.copy(), opened), Verification.structure());
    assertTrue(
        opened.keySet().stream().noneMatch(n -> n.startsWith("w/") && n.endsWith(".age")),
        opened.toString());
  }

  @Test
  void the_parts_cover_everything_once() throws IOException {
    for (Verification level : List.of(Verification.stored(), Verification.full(repository.owner))) {
      List<String> packs = new ArrayList<>();
      Set<String> all = new HashSet<>();
      long objects = 0;
      for (int part = 1; part <= PARTS; part++) {
        Map<String, Integer> opened = new ConcurrentHashMap<>();
        Sample sample = Sample.of(part, PARTS, SEED);
        RepositoryReport report = check(counting(repository.copy(), opened), level.sample(sample));
        assertTrue(report.isIntact(), report.toString());
        assertTrue(report.snapshots().stream().allMatch(s -> s.samples().contains(sample)));
        opened.keySet().removeIf(n -> !isContent(ObjectName.of(n)));
        all.addAll(opened.keySet());
        opened.forEach(
            (name, times) -> {
              if (name.contains("/packs/")) {
                assertEquals(1, times, name);
                packs.add(name);
              }
            });
        objects += report.objects() - named("/lists/").size();
      }
      assertEquals(contents().size(), all.size());
      assertEquals(contents().size(), objects, "each is in one part");
      assertEquals(named("/packs/").size(), packs.size());
      assertEquals(packs.size(), new HashSet<>(packs).size());
    }
  }

  @Test
  void a_part_finds_what_is_damaged_in_it_and_everything_that_is_missing() throws IOException {
    MemorySink sink = repository.copy();
    ObjectName pack = packOf(3);
    for (Verification level : List.of(Verification.stored(), Verification.full(repository.owner))) {
      AtomicInteger found = new AtomicInteger();
      for (int part = 1; part <= PARTS; part++) {
        Sample sample = Sample.of(part, PARTS, SEED);
        Damage.flip(pack, 3000, 2)
            .during(
                sink.raw(),
                () -> {
                  RepositoryReport report = check(sink, level.sample(sample));
                  assertEquals(sample.holds(pack), !report.isIntact());
                  found.addAndGet(report.damage().size());
                });
        Damage.drop(pack)
            .during(
                sink.raw(),
                () -> {
                  RepositoryReport report = check(sink, level.sample(sample));
                  assertNames(report.damage(), pack, sample.toString());
                });
      }
      assertEquals(1, found.get());
    }
  }

  @Test
  void a_part_that_is_intact_makes_no_snapshot_a_verified_one() throws IOException {
    MemorySink sink = repository.copy();
    try (DamagedRepository other =
        new DamagedRepository(Files.createDirectory(root.resolve("other")), sink, "host-a")) {
      BytesSource source = BytesSource.of("a", new byte[100]);
      other.sink.reset(new TreeMap<>());
      other.backup("only", source);
      try (BackupEngine engine = other.engine(source)) {
        engine.check(Verification.structure());
        engine.check(Verification.stored().sample(Sample.of(1, 1, 0)));
        engine.verify(SnapshotRef.named("only"), Verification.structure());
        assertEquals(1, engine.catalog().list(SnapshotFilter.all().unverified()).size());
        ObjectName pack = other.only("/packs/");
        Damage.drop(pack)
            .during(
                other.raw(), () -> assertFalse(engine.check(Verification.structure()).isIntact()));
        var record = engine.catalog().info(SnapshotRef.named("only")).verification().orElseThrow();
        assertEquals(Verdict.DAMAGED, record.verdict());
        assertEquals(Depth.STRUCTURE, record.depth());
      }
    }
  }

  @Test
  void a_sample_of_the_structure_is_a_mistake() {
    assertThrows(
        IllegalStateException.class, () -> Verification.structure().sample(Sample.of(1, 2, 0)));
    for (int[] wrong : List.of(new int[] {0, 1}, new int[] {2, 1}, new int[] {1, 0})) {
      assertThrows(IllegalArgumentException.class, () -> Sample.of(wrong[0], wrong[1], 0));
    }
  }

  @Test
  void what_nothing_names_is_reported_and_stays() throws IOException {
    MemorySink sink = repository.copy();
    ObjectName orphan =
        ObjectName.of("w/host-a/packs/ab/ab" + "0".repeat(62) + "-" + 70_000 + ".age");
    sink.raw().write(orphan, new byte[70_000]);
    sink.raw().write(ObjectName.of("not-ours.txt"), new byte[10]);
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    for (Verification level : levels()) {
      RepositoryReport report = check(sink, level);
      assertTrue(report.isIntact(), "it is no damage: " + report.damage());
      assertEquals(2, report.unnamed().objects());
      assertEquals(70_010, report.unnamed().bytes());
      assertEquals(
          Set.of(orphan, ObjectName.of("not-ours.txt")), Set.copyOf(report.unnamed().some()));
    }
    assertEquals(before.keySet(), sink.snapshot().keySet());
  }

  @Test
  void progress_ends_at_100_percent_and_a_check_can_be_stopped() throws IOException {
    List<Progress> heard = new ArrayList<>();
    BackupListener listener =
        new BackupListener() {
          @Override
          public void progressed(Progress progress) {
            heard.add(progress);
          }
        };
    try (BackupRepository opened = open(repository.copy(), listener)) {
      opened.check(Verification.stored());
    }
    Progress end = heard.get(heard.size() - 1);
    assertEquals("verify stored", end.phase());
    assertEquals(OptionalInt.of(100), end.percent());
    assertTrue(heard.get(0).expectedBytes() > 600_000, heard.toString());
    AtomicInteger packs = new AtomicInteger();
    BackupSink interrupting =
        HookedStore.on(
            repository.copy(),
            operation -> {
              if (operation.startsWith("open w/") && operation.endsWith(".age")) {
                packs.incrementAndGet();
                Thread.currentThread().interrupt();
              }
            });
    var stopped =
        assertThrows(
            BackupException.Stopped.class, () -> check(interrupting, Verification.stored()));
    assertTrue(Thread.interrupted(), "the flag stays");
    assertEquals(CoreFailure.CANCELLED, stopped.code());
    assertEquals(1, packs.get());
  }

  @Test
  void without_its_key_a_snapshot_is_unknown_and_its_stored_bytes_are_checked() throws IOException {
    MemorySink sink = repository.copy();
    ObjectName pack = packOf(3);
    try (AgeIdentity stranger = AgeIdentity.generate()) {
      Damage.flip(pack, 3000, 2)
          .during(
              sink.raw(),
              () -> {
                RepositoryReport report = check(sink, Verification.full(stranger));
                assertTrue(
                    report.snapshots().stream().allMatch(s -> s.verdict() == Verdict.UNKNOWN));
                assertNames(report.damage(), pack, "stored bytes need no key");
              });
    }
  }
}
