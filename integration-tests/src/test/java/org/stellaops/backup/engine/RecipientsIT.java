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
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
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
