package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TimeZone;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotRef.Quality;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.Damage;

/** What a catalog tells, and what verifications leave behind, by a clock that tests set. */
class KeylessCatalogIT {
  private static final Instant T = DamagedRepository.BEGIN;

  @TempDir Path root;
  private DamagedRepository repository;

  @BeforeEach
  void made() throws IOException {
    repository = new DamagedRepository(root);
  }

  private BackupReport at(Instant time, String name, String... sources) throws IOException {
    return at(time, BackupRequest.full(), name, sources);
  }

  private BackupReport at(Instant time, BackupRequest request, String name, String... sources)
      throws IOException {
    repository.setClock(time);
    BackupPlan.Builder plan =
        BackupPlan.named("nightly")
            .encryptTo(repository.owner.recipient())
            .writer(repository.keys)
            .sink(repository.sink);
    for (String source : sources) {
      String[] words = source.split("/");
      plan.source(
          words[1],
          BytesSource.of("a", Fixture.random(words[1].hashCode(), 700)),
          s -> s.component(Component.of(words[0])));
    }
    try (BackupEngine engine =
        BackupEngine.with(plan.build()).clock(repository.clock()).executor(Runnable::run).open()) {
      return engine.backup(name.isEmpty() ? request : request.named(name));
    }
  }

  private List<String> list(SnapshotFilter filter) throws IOException {
    try (BackupRepository opened = repository.open()) {
      return opened.catalog().list(filter).stream().map(s -> s.name().value()).toList();
    }
  }

  @Test
  void the_last_days_include_their_boundary() throws IOException {
    at(T, "old", "config/files");
    at(T.plus(Duration.ofDays(1)), "new", "config/files");
    Duration week = Duration.ofDays(7);
    repository.setClock(T.plus(week));
    assertEquals(List.of("new", "old"), list(SnapshotFilter.all().last(week)));
    repository.setClock(T.plus(week).plusNanos(1));
    assertEquals(List.of("new"), list(SnapshotFilter.all().last(week)));
    repository.setClock(T.plus(Duration.ofDays(8)).plusNanos(1));
    assertEquals(List.of(), list(SnapshotFilter.all().last(week)));
    repository.setClock(T.minus(Duration.ofDays(1)));
    assertEquals(List.of("new", "old"), list(SnapshotFilter.all().last(week)), "ahead of us");
    assertEquals(
        List.of("new", "old"),
        list(SnapshotFilter.all().last(Duration.ofSeconds(Long.MAX_VALUE))),
        "longer than time itself");
    for (Duration none : List.of(Duration.ZERO, Duration.ofDays(-1))) {
      assertThrows(IllegalArgumentException.class, () -> SnapshotFilter.all().last(none));
    }
  }

  @Test
  void a_component_or_a_source_selects_and_an_unknown_one_is_told_what_there_is()
      throws IOException {
    at(T, "both", "config/files", "evidence/locker");
    at(T.plusSeconds(1), "config-only", "config/files");
    at(T.plusSeconds(2), "evidence-only", "evidence/locker");
    assertEquals(List.of("config-only", "both"), list(SnapshotFilter.all().holding("config")));
    assertEquals(List.of("evidence-only", "both"), list(SnapshotFilter.all().holding("locker")));
    assertEquals(
        List.of("evidence-only", "both"), list(SnapshotFilter.all().holding("evidence/locker")));
    assertEquals(
        List.of("evidence-only"),
        list(
            SnapshotFilter.all()
                .holding("evidence")
                .ofPlan("nightly")
                .last(Duration.ofSeconds(1))));
    assertEquals(List.of(), list(SnapshotFilter.all().ofPlan("weekly")));
    for (String unknown : List.of("database", "config/locker", "CONFIG", "")) {
      var refused =
          assertThrows(
              BackupException.Refused.class, () -> list(SnapshotFilter.all().holding(unknown)));
      assertEquals(CoreFailure.NOT_FOUND, refused.code());
      assertTrue(
          refused.getMessage().contains("[config/files, evidence/locker]"), refused.getMessage());
    }
  }

  private String newest(SnapshotRef.Newest ref) throws IOException {
    try (BackupRepository opened = repository.open()) {
      return opened.catalog().find(ref).map(s -> s.name().value()).orElse("none");
    }
  }

  @Test
  void part_of_a_plan_is_not_the_whole_system() throws IOException {
    BackupRequest only = BackupRequest.full().only("locker");
    at(T, only, "part", "config/files", "evidence/locker");
    SnapshotRef.Newest good = SnapshotRef.newest(Quality.GOOD);
    assertEquals("none", newest(good));
    try (BackupRepository opened = repository.open()) {
      var refused = assertThrows(BackupException.Refused.class, () -> opened.catalog().info(good));
      assertEquals(CoreFailure.NOT_FOUND, refused.code());
    }
    at(T.plusSeconds(1), "whole", "config/files", "evidence/locker");
    at(T.plusSeconds(2), only, "part-2", "config/files", "evidence/locker");
    assertEquals(List.of("part-2", "whole", "part"), list(SnapshotFilter.all()));
    assertEquals(List.of("whole"), list(SnapshotFilter.all().whole()));
    assertEquals(List.of(), list(SnapshotFilter.all().whole().last(Duration.ofNanos(1))));
    assertEquals("whole", newest(good));
    assertEquals("whole", newest(good.holding("config")));
    for (String locker : List.of("evidence", "locker", "evidence/locker")) {
      assertEquals("part-2", newest(good.holding(locker)));
    }
    for (String unknown : List.of("config/locker", "database", "")) {
      assertEquals("none", newest(good.holding(unknown)));
    }
    assertEquals("none", newest(SnapshotRef.newest(Quality.VERIFIED).holding("locker")));
    try (BackupEngine engine = repository.engine(BytesSource.of("a", new byte[1]))) {
      engine.verify(SnapshotRef.named("part"));
    }
    assertEquals("part", newest(SnapshotRef.newest(Quality.VERIFIED).holding("locker")));
    assertEquals("none", newest(SnapshotRef.newest(Quality.VERIFIED)));
  }

  @Test
  void part_of_a_component_is_not_the_component() throws IOException {
    String[] plan = {"database/orders", "database/users", "evidence/locker"};
    at(T, "whole", plan);
    at(T.plusSeconds(1), BackupRequest.full().only("users"), "users", plan);
    at(T.plusSeconds(2), BackupRequest.full().only("evidence"), "locker", plan);
    SnapshotRef.Newest good = SnapshotRef.newest(Quality.GOOD);
    assertEquals("whole", newest(good.holding("database")));
    assertEquals("whole", newest(good.holding("orders")));
    assertEquals("users", newest(good.holding("users")));
    assertEquals("users", newest(good.holding("database/users")));
    assertEquals("locker", newest(good.holding("evidence")));
    try (BackupRepository opened = repository.open()) {
      SnapshotSummary users = opened.catalog().info(SnapshotRef.named("users"));
      assertFalse(users.isWhole(Component.DATABASE));
      assertFalse(users.isWhole(Component.EVIDENCE));
      assertFalse(users.isWhole(Component.SEEDS), "of which the plan has none");
      SnapshotSummary locker = opened.catalog().info(SnapshotRef.named("locker"));
      assertTrue(locker.isWhole(Component.EVIDENCE));
      assertFalse(locker.isWhole());
    }
  }

  @Test
  void a_name_given_by_the_engine_is_utc_whatever_the_zone_of_the_machine() throws IOException {
    TimeZone before = TimeZone.getDefault();
    try {
      ZoneId zurich = ZoneId.of("Europe/Zurich");
      TimeZone.setDefault(TimeZone.getTimeZone(zurich));
      // Clocks go back: 02:30 comes twice, an hour apart.
      Instant first = LocalDateTime.of(2026, 10, 25, 2, 30).atZone(zurich).toInstant();
      Instant second = first.plus(Duration.ofHours(1));
      // Clocks go forward: an hour later it is two hours later.
      Instant spring = Instant.parse("2027-03-28T00:30:00Z");
      List<BackupReport> reports = new ArrayList<>();
      for (Instant time : List.of(first, second, spring, spring.plus(Duration.ofHours(1)))) {
        reports.add(at(time, "", "config/files"));
      }
      assertEquals(
          List.of(
              "nightly-20270328T013000Z",
              "nightly-20270328T003000Z",
              "nightly-20261025T013000Z",
              "nightly-20261025T003000Z"),
          list(SnapshotFilter.all()));
      List<String> ids = reports.stream().map(r -> r.snapshot().toString()).toList();
      List<String> sorted = new ArrayList<>(ids);
      Collections.sort(sorted);
      assertEquals(ids, sorted, "ids sort by time");
    } finally {
      TimeZone.setDefault(before);
    }
  }

  @Test
  void a_second_run_within_a_second_gets_a_number() throws IOException {
    at(T, "", "config/files");
    at(T.plusMillis(999), "", "config/files");
    assertEquals(
        List.of("nightly-20261120T020000Z", "nightly-20261120T020000Z-2"),
        list(SnapshotFilter.all()).stream().sorted().toList());
  }

  @Test
  void a_name_that_is_taken_is_refused() throws IOException {
    at(T, "pre-upgrade", "config/files");
    var refused =
        assertThrows(
            BackupException.Refused.class,
            () -> at(T.plusSeconds(9), "pre-upgrade", "config/files"));
    assertEquals(CoreFailure.NAME_CONFLICT, refused.code());
    assertEquals(List.of("pre-upgrade"), list(SnapshotFilter.all()));
  }

  @Test
  void info_tells_what_the_entry_says_in_clear() throws IOException {
    BackupReport report = at(T, "pre-upgrade", "config/files", "evidence/locker");
    try (BackupRepository opened = repository.open()) {
      SnapshotSummary info = opened.catalog().info(SnapshotRef.named("pre-upgrade"));
      assertEquals(report.snapshot(), info.id());
      assertEquals("pre-upgrade", info.name().value());
      assertEquals("nightly", info.plan());
      assertEquals(Map.of(Component.CONFIG, 1, Component.EVIDENCE, 1), info.plannedSources());
      assertTrue(info.isWhole());
      assertEquals("host-a", info.writer());
      assertEquals(2, info.sequence());
      assertEquals(
          Digest.ofContent(repository.raw().read(ObjectName.of("log/host-a/0000000002.entry"))),
          info.entry());
      assertEquals(T, info.time());
      assertEquals(Outcome.GOOD, info.outcome());
      assertTrue(info.isAuthenticated());
      assertTrue(info.verification().isEmpty());
      assertEquals(1400, info.plainBytes());
      assertTrue(info.newBytes() >= 1400, "noise does not compress");
      assertEquals(report.newBytes(), info.newBytes());
      assertEquals(2, info.captures().size());
      CaptureHeader locker =
          info.captures().stream()
              .filter(c -> c.source().value().equals("locker"))
              .findFirst()
              .orElseThrow();
      assertEquals("evidence", locker.component().value());
      assertEquals("bytes/1", locker.kind().value());
      assertEquals(T, locker.time());
      assertEquals(2, locker.sequence());
      assertEquals(Outcome.GOOD, locker.outcome());
      assertEquals(List.of(), locker.parents());
      assertEquals(700, locker.plainBytes());
      assertEquals(info.id(), locker.snapshot());
    }
  }

  @Test
  void info_of_nothing_names_the_nearest() throws IOException {
    at(T, "pre-upgrade-1", "config/files");
    at(T.plusSeconds(1), "pre-upgrade-2", "config/files");
    try (BackupRepository opened = repository.open()) {
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> opened.catalog().info(SnapshotRef.named("pre-upgrad-1")));
      assertEquals(CoreFailure.NOT_FOUND, refused.code());
      assertTrue(refused.getMessage().contains("[pre-upgrade-1, "), refused.getMessage());
      assertTrue(opened.catalog().find(SnapshotRef.named("nothing")).isEmpty());
    }
  }

  private static Damage damageTo(DamagedRepository repository, int snapshot) throws IOException {
    String entry =
        new String(
            repository.raw().read(ObjectName.of("log/host-a/%010d.entry".formatted(2 * snapshot))),
            "US-ASCII");
    String manifest =
        entry.lines().filter(l -> l.contains("  w/host-a/manifests/")).findFirst().orElseThrow();
    return Damage.flip(ObjectName.of(manifest.substring(66)), 1000, 4);
  }

  @Test
  void of_three_good_and_one_bad_all_are_verified_and_the_worst_decides() throws IOException {
    List<BytesSource> contents = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      contents.add(BytesSource.of("a", Fixture.random(i, 500)));
    }
    for (int i = 0; i < 4; i++) {
      repository.backup("snapshot-" + (i + 1), contents.get(i));
    }
    damageTo(repository, 2)
        .during(
            repository.raw(),
            () -> {
              try (BackupEngine engine = repository.engine(contents.get(0))) {
                List<VerificationReport> reports =
                    engine.verifyAll(SnapshotFilter.all().unverified(), Verification.stored());
                assertEquals(
                    List.of(Verdict.INTACT, Verdict.INTACT, Verdict.DAMAGED, Verdict.INTACT),
                    reports.stream().map(VerificationReport::verdict).toList());
                assertEquals(
                    Verdict.DAMAGED,
                    reports.stream()
                        .map(VerificationReport::verdict)
                        .max(Comparable::compareTo)
                        .orElseThrow());
              }
            });
    assertEquals(List.of("snapshot-2"), list(SnapshotFilter.all().unverified()));
    try (BackupEngine engine = repository.engine(contents.get(0))) {
      assertEquals(
          Verdict.DAMAGED,
          engine
              .catalog()
              .info(SnapshotRef.named("snapshot-2"))
              .verification()
              .orElseThrow()
              .verdict());
      engine.verifyAll(SnapshotFilter.all().unverified(), Verification.stored());
    }
    assertEquals(List.of(), list(SnapshotFilter.all().unverified()), "mended and verified again");
  }

  @Test
  void one_that_cannot_be_read_stops_no_other() throws IOException {
    repository.backup("snapshot-1", BytesSource.of("a", Fixture.random(1, 500)));
    repository.backup("snapshot-2", BytesSource.of("a", Fixture.random(2, 500)));
    var fails =
        repository.sink.with(
            store ->
                new ForwardingStore(store) {
                  @Override
                  public InputStream open(ObjectName name, ByteRange range) throws IOException {
                    if (name.equals(damageTo(repository, 2).objects().get(0))) {
                      throw new IOException("read error");
                    }
                    return super.open(name, range);
                  }
                });
    try (BackupRepository opened =
        BackupRepository.at(fails).trust(Trust.owner(repository.writer)).open()) {
      List<VerificationReport> reports =
          opened.verifyAll(SnapshotFilter.all(), Verification.stored());
      assertEquals(
          List.of(Verdict.UNKNOWN, Verdict.INTACT),
          reports.stream().map(VerificationReport::verdict).toList());
      assertTrue(reports.get(0).findings().toString().contains("read error"), reports.toString());
    }
  }

  @Test
  void verifying_alters_nothing_but_the_log_of_verifications() throws IOException {
    repository.backup("snapshot-1", BytesSource.of("a", Fixture.random(1, 500)));
    SortedMap<ObjectName, byte[]> before = repository.sink.snapshot();
    try (BackupEngine engine = repository.engine(BytesSource.of("a", new byte[1]))) {
      engine.verify(SnapshotRef.named("snapshot-1"));
      engine.verify(SnapshotRef.named("snapshot-1"), Verification.full(repository.owner));
      engine.verifyAll(SnapshotFilter.all(), Verification.stored());
      engine.check(Verification.full(repository.owner));
      assertEquals(
          Depth.FULL,
          engine
              .catalog()
              .info(SnapshotRef.newest(Quality.VERIFIED))
              .verification()
              .orElseThrow()
              .depth());
    }
    SortedMap<ObjectName, byte[]> after = new TreeMap<>(repository.sink.snapshot());
    after.keySet().removeIf(n -> n.value().startsWith("log/verify/"));
    assertEquals(before.keySet(), after.keySet());
    before.forEach((name, bytes) -> assertArrayEquals(bytes, after.get(name), name.value()));
    assertEquals(4, repository.named("log/verify/").size());
    SortedMap<ObjectName, byte[]> all = repository.sink.snapshot();
    try (BackupRepository reader = repository.open()) {
      reader.check(Verification.full(repository.owner));
    }
    assertEquals(all.keySet(), repository.sink.snapshot().keySet(), "a reader writes nothing");
  }

  @Test
  void a_record_that_cannot_be_written_hides_no_verdict() throws IOException {
    repository.fill(BytesSource.of("a", Fixture.random(1, 500)));
    repository.raw().write(ObjectName.of("log/verify/0000000002.entry"), new byte[] {'x'});
    try (BackupEngine engine = repository.engine(BytesSource.of("a", new byte[1]))) {
      VerificationReport report = engine.verify(SnapshotRef.named("snapshot-1"));
      assertEquals(Verdict.INTACT, report.verdict());
      assertTrue(report.findings().toString().contains("no record was left"), report.toString());
    }
  }
}
