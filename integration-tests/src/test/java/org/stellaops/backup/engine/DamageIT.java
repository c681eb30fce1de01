package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.Damage;
import org.stellaops.backup.testkit.MemorySink;
import org.stellaops.backup.testkit.RawObjects;

/**
 * Two snapshots in every kind of object that a repository has, and every way to damage stored
 * bytes: always noticed, the object always named, never a {@link RuntimeException}.
 */
class DamageIT {
  private static final long SEED = 20261120;

  /** Objects below this size are damaged one at a time; the padded ones all at once. */
  private static final int SMALL_BYTES = 10_000;

  /** Of so many places one is damaged in the default tests, and every one of them in interop. */
  private static final int SAMPLED = 14;

  @TempDir static Path root;
  private static DamagedRepository repository;
  private static List<BackupReport> snapshots;

  @BeforeAll
  static void twoSnapshots() throws IOException {
    repository = new DamagedRepository(root);
    snapshots =
        repository.fill(
            BytesSource.of("a", Fixture.random(1, 300)).with("b", new byte[5000]),
            BytesSource.of("a", Fixture.random(2, 300)).with("b", new byte[5000]));
    assertTrue(repository.check(repository.sink).isIntact());
    assertTrue(repository.checkStored(repository.sink).isIntact());
  }

  @AfterAll
  static void closed() {
    repository.close();
  }

  /** One of two threads that share the work, on objects of its own. */
  private static final class Half implements AutoCloseable {
    final int number;
    final MemorySink sink = repository.copy();
    final BackupRepository opened;

    Half(int number) throws BackupException {
      this.number = number;
      this.opened = repository.open(sink);
    }

    RawObjects raw() {
      return sink.raw();
    }

    /** Whether this piece of the work is for this thread. */
    boolean takes(long piece) {
      return piece % 2 == number;
    }

    /**
     * What a check says. Of two pieces of work, one is checked with the identity and one without; a
     * repository that stays open has seen the heads of its logs, and what it says of those is no
     * merit of the check.
     */
    List<Finding> check(long piece) throws BackupException {
      Verification depth =
          piece / 2 % 2 == 0 ? Verification.full(repository.owner) : Verification.stored();
      return opened.check(depth).damage().stream()
          .filter(f -> f.code() != CoreFailure.WENT_BACKWARDS)
          .toList();
    }

    @Override
    public void close() throws BackupException {
      opened.close();
    }
  }

  private interface Work {
    void on(Half half) throws Exception;
  }

  private static void inTwoThreads(Work work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      List<Future<Void>> halves = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        int number = i;
        Callable<Void> half =
            () -> {
              try (Half mine = new Half(number)) {
                work.on(mine);
              }
              return null;
            };
        halves.add(threads.submit(half));
      }
      for (Future<Void> half : halves) {
        half.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static List<ObjectName> small() throws IOException {
    List<ObjectName> names = new ArrayList<>();
    for (ObjectName name : repository.raw().names()) {
      if (repository.raw().lengthBytes(name) < SMALL_BYTES) {
        names.add(name);
      }
    }
    return names;
  }

  private static List<ObjectName> padded() throws IOException {
    List<ObjectName> names = new ArrayList<>(repository.raw().names());
    names.removeAll(small());
    return names;
  }

  @Test
  void every_kind_of_object_is_there_to_be_damaged() throws IOException {
    for (String kind :
        List.of(
            "FORMAT.txt",
            "recover.sh",
            "repository.json",
            "sink.json",
            "keys/",
            "log/admin/",
            "log/host-a/",
            "log/verify/",
            "/lists/",
            "/manifests/",
            "/packs/",
            "/state/")) {
      assertFalse(repository.named(kind).isEmpty(), kind);
    }
    assertEquals(9, padded().size());
  }

  @Test
  @Tag("soak")
  void every_flipped_byte_of_logs_lists_keys_and_fixed_files_is_named() throws Exception {
    flipInSmall(1);
  }

  @Test
  void one_in_fourteen_flipped_bytes_of_logs_lists_keys_and_fixed_files_is_named()
      throws Exception {
    flipInSmall(SAMPLED);
  }

  private static void flipInSmall(int each) throws Exception {
    inTwoThreads(
        half -> {
          Random bits = new Random(SEED);
          long piece = 0;
          for (ObjectName name : small()) {
            for (long at = 0; at < half.raw().lengthBytes(name); at += each) {
              Damage flip = Damage.flip(name, at, bits.nextInt(8));
              if (half.takes(++piece)) {
                check(half, flip, piece);
              }
            }
          }
        });
  }

  @Test
  @Tag("soak")
  void every_truncation_of_logs_lists_keys_and_fixed_files_is_named() throws Exception {
    truncateSmall(1);
  }

  @Test
  void one_in_fourteen_truncations_of_logs_lists_keys_and_fixed_files_is_named() throws Exception {
    truncateSmall(SAMPLED);
  }

  private static void truncateSmall(int each) throws Exception {
    inTwoThreads(
        half -> {
          long piece = 0;
          for (ObjectName name : small()) {
            for (long length = 0; length < half.raw().lengthBytes(name); length += each) {
              if (half.takes(++piece)) {
                check(half, Damage.truncate(name, length), piece);
              }
            }
          }
        });
  }

  private static void check(Half half, Damage damage, long piece) throws Exception {
    damage.during(half.raw(), () -> assertNamed(half.check(piece), damage));
  }

  private static void assertNamed(List<Finding> findings, Damage damage) {
    for (ObjectName object : damage.objects()) {
      assertTrue(
          findings.stream().anyMatch(f -> f.toString().contains(object.value())),
          () -> damage + ", seed " + SEED + ": " + findings);
    }
  }

  /**
   * Every byte of every pack, manifest and state. The same byte of all eight objects at once: a
   * check has to go on behind the first and name each of them.
   */
  @Test
  @Tag("soak")
  void every_flipped_byte_of_packs_manifests_and_state_is_named() throws Exception {
    flipInPadded(1);
  }

  @Test
  void one_in_forty_two_flipped_bytes_of_packs_manifests_and_state_is_named() throws Exception {
    flipInPadded(3 * SAMPLED);
  }

  private static void flipInPadded(int each) throws Exception {
    List<ObjectName> objects = padded();
    inTwoThreads(
        half -> {
          Random bits = new Random(SEED);
          long piece = 0;
          for (long at = 0; at < longest(objects); at += each) {
            int bit = bits.nextInt(8);
            if (half.takes(++piece)) {
              flip(half.raw(), objects, at, bit);
              List<Finding> findings = half.check(piece);
              flip(half.raw(), objects, at, bit);
              for (ObjectName object : objects) {
                if (at < half.raw().lengthBytes(object)) {
                  assertNamed(findings, Damage.flip(object, at, bit));
                }
              }
            }
          }
        });
  }

  private static long longest(List<ObjectName> objects) throws IOException {
    long longest = 0;
    for (ObjectName object : objects) {
      longest = Math.max(longest, repository.raw().lengthBytes(object));
    }
    return longest;
  }

  private static void flip(RawObjects raw, List<ObjectName> objects, long at, int bit)
      throws IOException {
    for (ObjectName object : objects) {
      if (at < raw.lengthBytes(object)) {
        raw.write(object, at, (byte) (raw.read(object, at) ^ 1 << bit));
      }
    }
  }

  @Test
  void truncated_packs_manifests_and_state_are_named() throws Exception {
    inTwoThreads(
        half -> {
          long piece = 0;
          for (ObjectName name : padded()) {
            long length = half.raw().lengthBytes(name);
            for (long cut : lengths(length)) {
              if (half.takes(++piece)) {
                check(half, Damage.truncate(name, cut), piece);
              }
            }
          }
        });
  }

  /** The ends, the seams of the age format, and every 997th between. */
  private static List<Long> lengths(long length) {
    List<Long> lengths = new ArrayList<>(List.of(0L, 1L, 2L, 21L, 22L, 183L, 184L, 199L, 200L));
    for (long at = 997; at < length; at += 997) {
      lengths.add(at);
    }
    lengths.addAll(List.of(length - 17, length - 16, length - 2, length - 1));
    return lengths;
  }

  /** What an empty machine says that has seen nothing before. */
  private static List<Finding> checkAfresh(MemorySink sink, Verification depth) {
    try (BackupRepository fresh = repository.open(sink)) {
      RepositoryReport report = fresh.check(depth);
      assertEquals(report.damage().isEmpty(), report.isIntact(), report.toString());
      return report.damage();
    } catch (BackupException e) {
      return List.of(new Finding(e.code(), "open", String.valueOf(e.getMessage())));
    }
  }

  private static List<Finding> checkAfresh(MemorySink sink) {
    return checkAfresh(sink, Verification.full(repository.owner));
  }

  @Test
  void every_flipped_byte_of_what_is_read_first_is_named_by_an_empty_machine() throws IOException {
    MemorySink sink = repository.copy();
    Random bits = new Random(SEED);
    for (String name : List.of("repository.json", "sink.json")) {
      ObjectName object = ObjectName.of(name);
      for (long at = 0; at < sink.raw().lengthBytes(object); at++) {
        Damage flip = Damage.flip(object, at, bits.nextInt(8));
        flip.during(sink.raw(), () -> assertNamed(checkAfresh(sink), flip));
      }
    }
  }

  @Test
  void whatever_follows_an_object_is_noticed() throws IOException {
    MemorySink sink = repository.copy();
    for (ObjectName name : repository.raw().names()) {
      for (byte[] more : List.of(new byte[1], new byte[] {'\n'}, new byte[2 << 20])) {
        Damage damage = Damage.extend(name, more);
        damage.during(sink.raw(), () -> assertNamed(checkAfresh(sink), damage));
      }
    }
  }

  @Test
  void every_swap_of_two_objects_is_noticed() throws IOException {
    MemorySink sink = repository.copy();
    for (Damage swap : Damage.everySwap(sink.raw())) {
      swap.during(
          sink.raw(),
          () -> {
            List<Finding> findings = checkAfresh(sink);
            for (ObjectName named : nameable(swap.objects())) {
              assertTrue(findings.toString().contains(named.value()), () -> swap + ": " + findings);
            }
          });
    }
  }

  /**
   * What an entry or a list says of others is lost with it, and everything with repository.json.
   */
  private static List<ObjectName> nameable(List<ObjectName> damaged) {
    if (damaged.contains(ObjectName.of("repository.json"))) {
      return List.of(ObjectName.of("repository.json"));
    }
    for (String teller : List.of("log/", "/lists/")) {
      List<ObjectName> tellers = damaged.stream().filter(n -> n.value().contains(teller)).toList();
      if (!tellers.isEmpty()) {
        return tellers;
      }
    }
    return damaged;
  }

  @Test
  void every_missing_object_is_named_but_for_the_newest_entry_that_no_other_log_saw()
      throws IOException {
    MemorySink sink = repository.copy();
    String newest = "log/verify/0000000002.entry";
    for (Damage drop : Damage.everyDrop(sink.raw())) {
      String name = drop.objects().get(0).value();
      if (!newest.equals(name) && !name.equals("repository.json")) {
        drop.during(sink.raw(), () -> assertNamed(checkAfresh(sink), drop));
      }
    }
    Damage.drop(ObjectName.of(newest))
        .during(
            sink.raw(),
            () -> assertEquals(List.of(), checkAfresh(sink), "a store alone cannot prove it"));
    Damage.drop(ObjectName.of("repository.json"))
        .during(
            sink.raw(),
            () -> assertEquals(CoreFailure.NOT_A_REPOSITORY, checkAfresh(sink).get(0).code()));
  }

  @Test
  void whoever_remembers_a_head_notices_that_it_is_hidden() throws IOException {
    MemorySink sink = repository.copy();
    Path workspace = repository.workspace("remembers");
    for (String log : List.of("host-a", "verify", "admin")) {
      try (BackupRepository before = remembering(sink, workspace)) {
        assertEquals(List.of(), before.catalog().damage());
      }
      List<ObjectName> entries = repository.named("log/" + log + "/");
      ObjectName last = entries.get(entries.size() - 1);
      Damage drop = Damage.drop(last);
      drop.during(sink.raw(), () -> assertWentBackwards(sink, workspace, last));
    }
  }

  @Test
  void whoever_remembers_a_head_notices_that_a_whole_log_is_hidden() throws IOException {
    MemorySink sink = repository.copy();
    Path workspace = repository.workspace("remembers-logs");
    try (BackupRepository before = remembering(sink, workspace)) {
      assertEquals(List.of(), before.catalog().damage());
    }
    for (ObjectName entry : repository.named("log/host-a/")) {
      sink.raw().remove(entry);
    }
    assertWentBackwards(sink, workspace, ObjectName.of("log/host-a/0000000004.entry"));
  }

  private static BackupRepository remembering(MemorySink sink, Path workspace)
      throws BackupException {
    return BackupRepository.at(sink)
        .trust(Trust.owner(repository.writer))
        .executor(Runnable::run)
        .workspace(workspace)
        .open();
  }

  private static void assertWentBackwards(MemorySink sink, Path workspace, ObjectName hidden) {
    try (BackupRepository after = remembering(sink, workspace)) {
      List<Finding> damage = after.check(Verification.stored()).damage();
      assertTrue(
          damage.stream()
              .anyMatch(
                  f ->
                      f.code() == CoreFailure.WENT_BACKWARDS && f.subject().equals(hidden.value())),
          damage.toString());
    } catch (BackupException e) {
      throw new AssertionError("a hidden entry is damage to report", e);
    }
  }

  @Test
  void a_writer_that_remembers_its_head_does_not_write_behind_a_hidden_one() throws IOException {
    MemorySink sink = repository.copy();
    Path workspace = repository.workspace("writes");
    BackupPlan plan =
        BackupPlan.named("test")
            .source("files", BytesSource.of("a", new byte[9]))
            .encryptTo(repository.owner.recipient())
            .writer(repository.keys)
            .sink(sink)
            .build();
    try (BackupEngine engine = BackupEngine.with(plan).workspace(workspace).open()) {
      engine.backup(BackupRequest.full().named("third"));
    }
    ObjectName third = ObjectName.of("log/host-a/0000000006.entry");
    sink.raw().remove(third);
    try (BackupEngine engine = BackupEngine.with(plan).workspace(workspace).open()) {
      engine.backup(BackupRequest.full().named("fourth"));
      throw new AssertionError("wrote a second entry into a slot that was taken before");
    } catch (BackupException.Corrupt e) {
      assertTrue(String.valueOf(e.getMessage()).contains(third.value()), e.getMessage());
    }
    assertFalse(sink.raw().names().contains(third));
  }

  @Test
  void replayed_entries_are_named() throws IOException {
    MemorySink sink = repository.copy();
    for (String log : List.of("host-a", "verify")) {
      // A backup has two entries, a verification one.
      int each = log.equals("host-a") ? 2 : 1;
      ObjectName first = ObjectName.of("log/%s/%010d.entry".formatted(log, each));
      ObjectName second = ObjectName.of("log/%s/%010d.entry".formatted(log, 2 * each));
      ObjectName third = ObjectName.of("log/%s/%010d.entry".formatted(log, 2 * each + 1));
      for (Damage replay :
          List.of(
              Damage.replay(first, third),
              Damage.replay(second, third),
              Damage.replay(first, second),
              Damage.replay(second, first))) {
        replay.during(
            sink.raw(),
            () -> {
              List<Finding> findings = checkAfresh(sink);
              assertNamed(findings, replay);
              assertTrue(
                  findings.stream().anyMatch(f -> f.code() == CoreFailure.CHAIN_BROKEN),
                  findings.toString());
            });
      }
    }
  }

  @Test
  void damage_never_hides_the_snapshots_that_are_whole() throws IOException {
    MemorySink sink = repository.copy();
    Damage.flip(ObjectName.of("log/host-a/0000000002.entry"), 700, 3)
        .during(
            sink.raw(),
            () -> {
              try (BackupRepository fresh = repository.open(sink)) {
                assertEquals(
                    List.of("snapshot-2"),
                    fresh.catalog().list(SnapshotFilter.all()).stream()
                        .map(s -> s.name().value())
                        .toList());
              }
            });
    try (BackupRepository fresh = repository.open(sink)) {
      assertEquals(snapshots.size(), fresh.catalog().list(SnapshotFilter.all()).size());
    }
  }

  @Test
  void objects_that_nobody_named_are_no_damage_to_a_snapshot_and_no_reason_to_fall_over()
      throws IOException {
    for (String stray :
        List.of(
            "log/a/abcd",
            "log/host-a/0000000000.entry",
            "log/host-a/0000000002.torn",
            "log/host-a/deep/er",
            "log/ümläut/0000000001.entry",
            "log/x",
            "w/host-a/packs/zz/not-a-pack",
            "keys/other-1.age",
            "beat/host-a/run-1",
            "nothing of ours")) {
      MemorySink sink = repository.copy();
      sink.raw().write(ObjectName.of(stray), "what is this".getBytes(StandardCharsets.US_ASCII));
      try (BackupRepository fresh = repository.open(sink)) {
        RepositoryReport report = fresh.check(Verification.full(repository.owner));
        assertTrue(report.snapshots().stream().allMatch(s -> s.isIntact()), stray + ": " + report);
        assertTrue(
            report.damage().stream().allMatch(f -> f.subject().equals(stray)),
            stray + ": " + report.damage());
      }
    }
  }

  @Test
  void an_entry_far_away_costs_a_finding_and_no_time() throws IOException {
    MemorySink sink = repository.copy();
    sink.raw()
        .write(
            ObjectName.of("log/host-a/9999999999.entry"),
            sink.raw().read(ObjectName.of("log/host-a/0000000004.entry")));
    List<Finding> findings = checkAfresh(sink);
    assertTrue(
        findings.stream().anyMatch(f -> f.subject().equals("log/host-a/9999999999.entry")),
        findings.toString());
  }

  @Test
  void two_hundred_flips_in_a_larger_repository_are_named(@TempDir Path place) throws Exception {
    flipsOnDisk(place, 24 << 20, 200);
  }

  @Test
  @Tag("soak")
  void ten_thousand_flips_in_a_repository_of_100_MiB_are_named(@TempDir Path place)
      throws Exception {
    flipsOnDisk(place, 110 << 20, 10_000);
  }

  /**
   * Flips, each byte as likely as any other, checked without a key. At most one at a time in any
   * object, but in several objects at once: each has to be named.
   */
  private static void flipsOnDisk(Path place, int bytes, int flips) throws Exception {
    DirectorySink directory = DirectorySink.at(place.resolve("repository"));
    BytesSource source = new BytesSource("config");
    for (int i = 0; i < 10; i++) {
      source.with("part-" + i, Fixture.random(SEED + i, bytes / 10));
    }
    BackupPlan plan =
        BackupPlan.named("large")
            .source("files", source)
            .encryptTo(repository.owner.recipient())
            .writer(WriterKeyFile.at(place.resolve("writer.key")).named("host-a"))
            .sink(directory)
            .build();
    try (BackupEngine engine = BackupEngine.open(plan)) {
      engine.verify(engine.backup(BackupRequest.full()).snapshot());
      RawObjects raw = RawObjects.in(place.resolve("repository"));
      Map<ObjectName, Deque<Damage>> waiting = new LinkedHashMap<>();
      int count = 0;
      for (Damage flip : Damage.seeded(raw, SEED, flips)) {
        ObjectName object = flip.objects().get(0);
        if (object.value().endsWith(".age") && object.value().startsWith("w/")) {
          waiting.computeIfAbsent(object, n -> new ArrayDeque<>()).add(flip);
        } else {
          // What others are is lost with it.
          checkTogether(engine, raw, List.of(flip));
        }
        count++;
      }
      assertEquals(flips, count);
      while (!waiting.isEmpty()) {
        checkTogether(engine, raw, waiting.values().stream().map(Deque::remove).toList());
        waiting.values().removeIf(Deque::isEmpty);
      }
      assertTrue(engine.check(Verification.full(repository.owner)).isIntact());
    }
  }

  private static void checkTogether(BackupEngine engine, RawObjects raw, List<Damage> flips)
      throws IOException {
    Deque<Damage.Undo> undo = new ArrayDeque<>();
    try {
      for (Damage flip : flips) {
        undo.push(flip.inflict(raw));
      }
      List<Finding> findings = engine.check(Verification.stored()).damage();
      flips.forEach(flip -> assertNamed(findings, flip));
    } finally {
      while (!undo.isEmpty()) {
        undo.pop().close();
      }
    }
  }
}
