package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.testkit.MemorySink;

/** Every recipient of a plan can restore all that the plan backed up, and nobody else can. */
class RecipientsIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(1, 100_000));
  private AgeIdentity ops;
  private AgeIdentity escrow;

  @BeforeEach
  void generate() throws IOException {
    ops = AgeIdentity.generate();
    escrow = AgeIdentity.generate();
  }

  @AfterEach
  void wipe() {
    ops.close();
    escrow.close();
  }

  @Test
  void a_recipient_that_is_added_can_restore_what_is_backed_up_from_then_on() throws Exception {
    Host host = new Host(root.resolve("host"), ops.recipient(), sink).withKeys();
    BackupReport before = backUp(host, "before");
    BackupReport after = backUp(host, "after", escrow.recipient());
    for (AgeIdentity owner : new AgeIdentity[] {ops, escrow}) {
      try (BackupRepository repository = host.repository(owner)) {
        Host.assertComplete(repository, after.snapshot(), source, owner);
      }
    }
    try (BackupRepository repository = host.repository(escrow)) {
      assertThrows(
          BackupException.Crypto.class,
          () -> Host.assertRestores(repository, before.snapshot(), source.artifacts()));
    }
    assertEquals(0, backUp(host, "the-same", escrow.recipient()).newBytes());
    assertEquals(0, backUp(host, "without", new Recipient[0]).newBytes());
    host.assertNextRunSucceeds(source, ops);
  }

  @Test
  void a_passphrase_that_is_changed_opens_what_is_backed_up_from_then_on() throws Exception {
    Host before = new Host(root.resolve("host"), phrase("old"), sink).withKeys();
    SnapshotId old = backUp(before, "before").snapshot();
    Host after = new Host(root.resolve("host"), phrase("new"), sink);
    SnapshotId fresh = backUp(after, "after").snapshot();
    try (AgeIdentity knowsNew = AgeIdentity.passphrase(Secret.of("new"));
        AgeIdentity knowsOld = AgeIdentity.passphrase(Secret.of("old"))) {
      assertOpens(after, fresh, knowsNew, knowsOld);
      assertOpens(after, old, knowsOld, knowsNew);
    }
    // The same passphrase again is the same recipient, though each object of it has a label.
    assertEquals(
        0, backUp(new Host(root.resolve("host"), phrase("new"), sink), "again").newBytes());
  }

  private static Recipient phrase(String text) {
    return AgeRecipient.passphrase(Secret.of(text));
  }

  private void assertOpens(Host host, SnapshotId snapshot, AgeIdentity right, AgeIdentity wrong)
      throws IOException {
    try (BackupRepository repository = host.repository(right)) {
      Host.assertRestores(repository, snapshot, source.artifacts());
    }
    try (BackupRepository repository = host.repository(wrong)) {
      assertThrows(
          BackupException.Crypto.class,
          () -> Host.assertRestores(repository, snapshot, source.artifacts()));
    }
  }

  private BackupReport backUp(Host host, String name, Recipient... more) throws BackupException {
    BackupPlan.Builder plan = host.plan(sink).source(Host.SOURCE, source);
    for (Recipient recipient : more) {
      plan.encryptTo(recipient);
    }
    try (BackupEngine engine = host.with(plan.build()).open()) {
      return engine.backup(BackupRequest.full().named(name));
    }
  }
}
