package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StorageReport;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.PlanInvalid;
import org.stellaops.backup.plan.StorageThreshold;
import org.stellaops.backup.secrets.SecretSource;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.store.QuotaSink;
import org.stellaops.backup.testkit.MemorySink;

/** What a store holds, how long it lasts, and what is not stored for want of room or privacy. */
class StorageIT {
  private static final int DAILY = 400_000;
  private static final Component CONFIG = Component.of("config");

  @TempDir Path root;
  private final MemorySink memory = new MemorySink();
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-10-01T02:00:00Z"));
  private final AtomicLong free = new AtomicLong(1_000_000_000);
  private AgeIdentity owner;

  @BeforeEach
  void makeOwner() throws IOException {
    owner = AgeIdentity.generate();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    memory.assertNothingOpen();
  }

  /** A store of a gigabyte of which so much is free. */
  private BackupSink ofGigabyte(BackupSink sink) {
    return sink.with(store -> new Sized(store, free));
  }

  private static final class Sized extends ForwardingStore {
    private final AtomicLong free;

    Sized(ObjectStore inner, AtomicLong free) {
      super(inner);
      this.free = free;
    }

    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      StoreAbility.Capacity capacity =
          new StoreAbility.Capacity() {
            @Override
            public OptionalLong freeBytes() {
              return OptionalLong.of(free.get());
            }

            @Override
            public OptionalLong totalBytes() {
              return OptionalLong.of(1_000_000_000);
            }
          };
      return type.isInstance(capacity) ? Optional.of(type.cast(capacity)) : Optional.empty();
    }
  }

  private Host host(BackupSink sink) throws IOException {
    return new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
  }

  private StorageReport storage(Host host) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(host.sink)
            .trust(new Pruning(host).withKeys().trust())
            .clock(now::get)
            .open()) {
      return repository.catalog().storage();
    }
  }

  /** Each day stores so much that nothing stored before. */
  private void backUpDaily(Host host, int days) throws IOException {
    for (int day = 0; day < days; day++) {
      byte[] bytes = Fixture.random(now.get().getEpochSecond(), DAILY);
      BackupPlan plan =
          host.plan(host.sink)
              .source(Host.SOURCE, BytesSource.of("day", bytes))
              .trust(new Pruning(host).withKeys().trust())
              .build();
      try (BackupEngine engine = host.with(plan).clock(now::get).open()) {
        engine.backup(BackupRequest.full()).requireGood();
      }
      now.updateAndGet(t -> t.plus(Duration.ofDays(1)));
    }
  }

  @Test
  void figures_are_those_of_the_files() throws Exception {
    Path store = root.resolve("store");
    Host host = host(DirectorySink.at(store));
    backUpDaily(host, 2);

    StorageReport report = storage(host);

    Map<Boolean, List<Path>> files;
    try (Stream<Path> all = Files.walk(store)) {
      files =
          all.filter(Files::isRegularFile)
              .collect(
                  Collectors.partitioningBy(f -> store.relativize(f).startsWith("w/host-a/packs")));
    }
    assertEquals(sum(files.get(true)), report.kinds().get("packs").bytes());
    assertEquals(files.get(true).size(), report.kinds().get("packs").objects());
    assertEquals(sum(files.get(true)) + sum(files.get(false)), report.total().bytes());
    assertEquals(
        report.total().bytes(),
        report.writers().values().stream().mapToLong(StorageReport.Usage::bytes).sum());
    assertEquals(List.of("", "host-a"), List.copyOf(report.writers().keySet()));
    assertTrue(
        report.kinds().keySet().containsAll(List.of("log", "keys", "manifests", "lists", "state")),
        report.toString());
    assertEquals(
        Files.getFileStore(store).getTotalSpace(), report.room().totalBytes().orElseThrow());
    assertTrue(report.room().usedPercent().isPresent());
  }

  private static long sum(List<Path> files) throws IOException {
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  @Test
  void growth_is_told_by_component_and_says_when_the_store_is_full() throws Exception {
    Host host = host(ofGigabyte(memory));
    backUpDaily(host, 11);

    StorageReport report = storage(host);

    StorageReport.Growth growth = report.growth().orElseThrow();
    assertEquals(Duration.ofDays(11), growth.over());
    // Ten of eleven: what the first one stored is what there is, and not what is added.
    double expected = DAILY * 10.0 / 11;
    assertEquals(expected, growth.storedPerDay().get(CONFIG), expected / 100);
    assertEquals(0, growth.releasedPerDay());
    Duration full = report.untilFull().orElseThrow();
    assertEquals(1_000_000_000 / (double) growth.bytesPerDay(), full.toHours() / 24.0, 1.0);
  }

  @Test
  void a_directory_says_when_its_file_system_is_full() throws Exception {
    Path store = root.resolve("store");
    Host host = host(DirectorySink.at(store));
    backUpDaily(host, 3);

    StorageReport report = storage(host);

    assertEquals(DAILY * 2.0 / 3, report.growth().orElseThrow().storedPerDay().get(CONFIG), 5000);
    long free = report.room().freeBytes().orElseThrow();
    // What others do to the same file system meanwhile is allowed for.
    assertEquals(Files.getFileStore(store).getUsableSpace(), free, free / 4.0);
    double days = free / (double) report.growth().orElseThrow().bytesPerDay();
    assertEquals(days, report.untilFull().orElseThrow().toHours() / 24.0, days / 1000 + 1);
  }

  @Test
  void a_bucket_with_a_quota_says_when_it_is_reached_and_keeps_its_reserve() throws Exception {
    long quota = 5_000_000;
    Host host = host(QuotaSink.of(memory, quota));
    backUpDaily(host, 4);

    StorageReport report = storage(host);

    assertEquals(quota, report.room().totalBytes().orElseThrow());
    assertEquals(quota - report.total().bytes(), report.room().freeBytes().orElseThrow());
    long perDay = report.growth().orElseThrow().bytesPerDay();
    assertEquals(
        report.room().freeBytes().getAsLong() / (double) perDay,
        report.untilFull().orElseThrow().toHours() / 24.0,
        0.1);
    BackupPlan plan =
        host.plan(host.sink)
            .source(Host.SOURCE, some())
            .storage(StorageThreshold.warn(30).critical(95).reserve(3_500_000))
            .build();
    try (BackupEngine engine = host.with(plan).clock(now::get).open()) {
      var before = memory.snapshot().keySet();
      var e = assertThrows(BackupException.Sink.class, () -> engine.backup(BackupRequest.full()));
      assertSame(CoreFailure.SINK_FULL, e.code());
      assertEquals(before, memory.snapshot().keySet());
    }
    BackupPlan smaller =
        host.plan(host.sink)
            .source(Host.SOURCE, some())
            .storage(StorageThreshold.warn(30).reserve(1_000_000))
            .build();
    try (BackupEngine engine = host.with(smaller).clock(now::get).open()) {
      CheckResult full = result(engine.preflight(BackupRequest.full()), "sink: check.full");
      assertEquals(Verdict.WARN, full.verdict(), full.toString());
      engine.backup(BackupRequest.full()).requireGood();
    }
    assertThrows(IllegalArgumentException.class, () -> QuotaSink.of(memory, 0));
  }

  @Test
  void only_the_last_thirty_days_count() throws Exception {
    Host host = host(ofGigabyte(memory));
    backUpDaily(host, 3);
    now.updateAndGet(t -> t.plus(Duration.ofDays(60)));

    StorageReport report = storage(host);

    assertEquals(Duration.ofDays(30), report.growth().orElseThrow().over());
    assertEquals(0, report.growth().orElseThrow().bytesPerDay());
    assertEquals(Optional.empty(), report.untilFull());
  }

  @Test
  void what_retention_removes_is_taken_off() throws Exception {
    Host host = host(ofGigabyte(memory));
    Pruning pruning = new Pruning(host).withKeys();
    backUpDaily(host, 5);
    for (int round = 0; round < 3; round++) {
      try (Janitor janitor = pruning.with(1).clock(now::get).open()) {
        Pruning.prune(janitor);
      }
      backUpDaily(host, 1);
    }

    StorageReport.Growth growth = storage(host).growth().orElseThrow();

    assertTrue(growth.releasedPerDay() > 3 * DAILY / 8, growth.toString());
    assertTrue(growth.bytesPerDay() < growth.storedPerDay().get(CONFIG), growth.toString());
  }

  @Test
  void streams_grow_under_their_own_names() throws Exception {
    StreamHost host = new StreamHost(root.resolve("stream"), owner, memory);
    host.backUp("base", 1, 0, 10);
    host.record(session -> ScriptedStream.append(session, 1, 10, 50_000));
    now.set(Instant.now().plus(Duration.ofDays(2)));

    try (BackupRepository repository = BackupRepository.at(memory).clock(now::get).open()) {
      StorageReport report = repository.catalog().storage();
      long perDay =
          report.growth().orElseThrow().streamedPerDay().get(SourceName.of(StreamHost.STREAM));
      assertEquals(report.kinds().get("stream").bytes() / 2.0, perDay, 10);
    }
  }

  @Test
  void pieces_of_a_stream_that_were_merged_and_removed_are_not_taken_off() throws Exception {
    Host host = host(memory);
    Pruning pruning = new Pruning(host).withKeys();
    ReplicaIT.captureAndRecord(
        host,
        pruning,
        "a",
        0,
        10,
        session -> {
          for (long at = 0; at < 50_000; at += 10_000) {
            ScriptedStream.append(session, 1, at, at + 10_000);
          }
          ScriptedStream.merge(session, 1, 0, 50_000);
        });
    pruning.prune(9);
    ReplicaIT.captureAndRecord(
        host,
        pruning,
        "b",
        50_000,
        50_000,
        session -> ScriptedStream.append(session, 1, 50_000, 50_010));
    assertTrue(pruning.prune(9).deletedObjects() >= 5);
    now.set(Instant.now().plus(Duration.ofDays(2)));

    StorageReport report = storage(host);

    StorageReport.Growth growth = report.growth().orElseThrow();
    assertEquals(0, growth.releasedPerDay(), "it was never added");
    assertEquals(
        report.kinds().get("stream").bytes() / 2.0,
        growth.streamedPerDay().get(SourceName.of(StreamHost.STREAM)),
        10);
  }

  @Test
  void what_is_unknown_is_not_nothing() throws Exception {
    Host host = host(memory);
    backUpDaily(host, 1);

    StorageReport report = storage(host);

    assertEquals(OptionalLong.empty(), report.room().freeBytes());
    assertEquals(OptionalInt.empty(), report.room().usedPercent());
    assertEquals(Optional.empty(), report.untilFull());
  }

  private static BytesSource some() {
    return BytesSource.of("some", Fixture.random(1, 100_000));
  }

  private static CheckResult result(List<CheckResult> results, String id) {
    return results.stream().filter(r -> r.id().equals(id)).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"300000000, PASS", "150000000, WARN", "40000000, FAIL"})
  void a_preflight_tells_how_full_it_is(long freeBytes, Verdict verdict) throws Exception {
    Host host = host(ofGigabyte(memory));
    free.set(freeBytes);
    BackupPlan plan =
        host.plan(host.sink)
            .source(Host.SOURCE, some())
            .storage(StorageThreshold.warn(80).critical(95))
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      CheckResult full = result(engine.preflight(BackupRequest.full()), "sink: check.full");
      assertEquals(verdict, full.verdict(), full.toString());
    }
  }

  @Test
  void a_snapshot_is_refused_before_anything_is_stored_while_streams_go_on() throws Exception {
    StreamHost host = new StreamHost(root.resolve("stream"), owner, ofGigabyte(memory));
    host.backUp("base", 1, 0, 10);
    free.set(40_000_000);
    CountDownLatch recorded = new CountDownLatch(1);
    BackupPlan plan =
        host.host.plan(host.host.sink).source(Host.SOURCE, StreamHost.capture(1, 0, 10)).stream(
                StreamHost.STREAM,
                ScriptedStream.doing(
                    session -> ScriptedStream.append(session, 1, 10, 20), recorded))
            .storage(StorageThreshold.warn(80).critical(95))
            .build();
    var before = memory.snapshot().keySet();
    try (BackupEngine engine = host.host.with(plan).open()) {
      var e = assertThrows(BackupException.Sink.class, () -> engine.backup(BackupRequest.full()));
      assertSame(CoreFailure.SINK_FULL, e.code());
      assertEquals(Reason.NO_SPACE, e.reason());
      assertTrue(e.getMessage().contains("96 % of the store are used"), e.getMessage());
      assertEquals(before, memory.snapshot().keySet());

      RunningStream stream = engine.stream(StreamHost.STREAM);
      assertTrue(recorded.await(60, TimeUnit.SECONDS), () -> stream.status().toString());
    }
    assertTrue(
        memory.snapshot().containsKey(ObjectName.of("log/host-a.log/0000000001.entry")),
        memory.snapshot().keySet().toString());
  }

  @Test
  void the_reserve_is_left_after_as_much_as_the_last_snapshots_took() throws Exception {
    Host host = host(ofGigabyte(memory));
    backUpDaily(host, 2);
    BackupPlan plan =
        host.plan(host.sink)
            .source(Host.SOURCE, some())
            .storage(StorageThreshold.warn(80).reserve(10_000_000))
            .build();
    try (BackupEngine engine = host.with(plan).clock(now::get).open()) {
      free.set(10_000_000 + DAILY - 10_000);
      var e = assertThrows(BackupException.Sink.class, () -> engine.backup(BackupRequest.full()));
      assertSame(CoreFailure.SINK_FULL, e.code());
      assertTrue(e.getMessage().contains("10 MB are to stay free"), e.getMessage());

      free.set(10_000_000 + DAILY + 100_000);
      engine.backup(BackupRequest.full()).requireGood();
    }
  }

  @Test
  void thresholds_that_mean_nothing_do_not_build() throws Exception {
    Host host = host(memory);
    var e =
        assertThrows(
            PlanInvalid.class,
            () ->
                host.plan(memory)
                    .source(Host.SOURCE, some())
                    .storage(StorageThreshold.warn(90).critical(80).reserve(-1))
                    .build());
    assertTrue(e.getMessage().contains("warns at 90 %"), e.getMessage());
    assertTrue(e.getMessage().contains("reserve of -1"), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"rwx------, PASS", "rwxr-x---, FAIL", "rwxrwxrwx, FAIL", "rwx-----x, FAIL"})
  void a_directory_that_others_can_enter_is_told_and_takes_no_secrets(String mode, Verdict verdict)
      throws Exception {
    Path store = root.resolve("store");
    Files.createDirectory(store);
    Files.setPosixFilePermissions(store, PosixFilePermissions.fromString(mode));
    Host host = host(DirectorySink.at(store));
    Path secrets = root.resolve(".env");
    Files.writeString(secrets, "PASSWORD=hunter2\n");
    Files.setPosixFilePermissions(secrets, PosixFilePermissions.fromString("rw-------"));
    BackupPlan plan =
        host.plan(host.sink)
            .source(Host.SOURCE, some())
            .source("secrets", SecretSource.dotenv(secrets, "PASSWORD"))
            .build();

    try (BackupEngine engine = host.with(plan).open()) {
      CheckResult found = result(engine.preflight(BackupRequest.full()), "sink: check.mode");
      assertEquals(verdict, found.verdict(), found.toString());

      engine.backup(BackupRequest.full().only(Host.SOURCE)).requireGood();
      if (verdict == Verdict.PASS) {
        engine.backup(BackupRequest.full()).requireGood();
        return;
      }
      var e = assertThrows(BackupException.Sink.class, () -> engine.backup(BackupRequest.full()));
      assertSame(CoreFailure.STORE_EXPOSED, e.code());
      assertTrue(e.getMessage().contains("chmod 700 " + store), e.getMessage());
      assertFalse(e.getMessage().contains("hunter2"));
    }
  }

  @Test
  void a_place_in_which_others_may_put_another_directory_is_told() throws Exception {
    Path open = Files.createDirectory(root.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    Host host = host(DirectorySink.at(open.resolve("store")));
    BackupPlan plan = host.plan(host.sink).source(Host.SOURCE, some()).build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full()).requireGood();
      CheckResult place = result(engine.preflight(BackupRequest.full()), "sink: check.place");
      assertEquals(Verdict.WARN, place.verdict(), place.toString());
    }
  }
}
