package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.IndexReport;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.OpenFiles;

/**
 * A process that rebuilds the index of a writer is killed, while that writer and another one
 * commit: before it dies, when it is dead, and while the next one rebuilds. The law: whatever was
 * committed is listed and comes back at any time; the next rebuild is whole with nothing unlocked
 * by hand; then a backup stores only what is new, and what the dead left behind can be removed.
 */
class RebuildKillIT {
  private static final int KILLS = 120;
  private static final long SEED = 20261122;

  /** About what passes between two operations on the store, with what is done on disk there. */
  private static final long LONGEST_NANOS = TimeUnit.MILLISECONDS.toNanos(4);

  @TempDir static Path root;
  private static LostIndexSite template;
  private static List<String> log;

  @BeforeAll
  static void make() throws Exception {
    template = new LostIndexSite(root.resolve("template")).make();
    LostIndexSite counted = template.copy(root.resolve("counted"));
    FaultPlan none = FaultPlan.none();
    IndexReport report = counted.rebuild(none.on(counted.sink));
    assertEquals(LostIndexSite.SNAPSHOTS, report.readPacks(), report.toString());
    log = none.log();
    assertEquals(
        2, log.stream().filter(o -> o.startsWith("put w/host-a/state/")).count(), "two parts");
    PrivateFiles.deleteTree(counted.directory);
  }

  /** Many processes start more quickly so; for a few it takes longer to make. */
  private static List<String> packedClasses() throws Exception {
    PackedClassPath packed = PackedClassPath.in(Files.createTempDirectory(root, "classes"));
    LostIndexSite whole = template.copy(root.resolve("whole"));
    try (RebuildProcess process = RebuildProcess.whole(whole, Long.MAX_VALUE, packed.dumps())) {
      assertEquals(0, process.await());
    }
    whole.assertKnowsItsChunks();
    PrivateFiles.deleteTree(whole.directory);
    return packed.options();
  }

  @AfterEach
  void nothingIsOpen() throws IOException {
    OpenFiles.assertNoneBelow(root);
  }

  /** When the first part of the index is stored, and nothing names it yet. */
  @Test
  void a_kill_in_the_midst_of_a_rebuild_is_mended_by_the_next_one() throws Exception {
    for (int n = 0; n < log.size(); n++) {
      if (isPut(log.get(n))) {
        assertTrue(new Kill(n, When.AFTER, SmallJvm.ownClasses()).strike(), "it was not killed");
        return;
      }
    }
    throw new AssertionError("nothing is stored: " + log);
  }

  @Test
  @Tag("soak")
  void a_kill_at_any_operation_of_a_rebuild_is_mended_by_the_next_one() throws Exception {
    List<String> classes = packedClasses();
    List<Callable<Boolean>> kills = new ArrayList<>();
    for (int n = 0; n < log.size(); n++) {
      for (When when : When.values()) {
        if (when != When.TORN || isPut(log.get(n))) {
          int operation = n;
          kills.add(() -> new Kill(operation, when, classes).strike());
        }
      }
    }
    long dead = AtOnce.results(kills).stream().filter(k -> k).count();
    String what = "%d of %d died in %d operations".formatted(dead, kills.size(), log.size());
    assertTrue(dead > kills.size() * 9 / 10, what + log);
  }

  private static boolean isPut(String operation) {
    return operation.startsWith("put ");
  }

  @Test
  @Tag("soak")
  void kills_at_any_moment_leave_a_workspace_in_which_the_next_one_goes_on() throws Exception {
    List<String> classes = packedClasses();
    Random random = new Random(SEED);
    LostIndexSite site = template.copy(root.resolve("moments"));
    int dead = 0;
    long known = 0;
    for (int i = 0; i < KILLS; i++) {
      dead += isKilledSomewhere(site, random, classes) ? 1 : 0;
      String other = "other-" + i;
      site.commit(LostIndexSite.OTHER_WRITER, other);
      site.assertReadable(other);
      IndexReport now = site.planRebuild();
      assertTrue(now.knownPacks() >= known, "after kill %d: %s".formatted(i, now));
      known = now.knownPacks();
      if (now.unknownPacks() == 0) {
        // Nothing is left at which it could be killed.
        finish(site);
        site = template.copy(root.resolve("moments-" + i));
        known = 0;
      }
    }
    finish(site);
    assertTrue(dead > KILLS * 2 / 3, "%d of %d died".formatted(dead, KILLS));
  }

  /** By SIGKILL, wherever it is then: in the store, or with something half written on disk. */
  private static boolean isKilledSomewhere(LostIndexSite site, Random random, List<String> classes)
      throws Exception {
    try (RebuildProcess process = RebuildProcess.whole(site, random.nextInt(log.size()), classes)) {
      if (process.awaitWaiting()) {
        process.go();
        TimeUnit.NANOSECONDS.sleep(random.nextLong(LONGEST_NANOS));
      }
      return process.kill();
    }
  }

  private static void finish(LostIndexSite site) throws IOException {
    assertTrue(site.rebuild(site.sink).isWhole());
    site.assertKnowsItsChunks();
    site.assertSound();
    PrivateFiles.deleteTree(site.directory);
  }

  /** A rebuild, killed at one operation, and the next one. */
  private static final class Kill {
    private final int operation;
    private final When when;
    private final List<String> classes;
    private final String what;
    private final LostIndexSite site;
    private final Random random;
    private final boolean isWriterBusy;

    Kill(int operation, When when, List<String> classes) throws IOException {
      this.operation = operation;
      this.when = when;
      this.classes = classes;
      this.what = "%d-%s".formatted(operation, when);
      this.site = template.copy(root.resolve("kill-" + what));
      this.random = new Random(SEED + operation);
      // Its other process stores again what it does not know, and says so in the same log.
      this.isWriterBusy = random.nextBoolean();
    }

    /** Whether the process was dead before it was done. */
    boolean strike() throws Exception {
      try {
        boolean isKilled = die();
        commit("between");
        site.assertReadable("other-during", "other-between");
        rebuildAgain();
        site.assertKnowsItsChunks();
        site.assertSound();
        PrivateFiles.deleteTree(site.directory);
        return isKilled;
      } catch (Exception | AssertionError e) {
        throw new AssertionError("%s: %s".formatted(what, log.get(operation)), e);
      }
    }

    private void commit(String name) throws IOException {
      site.commit(LostIndexSite.OTHER_WRITER, "other-" + name);
      if (isWriterBusy) {
        site.commit(LostIndexSite.WRITER, name);
      }
    }

    private boolean die() throws Exception {
      long waitAt = random.nextInt(operation + 1);
      try (RebuildProcess process = RebuildProcess.killed(site, waitAt, operation, when, classes)) {
        assertTrue(process.awaitWaiting(), "it comes that far while it is alone");
        commit("during");
        process.go();
        int status = process.await();
        // With what was committed it may have fewer to read, and reading what is not there has no
        // middle and no end.
        boolean isKilled = status == FaultPlan.KILLED;
        assertTrue(isKilled || status == 0, "it ended with " + status);
        return isKilled;
      }
    }

    private void rebuildAgain() throws IOException {
      long[] operations = {0};
      long at = random.nextInt(log.size());
      IndexReport report =
          site.rebuild(
              HookedStore.on(
                  site.sink,
                  operation -> {
                    if (operations[0]++ == at) {
                      commit("again");
                    }
                  }));
      assertTrue(report.isWhole(), report.toString());
      if (isWriterBusy) {
        // What was committed while it read is another one's to describe, and is described.
        assertTrue(site.rebuild(site.sink).isWhole());
      }
    }
  }
}
