package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A process that promotes a copy is killed at an operation on it. The law: the store is a copy, to
 * which nobody commits, or the primary, in which everybody goes on; its snapshots are whole either
 * way, and to promote again ends what was begun.
 */
class PromotionKillIT {
  private static final String LOSS = "site a burnt";
  private static final int SAMPLES = 6;

  @TempDir static Path root;
  private static PackedClassPath classes;
  private static AgeIdentity owner;
  private static Host host;
  private static int operations;
  private static Set<String> promoted;

  @BeforeAll
  static void make() throws Exception {
    classes = PackedClassPath.in(Files.createDirectory(root.resolve("classes")));
    owner = AgeIdentity.generate();
    host =
        new Host(root.resolve("host"), owner.recipient(), DirectorySink.at(root.resolve("primary")))
            .withKeys();
    for (int i = 1; i <= 2; i++) {
      host.backUp(content(i), "s" + i).requireGood();
    }
    try (BackupRepository repository = host.repository(owner)) {
      repository.copy(CopyRequest.to(DirectorySink.at(root.resolve("copy")))).requireComplete();
    }
    // What the copy lacks, and this machine remembers.
    host.backUp(content(9), "lost").requireGood();
    FaultPlan none = FaultPlan.none();
    Site site = new Site("whole");
    PromotionProcess.promote(site.host.directory, none.on(site.host.sink), LOSS);
    operations = (int) none.operations();
    promoted = site.names();
    // What makes the others start quickly.
    Site other = new Site("other");
    assertEquals(0, other.promote(Long.MAX_VALUE, When.BEFORE, classes.dumps()));
    assertEquals(promoted, other.names(), "by a process");
  }

  @AfterAll
  static void closed() {
    owner.close();
  }

  private static BytesSource content(long seed) {
    return BytesSource.of("same", Fixture.random(9, 30_000))
        .with("different", Fixture.random(seed, 30_000));
  }

  /** A machine and the copy, as they were when the primary was lost. */
  private static final class Site {
    private final String name;
    private final Path copy;
    private final Host host;

    Site(String name) throws IOException {
      this.name = name;
      this.copy = root.resolve(name + "-copy");
      Host.copyTree(root.resolve("copy"), copy);
      this.host = PromotionKillIT.host.copy(root.resolve(name + "-host"), DirectorySink.at(copy));
    }

    int promote(long killedAt, When when, List<String> options) throws Exception {
      return PromotionProcess.killed(host.directory, copy, LOSS, killedAt, when, options);
    }

    void promoteAgain() throws IOException {
      PromotionProcess.promote(host.directory, host.sink, LOSS);
    }

    StoreRole role() throws IOException {
      try (BackupRepository repository = host.repository(owner)) {
        return repository.role();
      }
    }

    void assertHolds(int... seeds) throws IOException {
      try (BackupRepository repository = host.repository(owner)) {
        assertEquals(List.of(), repository.catalog().damage(), name);
        assertEquals(seeds.length, repository.catalog().list(SnapshotFilter.all()).size(), name);
        for (int seed : seeds) {
          Host.assertComplete(repository, SnapshotRef.named("s" + seed), content(seed), owner);
        }
        var report = repository.check(Verification.full(owner));
        assertTrue(report.isIntact(), report.toString());
      }
    }

    Set<String> names() throws IOException {
      Set<String> names = new TreeSet<>();
      try (var all = Files.walk(copy)) {
        for (Path file : all.filter(Files::isRegularFile).toList()) {
          names.add(copy.relativize(file).toString());
        }
      }
      names.removeIf(n -> n.startsWith("tmp/"));
      return names;
    }

    void remove() throws IOException {
      PrivateFiles.deleteTree(copy);
      PrivateFiles.deleteTree(host.directory);
    }
  }

  @Test
  void a_promotion_that_is_killed_leaves_a_copy_or_the_primary_and_is_ended_by_the_next()
      throws Exception {
    List<Callable<StoreRole>> kills = new ArrayList<>();
    for (int i = 0; i < SAMPLES; i++) {
      // It is written at the end.
      int operation = operations - 1 - i * i * operations / (SAMPLES * SAMPLES);
      When when = When.values()[i % When.values().length];
      kills.add(() -> killed(operation, when));
    }
    assertEquals(Set.of(StoreRole.COPY, StoreRole.PRIMARY), Set.copyOf(AtOnce.results(kills)));
  }

  @Test
  @Tag("soak")
  void the_same_at_every_operation() throws Exception {
    List<Callable<StoreRole>> kills = new ArrayList<>();
    for (int n = 0; n < operations; n++) {
      for (When when : When.values()) {
        int operation = n;
        kills.add(() -> killed(operation, when));
      }
    }
    assertEquals(Set.of(StoreRole.COPY, StoreRole.PRIMARY), Set.copyOf(AtOnce.results(kills)));
  }

  /** What the store was after the kill. */
  private static StoreRole killed(int operation, When when) throws Exception {
    Site site = new Site("kill-%d-%s".formatted(operation, when));
    int status = site.promote(operation, when, classes.options());
    // What is not there cannot be torn: so it may come to the end.
    assertTrue(status == FaultPlan.KILLED || status == 0, site.name + " ended with " + status);
    StoreRole left = site.role();
    site.assertHolds(1, 2);
    if (left == StoreRole.COPY) {
      assertRefused(CoreFailure.NOT_PRIMARY, () -> site.host.backUp(content(3), "s3"), site.name);
    }
    Set<String> half = site.names();
    if (half.equals(promoted)) {
      assertRefused(CoreFailure.PROMOTION_REFUSED, site::promoteAgain, site.name);
    } else {
      site.promoteAgain();
    }
    assertEquals(promoted, site.names(), site.name);
    site.host.backUp(content(3), "s3").requireGood();
    site.assertHolds(1, 2, 3);
    site.remove();
    return left;
  }

  @FunctionalInterface
  private interface Attempt {
    void make() throws IOException;
  }

  private static void assertRefused(CoreFailure code, Attempt attempt, String when)
      throws IOException {
    try {
      attempt.make();
    } catch (BackupException e) {
      assertEquals(code, e.code(), when + ": " + e.getMessage());
      return;
    }
    throw new AssertionError(when + ": not refused");
  }
}
