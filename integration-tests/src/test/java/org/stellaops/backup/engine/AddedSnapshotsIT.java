package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.retention.Retention;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.RetentionPolicy;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Whoever has a writer's keys adds as many snapshots as he likes, signed as they should be and
 * worth nothing, so that rules let go of the good ones.
 */
class AddedSnapshotsIT {
  private static final int ADDED = 12;

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-11-01T02:00:00Z"));
  private AgeIdentity owner;
  private Host host;
  private Trust trust;

  @BeforeEach
  void fiveGoodDays() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    janitor().open().close();
    auditor().open().close();
    WriterId writer = host.keys().id();
    trust =
        new Trust(
            List.of(
                new Trust.Signer(List.of(writer.name(), "admin"), writer.publicKey()),
                new Trust.Signer(List.of("retention"), janitor().id().publicKey()),
                new Trust.Signer(List.of("verify"), auditor().id().publicKey())));
    for (int day = 1; day <= 5; day++) {
      backUp("good-" + day, day);
      now.updateAndGet(t -> t.plus(Duration.ofDays(1)));
    }
  }

  @AfterEach
  void wipe() {
    owner.close();
    sink.assertNothingOpen();
  }

  private WriterKeyFile janitor() {
    return WriterKeyFile.at(root.resolve("janitor.key")).named("janitor");
  }

  private WriterKeyFile auditor() {
    return WriterKeyFile.at(root.resolve("auditor.key")).named("auditor");
  }

  private void backUp(String name, int seed) throws IOException {
    BackupPlan plan = host.plan(sink).source(Host.SOURCE, content(seed)).trust(trust).build();
    try (BackupEngine engine = host.with(plan).clock(now::get).open()) {
      engine.backup(BackupRequest.full().named(name)).requireGood();
    }
  }

  private static BytesSource content(int seed) {
    return BytesSource.of("a", Fixture.random(seed, 5000));
  }

  /** Worth nothing, and GOOD as far as anybody can tell who cannot read it. */
  private void addMany() throws IOException {
    for (int i = 0; i < ADDED; i++) {
      now.updateAndGet(t -> t.plusSeconds(60));
      backUp("added-" + i, 1000 + i);
    }
  }

  /** Lets go by rules, until what was let go is gone. */
  private void prune(RetentionPolicy policy) throws IOException {
    for (int round = 0; round < 3; round++) {
      now.updateAndGet(t -> t.plusSeconds(60));
      try (Janitor janitor =
          Janitor.at(sink)
              .keys(janitor())
              .trust(trust)
              .retain(RetentionRules.of(policy).minimumAge(Duration.ZERO))
              .grace(Duration.ZERO)
              .minimumAge(Duration.ZERO)
              .clock(now::get)
              .open()) {
        Pruning.prune(janitor);
      }
      backUp("after-" + round, 2000 + round);
    }
  }

  private Set<String> goodOnes() throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(sink).identity(owner).trust(trust).clock(now::get).open()) {
      Set<String> good =
          repository.catalog().list(SnapshotFilter.all()).stream()
              .map(s -> s.name().value())
              .filter(n -> n.startsWith("good-"))
              .collect(Collectors.toCollection(TreeSet::new));
      for (String name : good) {
        int day = Integer.parseInt(name.substring("good-".length()));
        Host.assertComplete(repository, SnapshotRef.named(name), content(day), owner);
      }
      return good;
    }
  }

  @Test
  void they_fill_the_buckets_of_their_own_time_only() throws Exception {
    addMany();
    prune(Retention.daily(30));
    assertEquals(Set.of("good-1", "good-2", "good-3", "good-4", "good-5"), goodOnes());
  }

  @Test
  void where_only_the_number_counts_what_another_verified_stays() throws Exception {
    try (BackupRepository audit =
        BackupRepository.at(sink).trust(trust).signedBy(auditor()).clock(now::get).open()) {
      assertTrue(audit.verify(SnapshotRef.named("good-4"), Verification.stored()).isIntact());
    }
    addMany();
    prune(Retention.keepLast(3));
    assertEquals(Set.of("good-4"), goodOnes(), "the newest that another key has verified");
  }
}
