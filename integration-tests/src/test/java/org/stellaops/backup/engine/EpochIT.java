package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
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
import org.stellaops.backup.RepositoryKeys;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.EpochHeader;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/** Who can read what, and how that changes without a pack or a manifest being touched. */
class EpochIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(1, 60_000));
  private final List<AgeIdentity> identities = new ArrayList<>();
  private AgeIdentity ops;
  private AgeIdentity escrow;
  private Host host;
  private int hosts;

  @BeforeEach
  void oneSnapshot() throws IOException {
    ops = generate();
    escrow = generate();
    host = new Host(root.resolve("host"), ops.recipient(), sink).withKeys();
    host.backUp(source, "first");
  }

  @AfterEach
  void wipe() {
    identities.forEach(AgeIdentity::close);
  }

  private AgeIdentity generate() throws IOException {
    AgeIdentity identity = AgeIdentity.generate();
    identities.add(identity);
    return identity;
  }

  /** Something that is done with the keys of the repository. */
  @FunctionalInterface
  private interface Change<T> {
    T run(RepositoryKeys keys) throws BackupException;
  }

  private <T> T change(BackupSink through, Change<T> change) throws BackupException {
    try (BackupEngine engine = host.with(source, through).open()) {
      return change.run(engine.keys());
    }
  }

  private EpochHeader newest() throws BackupException {
    List<EpochHeader> epochs = change(sink, RepositoryKeys::epochs);
    return epochs.get(epochs.size() - 1);
  }

  private BackupReport backUp(String name, Recipient... more) throws BackupException {
    BackupPlan.Builder plan = host.plan(sink).source(Host.SOURCE, source);
    for (Recipient recipient : more) {
      plan.encryptTo(recipient);
    }
    try (BackupEngine engine = host.with(plan.build()).open()) {
      return engine.backup(BackupRequest.full().named(name));
    }
  }

  private void assertReads(Identity who, String snapshot) throws IOException {
    try (BackupRepository repository = host.repository(who)) {
      Host.assertRestores(repository, SnapshotRef.named(snapshot), source.artifacts());
    }
  }

  private void assertCannotRead(Identity who, String snapshot) {
    assertThrows(BackupException.Crypto.class, () -> assertReads(who, snapshot));
  }

  @Test
  void a_rewrap_opens_what_was_backed_up_and_touches_one_key_and_the_log_of_keys()
      throws Exception {
    assertCannotRead(escrow, "first");
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    EpochHeader epoch = newest();
    EpochHeader wrapped = change(sink, keys -> keys.rewrap(epoch.id(), ops, escrow.recipient()));
    assertEquals(epoch.id(), wrapped.id());
    assertTrue(
        wrapped.readers().containsAll(List.of(ops.recipient().text(), escrow.recipient().text())));
    SortedMap<ObjectName, byte[]> after = sink.snapshot();
    after.keySet().removeAll(before.keySet());
    assertEquals(
        List.of("keys/" + epoch.id() + "-2.age", "log/admin/0000000002.entry"),
        after.keySet().stream().map(ObjectName::value).toList());
    assertReads(ops, "first");
    assertReads(escrow, "first");
    assertEquals(0, backUp("second", escrow.recipient()).newBytes(), "the same epoch goes on");
    assertReads(escrow, "second");
    try (BackupRepository repository = host.repository(ops)) {
      assertTrue(repository.check(Verification.full(escrow)).isIntact());
    }
  }

  @Test
  void a_passphrase_that_is_added_opens_what_was_backed_up_and_ends_no_epoch() throws Exception {
    try (Secret words = Secret.of("correct horse");
        AgeIdentity safe = AgeIdentity.passphrase(words)) {
      EpochHeader epoch = newest();
      change(sink, keys -> keys.rewrap(epoch.id(), ops, AgeRecipient.passphrase(words)));
      assertReads(safe, "first");
      assertEquals(0, backUp("second").newBytes());
      assertReads(safe, "second");
      assertReads(ops, "second");
    }
  }

  @Test
  void a_rewrap_needs_an_identity_that_opens_the_epoch() throws Exception {
    EpochHeader epoch = newest();
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    assertThrows(
        BackupException.Crypto.class,
        () -> change(sink, keys -> keys.rewrap(epoch.id(), escrow, escrow.recipient())));
    assertThrows(
        BackupException.Refused.class,
        () -> change(sink, keys -> keys.rewrap("0123456789abcdef", ops, escrow.recipient())));
    assertEquals(before.keySet(), sink.snapshot().keySet());
    assertEquals(
        newest(), change(sink, keys -> keys.rewrap(epoch.id(), ops, ops.recipient())), "no news");
    assertEquals(before.keySet(), sink.snapshot().keySet());
  }

  @Test
  void without_a_recipient_a_new_epoch_begins_and_the_old_stays_as_readable_as_it_was()
      throws Exception {
    backUp("both", escrow.recipient());
    EpochHeader rest = change(sink, keys -> keys.newEpochWithout(escrow.recipient().text()));
    assertEquals(List.of(ops.recipient().text()), rest.readers());
    assertTrue(backUp("after").newBytes() > 0, "a new epoch stores everything anew");
    assertReads(ops, "after");
    assertCannotRead(escrow, "after");
    assertReads(escrow, "both");
    var refused =
        assertThrows(
            BackupException.Refused.class,
            () -> change(sink, keys -> keys.newEpochWithout(ops.recipient().text())));
    assertEquals(CoreFailure.LAST_RECIPIENT, refused.code());
  }

  @Test
  void taking_a_recipient_out_once_more_begins_nothing_and_who_never_was_in_is_not_found()
      throws Exception {
    backUp("both", escrow.recipient());
    EpochHeader rest = change(sink, keys -> keys.newEpochWithout(escrow.recipient().text()));
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    assertEquals(rest, change(sink, keys -> keys.newEpochWithout(escrow.recipient().text())));
    AgeIdentity stranger = generate();
    var refused =
        assertThrows(
            BackupException.Refused.class,
            () -> change(sink, keys -> keys.newEpochWithout(stranger.recipient().text())));
    assertEquals(CoreFailure.NOT_FOUND, refused.code());
    assertEquals(before.keySet(), sink.snapshot().keySet());
    change(sink, keys -> keys.newEpoch(ops.recipient(), stranger.recipient()));
    refused =
        assertThrows(
            BackupException.Refused.class,
            () -> change(sink, keys -> keys.newEpochWithout(escrow.recipient().text())),
            "nobody took it out of an epoch for these");
    assertEquals(CoreFailure.NOT_FOUND, refused.code());
  }

  @Test
  void an_epoch_for_the_same_recipients_takes_the_place_of_the_one_before() throws Exception {
    EpochHeader before = newest();
    EpochHeader fresh = change(sink, keys -> keys.newEpoch(ops.recipient()));
    assertTrue(!before.id().equals(fresh.id()));
    assertTrue(backUp("second").newBytes() > 0);
    assertEquals(0, backUp("third").newBytes());
    assertEquals(2, change(sink, RepositoryKeys::epochs).size());
    assertReads(ops, "first");
    assertReads(ops, "third");
  }

  @Test
  void a_strict_plan_takes_only_an_epoch_that_an_administrator_made() throws Exception {
    WriterKeyFile admin = WriterKeyFile.at(root.resolve("admin.key")).named("ops-admin");
    admin.open().close();
    Trust trust = new Trust(List.of(new Trust.Signer(List.of("admin"), admin.id().publicKey())));
    BackupPlan strict =
        host.plan(sink).source(Host.SOURCE, source).trust(trust).onlyEpochsMadeElsewhere().build();
    try (BackupEngine engine = host.with(strict).open()) {
      var refused =
          assertThrows(
              BackupException.Refused.class,
              () -> engine.backup(BackupRequest.full().named("refused")));
      assertEquals(CoreFailure.EPOCH_MISSING, refused.code());
    }
    try (BackupRepository elsewhere =
        BackupRepository.at(sink)
            .trust(trust.and(Trust.owner(host.keys().id())))
            .signedBy(admin)
            .open()) {
      EpochHeader made = elsewhere.keys().newEpoch(ops.recipient());
      assertEquals(admin.id().publicKey(), made.madeBy());
    }
    try (BackupEngine engine = host.with(strict).open()) {
      assertTrue(engine.backup(BackupRequest.full().named("strict")).newBytes() > 0);
    }
    assertReads(ops, "strict");
  }

  @Test
  void one_fault_in_a_rewrap_or_a_new_epoch_costs_no_snapshot() throws Exception {
    exhaust(19);
  }

  @Test
  @Tag("soak")
  void every_fault_in_a_rewrap_or_a_new_epoch_costs_no_snapshot() throws Exception {
    exhaust(1);
  }

  private void exhaust(int stride) throws Exception {
    EpochHeader epoch = newest();
    exhaust(keys -> keys.rewrap(epoch.id(), ops, escrow.recipient()), stride);
    exhaust(keys -> keys.newEpoch(ops.recipient(), escrow.recipient()), stride);
  }

  /** Each operation fails; another engine backs up; then the change is called again. */
  private void exhaust(Change<EpochHeader> change, int stride) throws Exception {
    Host template = host;
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    FaultPlan none = FaultPlan.none();
    host = template.copy(root.resolve("host-" + hosts++), sink);
    change(none.on(sink), change);
    for (When when : When.values()) {
      for (long n = when.ordinal(); n < none.operations(); n += stride) {
        sink.reset(before);
        host = template.copy(root.resolve("host-" + hosts++), sink);
        FaultPlan plan = FaultPlan.failing(n, when);
        try {
          change(plan.on(sink), change);
        } catch (BackupException.Sink e) {
          assertTrue(plan.hasFired(), plan.toString());
        }
        backUp("between");
        change(sink, change);
        backUp("after", escrow.recipient());
        for (String snapshot : List.of("first", "between", "after")) {
          assertReads(ops, snapshot);
        }
        assertReads(escrow, "after");
      }
    }
    sink.reset(before);
    host = template;
  }

  @Test
  void a_backup_that_runs_while_keys_change_is_whole() throws Exception {
    EpochHeader epoch = newest();
    List<String> entries = new ArrayList<>();
    BackupSink watched =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("put w/host-a/manifests/") && entries.isEmpty()) {
                entries.add(operation);
                change(sink, keys -> keys.rewrap(epoch.id(), ops, escrow.recipient()));
                change(sink, keys -> keys.newEpoch(ops.recipient()));
              }
            });
    host.backUp(source, "meanwhile", watched);
    assertEquals(1, entries.size());
    assertReads(ops, "meanwhile");
    assertReads(escrow, "meanwhile");
  }
}
