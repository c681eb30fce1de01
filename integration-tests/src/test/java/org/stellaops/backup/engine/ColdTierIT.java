package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RetrievalStatus;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.testkit.MemorySink;

/** What lies in a cold tier is asked for before a restore begins, and not met in the middle. */
class ColdTierIT {
  private static final Duration DAY = Duration.ofDays(1);

  @TempDir Path root;
  private final MemorySink archive = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(1, 100_000));
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void copied() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), new MemorySink()).withKeys();
    host.backUp(BytesSource.of("a", Fixture.random(2, 100_000)), "other");
    host.backUp(source, "wanted");
    try (BackupRepository repository = host.repository(owner)) {
      repository.copy(CopyRequest.to(archive)).requireComplete();
    }
  }

  @AfterEach
  void closed() {
    owner.close();
    archive.assertNothingOpen();
  }

  private static RestoreRequest request(BytesSource.Target target) {
    return RestoreRequest.of(SnapshotRef.named("wanted")).target(Host.SOURCE, target);
  }

  @Test
  void a_plan_says_what_is_to_be_retrieved_and_passes_when_it_is() throws IOException {
    ColdTier cold = new ColdTier(n -> n.value().contains("/packs/"));
    try (BackupRepository repository = host.repository(owner, cold.on(archive))) {
      BytesSource.Target target = new BytesSource.Target();
      RestorePlan plan = repository.planRestore(request(target));
      assertEquals(
          List.of(CoreFailure.NOT_RETRIEVED), plan.blockers().stream().map(Finding::code).toList());
      RetrievalStatus before = repository.retrieval(request(target));
      assertTrue(before.cold() > 0);
      assertTrue(
          plan.blockers().get(0).found().contains(before.missingBytes() + " bytes"),
          plan.describe());
      var blocked =
          assertThrows(
              BackupException.Refused.class,
              () -> repository.restore(plan, Confirmation.of(plan.digest())));
      assertEquals(CoreFailure.BLOCKED, blocked.code());
      assertEquals(Set.of(), cold.requested, "planning asks for nothing: it costs money");
      RetrievalStatus asked = repository.warmUp(request(target), DAY);
      assertEquals(0, asked.cold());
      assertEquals(before.cold(), asked.underWay());
      assertEquals(before.cold(), cold.requested.size());
      assertFalse(repository.planRestore(request(target)).isPossible(), "it takes hours");
      assertEquals(asked, repository.warmUp(request(target), DAY), "asking again changes nothing");
      cold.hoursPass();
      assertTrue(repository.retrieval(request(target)).isReady());
      RestorePlan later = repository.planRestore(request(target));
      assertTrue(later.isPossible(), later.describe());
      repository.restore(later, Confirmation.of(later.digest()));
      assertEquals(source.artifacts().keySet(), target.restored.keySet());
    }
  }

  @Test
  void where_everything_but_logs_and_keys_is_cold_it_takes_two_rounds() throws IOException {
    ColdTier cold = new ColdTier(n -> n.value().startsWith("w/"));
    try (BackupRepository repository = host.repository(owner, cold.on(archive))) {
      BytesSource.Target target = new BytesSource.Target();
      var refused =
          assertThrows(
              BackupException.Refused.class, () -> repository.planRestore(request(target)));
      assertEquals(CoreFailure.NOT_RETRIEVED, refused.code());
      assertTrue(refused.getMessage().contains("warmUp"), refused.getMessage());
      assertFalse(repository.warmUp(request(target), DAY).isAllKnown());
      cold.hoursPass();
      RetrievalStatus second = repository.warmUp(request(target), DAY);
      assertTrue(second.isAllKnown());
      assertTrue(second.underWay() > 0);
      cold.hoursPass();
      Host.assertRestores(repository, SnapshotRef.named("wanted"), source.artifacts());
    }
  }
}
