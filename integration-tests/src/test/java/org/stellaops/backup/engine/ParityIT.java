package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.parity.ParityRepair;
import org.stellaops.backup.parity.ParityRepairPlan;
import org.stellaops.backup.parity.ParityReport;
import org.stellaops.backup.parity.ParitySettings;
import org.stellaops.backup.parity.ParityUpdate;
import org.stellaops.backup.parity.ParityVolumes;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Verification;

/** A repository on a medium that forgets, with parity beside it. */
class ParityIT {
  private static final ParitySettings SETTINGS = ParitySettings.defaults();

  @TempDir Path root;

  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;
  private Path repository;

  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    repository = root.resolve("repository");
    host =
        new Host(root.resolve("host"), owner.recipient(), DirectorySink.at(repository)).withKeys();
    pruning = new Pruning(host).withKeys();
  }

  @AfterEach
  void close() {
    owner.close();
  }

  private void backUp(long seed) throws IOException {
    var plan =
        host.plan(host.sink)
            .source(Host.SOURCE, PruneIT.content(seed))
            .janitor(pruning.keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full().named("n" + seed)).requireGood();
    }
  }

  private BackupRepository open() throws IOException {
    return BackupRepository.at(host.sink)
        .identity(owner)
        .trust(pruning.trust())
        .executor(Runnable::run)
        .open();
  }

  private boolean isIntact() throws IOException {
    try (BackupRepository opened = open()) {
      return opened.check(Verification.full(owner)).isIntact();
    }
  }

  private void assertSound(long seed) throws IOException {
    assertTrue(isIntact());
    try (BackupRepository opened = open()) {
      Host.assertComplete(opened, SnapshotRef.named("n" + seed), PruneIT.content(seed), owner);
      assertEquals(List.of(), opened.catalog().damage());
    }
  }

  private List<Path> files(String folder, String ending) throws IOException {
    try (Stream<Path> files = Files.walk(repository.resolve(folder))) {
      return files.filter(f -> f.toString().endsWith(ending)).sorted().toList();
    }
  }

  private static void shorten(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
  }

  private static void flip(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 3] ^= 4;
    Files.write(file, bytes);
  }

  @Test
  void what_the_medium_lost_comes_back_and_restores() throws Exception {
    backUp(1);
    backUp(2);
    ParityVolumes parity = ParityVolumes.in(repository);
    ParityUpdate update = parity.update(ParitySettings.defaults().redundancy(20, 5));
    assertTrue(update.isComplete(), update.toString());
    assertSound(2);

    List<Path> damaged = new ArrayList<>();
    Path pack = files("w/host-a/packs", ".age").get(0);
    Files.delete(pack);
    damaged.add(pack);
    Path manifest = files("w/host-a/manifests", ".age").get(1);
    shorten(manifest);
    damaged.add(manifest);
    Path entry = files("log/host-a", ".entry").get(1);
    flip(entry);
    damaged.add(entry);
    Path key = files("keys", ".age").get(0);
    flip(key);
    damaged.add(key);
    assertFalse(isIntact());

    ParityReport report = parity.verify();
    assertEquals(damaged.size(), report.damaged().size(), report.toString());
    assertTrue(report.isRepairable());
    ParityRepairPlan plan = parity.planRepair();
    ParityRepair repair = parity.repair(plan, Confirmation.of(plan.digest()));
    assertTrue(repair.isComplete(), repair.toString());
    assertEquals(damaged.size(), repair.repaired().size());
    assertTrue(parity.verify().isIntact());
    assertSound(1);
    assertSound(2);
  }

  @Test
  void backups_and_deletion_go_on_beside_it() throws Exception {
    backUp(1);
    backUp(2);
    ParityVolumes parity = ParityVolumes.in(repository);
    assertTrue(parity.update(SETTINGS).isComplete());
    List<Path> volumes = files("parity", ".rs");
    assertTrue(pruning.prune(1).isOk());
    backUp(3);
    PruneReport pruned = pruning.prune(1);
    assertTrue(pruned.deletedObjects() > 0, pruned.toString());
    assertEquals(volumes, files("parity", ".rs"));

    ParityReport report = parity.verify();
    assertTrue(report.isIntact(), "what retention removed is no damage: " + report);
    assertFalse(report.unprotected().isEmpty());
    ParityUpdate update = parity.update(SETTINGS);
    assertTrue(update.isComplete(), update.toString());
    assertEquals(0, parity.update(SETTINGS).written());
    assertEquals(List.of(), parity.verify().unprotected());
    assertSound(3);

    Files.delete(files("w/host-a/packs", ".age").get(0));
    ParityRepairPlan plan = parity.planRepair();
    assertTrue(parity.repair(plan, Confirmation.of(plan.digest())).isComplete());
    assertSound(3);
  }
}
