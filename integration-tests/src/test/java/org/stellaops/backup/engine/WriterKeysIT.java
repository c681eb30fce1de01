package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Principal;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.store.ForwardingStore;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/** A writer's key gives way to another, or its log is ended; the chain stays whole. */
class WriterKeysIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(1, 60_000));
  private AgeIdentity owner;
  private Host host;
  private WriterId before;
  private WriterKeyFile stolen;

  @BeforeEach
  void oneSnapshot() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    host.backUp(source, "first");
    before = host.keys().id();
    stolen = WriterKeyFile.at(root.resolve("stolen.key")).named("host-a");
    Files.copy(root.resolve("host/writer.key"), root.resolve("stolen.key"));
    Files.setPosixFilePermissions(
        root.resolve("stolen.key"), PosixFilePermissions.fromString("rw-------"));
  }

  @AfterEach
  void wipe() {
    owner.close();
  }

  private void rotate(BackupSink through) throws BackupException {
    try (BackupEngine engine = host.with(source, through).open()) {
      engine.keys().rotateWriter();
    }
  }

  private BackupRepository opened(Trust trust) throws BackupException {
    return BackupRepository.at(sink).identity(owner).trust(trust).executor(Runnable::run).open();
  }

  private List<String> trusted(Trust trust) throws BackupException {
    try (BackupRepository repository = opened(trust)) {
      return repository.catalog().list(SnapshotFilter.all()).stream()
          .filter(SnapshotSummary::isAuthenticated)
          .map(s -> s.name().value())
          .sorted()
          .toList();
    }
  }

  private List<Finding> damage(Trust trust) throws BackupException {
    try (BackupRepository repository = opened(trust)) {
      return repository.check(Verification.full(owner)).damage();
    }
  }

  private String entry(int slot) throws IOException {
    return new String(sink.raw().read(name(slot)), StandardCharsets.US_ASCII);
  }

  private static ObjectName name(int slot) {
    return ObjectName.of("log/host-a/%010d.entry".formatted(slot));
  }

  private void write(int slot, String entry) throws IOException {
    sink.raw().write(name(slot), entry.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void a_rotation_keeps_chain_and_deduplication_and_whoever_pinned_the_old_key_follows()
      throws Exception {
    rotate(sink);
    BackupReport after = host.backUp(source, "second");
    assertEquals(0, after.newBytes(), "what names chunks stays");
    WriterId next = host.keys().id();
    assertFalse(next.publicKey().equals(before.publicKey()));
    for (Trust trust : List.of(Trust.owner(before), Trust.owner(next))) {
      assertEquals(List.of("first", "second"), trusted(trust));
      assertEquals(List.of(), damage(trust));
    }
    rotate(sink);
    host.backUp(source, "third");
    for (Trust trust :
        List.of(Trust.owner(before), Trust.owner(next), Trust.owner(host.keys().id()))) {
      assertEquals(List.of("first", "second", "third"), trusted(trust));
      assertEquals(List.of(), damage(trust));
    }
  }

  private static BackupException.Sink gone() {
    return new BackupException.Sink(
        CoreFailure.SINK_FAILED, BackupException.Sink.Reason.REFUSED, "the process is gone");
  }

  /** What is put into the writer's log is there, and nobody hears of it. */
  private BackupSink dyingBehindItsEntry() {
    return sink.with(
        store ->
            new ForwardingStore(store) {
              private boolean isDead;

              @Override
              public void put(ObjectName name, ObjectBody body) throws IOException {
                super.put(name, body);
                isDead |= name.value().startsWith("log/host-a/");
                if (isDead) {
                  throw gone();
                }
              }

              @Override
              public InputStream open(ObjectName name, ByteRange range) throws IOException {
                if (isDead) {
                  throw gone();
                }
                return super.open(name, range);
              }
            });
  }

  @Test
  void a_rotation_that_died_behind_its_entry_is_finished_when_the_engine_is_opened()
      throws Exception {
    assertThrows(BackupException.Sink.class, () -> rotate(dyingBehindItsEntry()));
    assertTrue(entry(3).contains("# kind: rotate"));
    assertEquals(before, host.keys().id(), "its next key waits");
    host.backUp(source, "second").requireGood();
    assertFalse(host.keys().id().publicKey().equals(before.publicKey()));
    assertFalse(Files.exists(root.resolve("host/writer.key.next")));
    for (Trust trust : List.of(Trust.owner(before), Trust.owner(host.keys().id()))) {
      assertEquals(List.of("first", "second"), trusted(trust));
      assertEquals(List.of(), damage(trust));
    }
  }

  @Test
  void a_rotation_that_died_before_its_entry_is_not_finished_by_itself() throws Exception {
    BackupSink dying =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("put log/host-a/")) {
                throw gone();
              }
            });
    assertThrows(BackupException.Sink.class, () -> rotate(dying));
    assertTrue(Files.exists(root.resolve("host/writer.key.next")));
    host.backUp(source, "second").requireGood();
    assertEquals(before, host.keys().id());
    assertEquals(List.of("first", "second"), trusted(Trust.owner(before)));
  }

  @Test
  void after_a_rotation_the_old_key_is_refused_and_what_it_signs_is_damage() throws Exception {
    try (BackupEngine old = host.with(source, sink).open()) {
      rotate(sink);
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> old.backup(BackupRequest.full().named("refused")));
      assertEquals(CoreFailure.KEY_RETIRED, refused.code());
    }
    write(
        4,
        Forgery.after(entry(3))
            .body(snapshotBody())
            .replace("kind: rotate", "kind: snapshot")
            .signedBy(stolen));
    for (Trust trust :
        List.of(Trust.owner(before), Trust.owner(host.keys().id()).and(Trust.owner(before)))) {
      assertEquals(List.of("first"), trusted(trust));
      assertTrue(
          damage(trust).stream().anyMatch(f -> f.code() == CoreFailure.KEY_RETIRED),
          () -> "the stolen key's entry is damage");
    }
  }

  private String snapshotBody() throws IOException {
    String first = entry(2);
    int seen = first.indexOf("\n# seen: ");
    return first
        .substring(first.indexOf('\n', seen + 1) + 1, first.indexOf("\n#sig ") + 1)
        .replace("# name: first", "# name: forged")
        .replaceAll("# snapshot: 01.*", "# snapshot: 01m7zzzzzzzzzzzzzzzzzzzzzz");
  }

  @Test
  void the_old_key_speaks_in_no_other_log_either_once_it_gave_way() throws Exception {
    rotate(sink);
    host.backUp(source, "second");
    String forged =
        Forgery.first(entry(3), "retention")
            .body("")
            .replace("kind: rotate", "kind: doom")
            .signedBy(stolen);
    sink.raw()
        .write(
            ObjectName.of("log/retention/0000000001.entry"),
            forged.getBytes(StandardCharsets.US_ASCII));
    List<Finding> damage = damage(Trust.owner(before));
    assertEquals(1, damage.size(), damage.toString());
    assertEquals(CoreFailure.KEY_RETIRED, damage.get(0).code());
    assertEquals("log/retention/0000000001.entry", damage.get(0).subject());
  }

  @Test
  void a_key_that_ran_out_is_not_believed_in_later_entries_whatever_time_they_say()
      throws Exception {
    String first = entry(2);
    String time = first.replaceAll("(?s).*\n# time: (\\S+)\n.*", "$1");
    Instant end = Instant.parse(time).truncatedTo(ChronoUnit.SECONDS).plusSeconds(3600);
    Trust until =
        new Trust(
            List.of(
                new Trust.Signer(
                    List.of("host-a", "admin", "verify"), before.publicKey(), Instant.MIN, end)));
    assertEquals(List.of("first"), trusted(until));
    assertEquals(until, Trust.allowedSigners(until.toAllowedSigners()));
    write(
        3,
        Forgery.after(first)
            .replace("# time: .*", "# time: " + end.plusSeconds(1))
            .replace("# name: first", "# name: late")
            .signedBy(stolen));
    assertEquals(List.of("first"), trusted(until));
    assertTrue(damage(until).stream().anyMatch(f -> f.code() == CoreFailure.UNTRUSTED_WRITER));
  }

  @Test
  void one_fault_in_a_rotation_leaves_it_to_be_called_again_and_costs_no_snapshot()
      throws Exception {
    exhaust(13);
  }

  @Test
  @Tag("soak")
  void every_fault_in_a_rotation_leaves_it_to_be_called_again_and_costs_no_snapshot()
      throws Exception {
    exhaust(1);
  }

  private void exhaust(int stride) throws Exception {
    SortedMap<ObjectName, byte[]> objects = sink.snapshot();
    Host template = host;
    FaultPlan none = FaultPlan.none();
    host = template.copy(root.resolve("none"), sink);
    rotate(none.on(sink));
    int number = 0;
    for (When when : When.values()) {
      for (long n = when.ordinal(); n < none.operations(); n += stride) {
        sink.reset(objects);
        host = template.copy(root.resolve("fault" + number), sink);
        number++;
        FaultPlan plan = FaultPlan.failing(n, when);
        try {
          rotate(plan.on(sink));
        } catch (BackupException.Sink e) {
          assertTrue(plan.hasFired(), plan.toString());
          rotate(sink);
        }
        assertEquals(0, host.backUp(source, "second").newBytes(), plan.toString());
        WriterId now = host.keys().id();
        assertFalse(now.publicKey().equals(before.publicKey()), plan.toString());
        for (Trust trust : List.of(Trust.owner(before), Trust.owner(now))) {
          assertEquals(List.of("first", "second"), trusted(trust), plan.toString());
        }
      }
    }
  }

  @Test
  void a_backup_that_a_rotation_overtakes_fails_and_leaves_nothing() throws Exception {
    List<String> overtaken = new ArrayList<>();
    BackupSink watched =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("put log/host-a/") && overtaken.isEmpty()) {
                overtaken.add(operation);
                rotate(sink);
              }
            });
    var refused =
        assertThrows(
            BackupException.Refused.class, () -> host.backUp(source, "overtaken", watched));
    assertEquals(CoreFailure.KEY_RETIRED, refused.code());
    host.backUp(source, "second");
    assertEquals(List.of("first", "second"), trusted(Trust.owner(before)));
    assertEquals(List.of(), damage(Trust.owner(before)));
  }

  private WriterKeyFile admin() throws IOException {
    WriterKeyFile admin = WriterKeyFile.at(root.resolve("admin.key")).named("ops-admin");
    admin.open().close();
    return admin;
  }

  private static Trust with(WriterKeyFile admin, WriterId writer) throws IOException {
    return Trust.owner(writer)
        .and(new Trust(List.of(new Trust.Signer(List.of("admin"), admin.id().publicKey()))));
  }

  @Test
  void a_seal_ends_a_log_for_its_writer_and_for_whoever_has_its_key() throws Exception {
    WriterKeyFile admin = admin();
    Trust trust = with(admin, before);
    try (BackupRepository repository =
        BackupRepository.at(sink).trust(trust).signedBy(admin).open()) {
      repository.keys().seal("host-a", "keys lost on 2026-11-20");
      repository.keys().seal("host-a", "a second time changes nothing");
      repository.keys().admit(new WriterId("host-b", admin.id().publicKey()));
      repository.keys().revoke(before);
      assertEquals(
          List.of(
              new Principal("host-b", admin.id().publicKey(), false),
              new Principal("host-a", before.publicKey(), true)),
          repository.keys().principals());
    }
    assertTrue(entry(3).contains("\n# kind: seal\n"));
    assertFalse(sink.snapshot().containsKey(name(4)));
    try (BackupEngine engine =
        host.with(host.plan(sink).source(Host.SOURCE, source).trust(trust).build()).open()) {
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> engine.backup(BackupRequest.full().named("refused")));
      assertEquals(CoreFailure.SEALED, refused.code());
      assertTrue(String.valueOf(refused.getMessage()).contains("new writer name"));
    }
    assertEquals(List.of("first"), trusted(trust));
    assertEquals(List.of(), damage(trust));
    write(
        4,
        Forgery.after(entry(3))
            .body(snapshotBody())
            .replace("kind: seal", "kind: snapshot")
            .signedBy(stolen));
    assertEquals(List.of("first"), trusted(trust));
    assertTrue(damage(trust).stream().anyMatch(f -> f.code() == CoreFailure.SEALED));
  }

  @Test
  void nobody_but_an_administrator_ends_a_log_and_no_writer_its_own() throws Exception {
    WriterKeyFile admin = admin();
    try (BackupRepository repository =
        BackupRepository.at(sink).trust(Trust.owner(before)).signedBy(admin).open()) {
      var refused =
          assertThrows(
              BackupException.Refused.class, () -> repository.keys().seal("host-a", "mischief"));
      assertEquals(CoreFailure.UNTRUSTED_WRITER, refused.code());
    }
    try (BackupEngine engine = host.with(source, sink).open()) {
      assertThrows(BackupException.Refused.class, () -> engine.keys().seal("host-a", "by itself"));
    }
    try (BackupRepository reader = opened(Trust.owner(before))) {
      var refused =
          assertThrows(
              BackupException.Refused.class, () -> reader.keys().seal("host-a", "without a key"));
      assertEquals(CoreFailure.KEY_UNAVAILABLE, refused.code());
    }
    write(
        3,
        Forgery.after(entry(2))
            .body("# reason: forged\n")
            .replace("kind: snapshot", "kind: seal")
            .signedBy(admin));
    assertEquals(List.of("first"), trusted(Trust.owner(before)));
    assertEquals(CoreFailure.UNTRUSTED_WRITER, damage(Trust.owner(before)).get(0).code());
  }
}
