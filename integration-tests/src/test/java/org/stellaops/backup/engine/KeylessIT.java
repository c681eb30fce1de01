package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.WriterKeys;
import org.stellaops.backup.testkit.Damage;
import org.stellaops.backup.testkit.MemorySink;

/** A backup host: it has recipients, which are public, and its writer's keys, and nothing else. */
class KeylessIT {
  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private WriterKeyFile keys;
  private String recipient;

  @BeforeEach
  void theOwnerIsFarAway() throws IOException {
    keys = WriterKeyFile.at(root.resolve("writer.key")).named("host-a");
    try (AgeIdentity owner = AgeIdentity.generate()) {
      recipient = owner.recipient().text();
    }
  }

  private BackupPlan plan(BytesSource source) {
    return BackupPlan.named("keyless")
        .source("files", source)
        .encryptTo(AgeRecipient.parse(recipient))
        .writer(keys)
        .sink(sink)
        .build();
  }

  @Test
  void it_backs_up_lists_and_verifies_stored_bytes() throws IOException {
    BytesSource source = BytesSource.of("a", Fixture.random(1, 3_000_000));
    BackupReport first;
    try (BackupEngine engine = BackupEngine.open(plan(source))) {
      first = engine.backup(BackupRequest.full().named("first"));
    }
    try (BackupEngine engine = BackupEngine.open(plan(source))) {
      BackupReport second = engine.backup(BackupRequest.full().named("second"));
      assertEquals(0, second.newBytes(), "its own state tells it what is stored");
      SnapshotSummary listed = engine.catalog().list(SnapshotFilter.all()).get(1);
      assertEquals(first.snapshot(), listed.id());
      assertTrue(listed.isAuthenticated());
      assertEquals(3_000_000, listed.plainBytes());
      VerificationReport verified = engine.verify(first.snapshot());
      assertEquals(Verdict.INTACT, verified.verdict());
      assertEquals(Depth.STORED, verified.depth(), "never more than it looked at");
      assertTrue(verified.bytes() > 3_000_000, verified.toString());
      assertTrue(engine.check(Verification.stored()).isIntact());
    }
  }

  @Test
  void it_finds_damage_without_a_key() throws IOException {
    try (BackupEngine engine =
        BackupEngine.open(plan(BytesSource.of("a", Fixture.random(1, 1000))))) {
      BackupReport report = engine.backup(BackupRequest.full());
      var pack =
          sink.raw().names().stream()
              .filter(n -> n.value().contains("/packs/"))
              .findFirst()
              .orElseThrow();
      Damage.flip(pack, 5000, 1)
          .during(
              sink.raw(),
              () -> {
                var damaged =
                    assertThrows(
                        BackupException.Corrupt.class, () -> engine.verify(report.snapshot()));
                assertTrue(damaged.getMessage().contains(pack.value()), damaged.getMessage());
              });
      var recorded = engine.catalog().info(report.snapshot()).verification().orElseThrow();
      assertEquals(Verdict.DAMAGED, recorded.verdict());
      assertEquals(
          1,
          engine.catalog().list(SnapshotFilter.all().unverified()).size(),
          "damaged is unverified");
    }
  }

  @Test
  void reading_content_is_refused_when_it_is_planned() throws IOException {
    try (BackupEngine engine =
        BackupEngine.open(plan(BytesSource.of("a", Fixture.random(1, 1000))))) {
      BackupReport report = engine.backup(BackupRequest.full());
      RestoreRequest request =
          RestoreRequest.of(report.snapshot()).target("files", new BytesSource.Target());
      var refused = assertThrows(BackupException.Crypto.class, () -> engine.planRestore(request));
      assertEquals(CoreFailure.KEY_UNAVAILABLE, refused.code());
    }
  }

  @Test
  void the_writers_own_keys_open_no_snapshot() throws IOException {
    try (BackupEngine engine =
            BackupEngine.open(plan(BytesSource.of("a", Fixture.random(1, 1000))));
        WriterKeys mine = keys.open()) {
      BackupReport report = engine.backup(BackupRequest.full());
      RestoreRequest request = RestoreRequest.of(report.snapshot()).with(mine.stateIdentity());
      var refused = assertThrows(BackupException.Crypto.class, () -> engine.planRestore(request));
      assertEquals(CoreFailure.WRONG_KEY, refused.code());
      assertThrows(
          BackupException.Crypto.class,
          () -> engine.verify(report.snapshot(), Verification.full(mine.stateIdentity())));
    }
  }

  @Test
  void nothing_that_is_stored_in_clear_holds_content_paths_or_the_identity_of_an_epoch()
      throws IOException {
    String secret = "content-that-must-not-leak";
    BytesSource source =
        BytesSource.of("artifact-name-that-must-not-leak", secret.repeat(2000).getBytes("UTF-8"));
    try (BackupEngine engine = BackupEngine.open(plan(source))) {
      engine.verify(engine.backup(BackupRequest.full()).snapshot());
    }
    for (var object : sink.snapshot().entrySet()) {
      String bytes = new String(object.getValue(), "ISO-8859-1");
      for (String canary :
          List.of(secret, "artifact-name-that-must-not-leak", "AGE-SECRET-KEY", "PRIVATE KEY")) {
        assertFalse(bytes.contains(canary), object.getKey() + " holds " + canary);
      }
    }
  }
}
