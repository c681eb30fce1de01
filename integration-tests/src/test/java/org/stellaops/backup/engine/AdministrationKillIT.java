package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.engine.AdministeredSite.Deed;
import org.stellaops.backup.engine.AdministeredSite.Owners;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.OpenFiles;

/**
 * A process that prunes, rewraps, begins an epoch, rotates or seals is killed at an operation on
 * its store, while both writers commit: before it dies, when it is dead, and while another process
 * does the same again. The law: that one ends well with nothing unlocked by hand, and every
 * snapshot that was committed is listed, whole, and open for whom it is meant, and nobody else.
 */
class AdministrationKillIT {
  private static final int RESTORED = 3;
  private static final long SEED = 20261122;

  @TempDir static Path root;
  private static PackedClassPath classes;
  private static AdministeredSite template;

  @BeforeAll
  static void make() throws Exception {
    classes = PackedClassPath.in(Files.createDirectory(root.resolve("classes")));
    template = new AdministeredSite(root.resolve("template")).make();
    AdministeredSite whole = template.copy(root.resolve("whole"));
    // Nobody kills it, and it leaves what makes the others start quickly.
    try (AdministrationProcess process =
        AdministrationProcess.whole(whole, Deed.SEAL, Long.MAX_VALUE, classes.dumps())) {
      assertEquals(0, process.await());
    }
  }

  @AfterEach
  void nothingIsOpen() throws IOException {
    OpenFiles.assertNoneBelow(root);
  }

  /** One of the operations that change something, of those deeds that take several steps. */
  @Test
  void a_kill_in_the_midst_of_a_prune_a_new_epoch_or_a_rotation_is_mended_by_doing_it_again()
      throws Exception {
    Random random = new Random(SEED);
    List<Callable<Boolean>> kills = new ArrayList<>();
    for (Deed deed : List.of(Deed.PRUNE, Deed.EPOCH, Deed.ROTATE)) {
      List<String> log = operations(deed);
      List<Integer> changes = new ArrayList<>();
      for (int n = 0; n < log.size(); n++) {
        if (isChange(log.get(n))) {
          changes.add(n);
        }
      }
      int operation = changes.get(random.nextInt(changes.size()));
      When when = When.values()[deed.ordinal() % When.values().length];
      kills.add(() -> new Kill(deed, operation, when, log).strike());
    }
    assertTrue(AtOnce.results(kills).contains(true), "none was killed");
  }

  @Test
  @Tag("soak")
  void a_kill_at_any_operation_of_a_prune_is_mended_by_doing_it_again() throws Exception {
    exhaust(Deed.PRUNE);
  }

  @Test
  @Tag("soak")
  void a_kill_at_any_operation_of_a_rewrap_is_mended_by_doing_it_again() throws Exception {
    exhaust(Deed.REWRAP);
  }

  @Test
  @Tag("soak")
  void a_kill_at_any_operation_of_a_new_epoch_is_mended_by_doing_it_again() throws Exception {
    exhaust(Deed.EPOCH);
  }

  @Test
  @Tag("soak")
  void a_kill_at_any_operation_of_a_rotation_is_mended_by_doing_it_again() throws Exception {
    exhaust(Deed.ROTATE);
  }

  @Test
  @Tag("soak")
  void a_kill_at_any_operation_of_a_seal_is_mended_by_doing_it_again() throws Exception {
    exhaust(Deed.SEAL);
  }

  /** What changes something is hit at each of the three moments, anything else at one of them. */
  private static void exhaust(Deed deed) throws Exception {
    List<String> log = operations(deed);
    List<Callable<Boolean>> kills = new ArrayList<>();
    for (int n = 0; n < log.size(); n++) {
      for (When when : When.values()) {
        if (isChange(log.get(n)) || n % When.values().length == when.ordinal()) {
          int operation = n;
          kills.add(() -> new Kill(deed, operation, when, log).strike());
        }
      }
    }
    long dead = AtOnce.results(kills).stream().filter(k -> k).count();
    String what = "%d of %d died in %d operations".formatted(dead, kills.size(), log.size());
    assertTrue(dead > kills.size() / 2, what + log);
  }

  private static boolean isChange(String operation) {
    return operation.startsWith("put ") || operation.startsWith("delete ");
  }

  private static List<String> operations(Deed deed) throws IOException {
    AdministeredSite site = template.copy(root.resolve("count-" + deed));
    FaultPlan none = FaultPlan.none();
    deed.run(site, none.on(site.sink));
    PrivateFiles.deleteTree(site.directory);
    assertTrue(none.log().stream().anyMatch(AdministrationKillIT::isChange), none.log()::toString);
    return none.log();
  }

  /** One deed, killed at one operation, and done again. */
  private static final class Kill {
    private final Deed deed;
    private final int operation;
    private final When when;
    private final List<String> log;
    private final String what;
    private final AdministeredSite site;
    private final Random random;

    /** Snapshots that are to be there, with the seed of what is in them. */
    private final Map<String, Long> committed =
        new TreeMap<>(Map.of("n3", 3L, "n4", 4L, "m3", -3L));

    /** Those of them that escrow must be able to open; others it must not. */
    private final Set<String> forEscrow = new TreeSet<>(Set.of("n4", "m3"));

    private long recorded = 100;

    Kill(Deed deed, int operation, When when, List<String> log) throws IOException {
      this.deed = deed;
      this.operation = operation;
      this.when = when;
      this.log = log;
      this.what = "%s-%d-%s".formatted(deed, operation, when);
      this.site = template.copy(root.resolve(what));
      this.random = new Random(SEED + operation);
      if (deed != Deed.PRUNE) {
        committed.put("n2", 2L);
        committed.put("m2", -2L);
        forEscrow.addAll(List.of("n2", "m2"));
      }
      if (deed == Deed.REWRAP) {
        forEscrow.add("n3");
      }
    }

    /** Whether the process was dead before it was done. */
    boolean strike() throws Exception {
      try {
        boolean isKilled = die();
        commitBetween();
        doAgain();
        commitAfter();
        if (deed == Deed.PRUNE) {
          assertNothingStray();
        }
        assertSound();
        PrivateFiles.deleteTree(site.directory);
        return isKilled;
      } catch (Exception | AssertionError e) {
        throw new AssertionError("%s: %s".formatted(what, log.get(operation)), e);
      }
    }

    private boolean die() throws Exception {
      long waitAt = random.nextInt(operation + 1);
      try (AdministrationProcess process =
          AdministrationProcess.killed(site, deed, waitAt, operation, when, classes.options())) {
        assertTrue(process.awaitWaiting(), "it comes that far while it is alone");
        commit(AdministeredSite.WRITER, "during", 5, Owners.BOTH);
        process.go();
        int status = process.await();
        // What others read and keep in the workspace meanwhile it reads no more: then it may be
        // done
        // before it comes to that operation, and reading what is not there has no middle and no
        // end.
        boolean isKilled = status == FaultPlan.KILLED;
        assertTrue(isKilled || status == 0, "it ended with " + status);
        return isKilled;
      }
    }

    private void commitBetween() throws Exception {
      boolean isEpochForEscrow = site.epochs().get(0).readers().size() > 1;
      commit(AdministeredSite.WRITER, "between", 6, Owners.OPS);
      if (deed == Deed.REWRAP && !isEpochForEscrow && committed.containsKey("between")) {
        forEscrow.add("between");
      }
      commit(AdministeredSite.OTHER_WRITER, "other-between", -6, Owners.BOTH);
      if (deed == Deed.PRUNE) {
        record();
      }
    }

    private void doAgain() throws Exception {
      try (AdministrationProcess process =
          AdministrationProcess.whole(site, deed, random.nextInt(log.size()), classes.options())) {
        if (process.awaitWaiting()) {
          commit(AdministeredSite.WRITER, "again", 7, Owners.BOTH);
          commit(AdministeredSite.OTHER_WRITER, "other-again", -7, Owners.BOTH);
          process.go();
        }
        assertEquals(0, process.await(), "the second attempt");
      }
    }

    private void commitAfter() throws Exception {
      commit(AdministeredSite.WRITER, "after", 8, Owners.OPS);
      commit(AdministeredSite.OTHER_WRITER, "other-after", -8, Owners.BOTH);
      assertEquals(deed != Deed.SEAL, committed.containsKey("after"), "who is sealed is refused");
      if (deed == Deed.PRUNE || deed == Deed.ROTATE) {
        record();
      }
    }

    private void record() throws Exception {
      site.record(recorded, recorded + 10);
      recorded += 10;
    }

    /** Whoever is being rotated or sealed may be refused, and nobody else. */
    private void commit(String writer, String name, long seed, Owners owners) throws IOException {
      try {
        site.backUp(writer, name, seed, owners);
      } catch (BackupException.Refused e) {
        boolean isRotated = deed == Deed.ROTATE && e.code() == CoreFailure.KEY_RETIRED;
        boolean isSealed = deed == Deed.SEAL && e.code() == CoreFailure.SEALED;
        boolean isExpected =
            writer.equals(AdministeredSite.WRITER)
                && (isSealed || (isRotated && !name.equals("after")));
        if (!isExpected) {
          throw e;
        }
        return;
      }
      committed.put(name, seed);
      if (owners == Owners.BOTH) {
        forEscrow.add(name);
      }
    }

    /** Both writers know of everything that was doomed; then it goes, and the rest is known. */
    private void assertNothingStray() throws IOException {
      PruneReport report = site.prune(site.sink);
      long there = 0;
      for (String writer : List.of(AdministeredSite.WRITER, AdministeredSite.OTHER_WRITER)) {
        try (Stream<Path> files = Files.walk(site.repository().resolve("w").resolve(writer))) {
          there += files.filter(Files::isRegularFile).count();
        }
      }
      assertEquals(report.keptObjects() + report.doomedObjects(), there, report.toString());
    }

    private void assertSound() throws IOException {
      assertFalse(Files.exists(site.repository().resolve("tmp")), "left in tmp");
      try (AgeIdentity ops = site.identity("ops");
          AgeIdentity escrow = site.identity("escrow");
          AgeIdentity stranger = AgeIdentity.generate()) {
        try (BackupRepository repository = site.opened(ops)) {
          assertListed(repository);
          var report = repository.check(Verification.full(ops));
          assertTrue(report.isIntact(), report.toString());
          assertSampleRestores(repository);
          assertReplays(repository);
        }
        assertOpensOnly(escrow, forEscrow);
        assertOpensOnly(stranger, Set.of());
      }
    }

    private void assertListed(BackupRepository repository) throws BackupException {
      assertEquals(List.of(), repository.catalog().damage());
      Set<String> names = new TreeSet<>();
      for (SnapshotSummary snapshot : repository.catalog().list(SnapshotFilter.all())) {
        assertTrue(snapshot.isAuthenticated(), snapshot.name().value());
        names.add(snapshot.name().value());
      }
      Set<String> expected = new TreeSet<>(committed.keySet());
      expected.add(AdministeredSite.BASE);
      if (deed != Deed.PRUNE) {
        expected.add("base-2");
      }
      assertEquals(expected, names);
    }

    /** All were verified in full; of these it is compared what comes back. */
    private void assertSampleRestores(BackupRepository repository) throws BackupException {
      List<String> names = new ArrayList<>(committed.keySet());
      Collections.shuffle(names, random);
      for (String name : names.subList(0, RESTORED)) {
        Host.assertRestores(
            repository, SnapshotRef.named(name), PruneIT.content(committed.get(name)).artifacts());
      }
    }

    /** Every byte of the stream that the base which is kept can be taken to. */
    private void assertReplays(BackupRepository repository) throws BackupException {
      ReplayTarget target = new ReplayTarget();
      repository.planRestore(
          RestoreRequest.of(SnapshotRef.named(AdministeredSite.BASE))
              .upTo(RecoveryPoint.latest())
              .target("database", target));
      List<SliceSpan> ranges = target.coverage.orElseThrow().ranges();
      assertEquals(1, ranges.size(), ranges.toString());
      assertTrue(ranges.get(0).from().offset() <= 58, ranges.toString());
      assertEquals(recorded, ranges.get(0).to().offset());
    }

    private void assertOpensOnly(AgeIdentity who, Set<String> names) throws IOException {
      try (BackupRepository repository = site.opened(who)) {
        for (String name : committed.keySet()) {
          SnapshotRef snapshot = SnapshotRef.named(name);
          if (names.contains(name)) {
            assertEquals(1, repository.contents(snapshot).size(), name);
          } else {
            assertThrows(BackupException.Crypto.class, () -> repository.contents(snapshot), name);
          }
        }
      }
    }
  }
}
