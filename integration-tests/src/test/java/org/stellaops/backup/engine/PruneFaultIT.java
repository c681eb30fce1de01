package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.SortedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Every operation of a prune on the store fails, or is the last one, or a writer commits before it;
 * and a prune comes before every operation of a writer. The law: no snapshot that is kept is lost
 * or damaged, and the next prune finishes what was begun.
 */
class PruneFaultIT {
  private static final int SAMPLES = 3;

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host template;
  private int hosts;
  private SortedMap<ObjectName, byte[]> before;

  /** One snapshot is swept next, one is let go next, one stays. */
  @BeforeEach
  void make() throws IOException {
    owner = AgeIdentity.generate();
    template = new Host(next(), owner.recipient(), sink).withKeys();
    Pruning pruning = new Pruning(template).withKeys();
    backUp(template, 1, sink);
    backUp(template, 2, sink);
    pruning.prune(1);
    backUp(template, 3, sink);
    before = sink.snapshot();
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  private Path next() {
    return root.resolve("host-" + hosts++);
  }

  private static void backUp(Host host, long seed, BackupSink through) throws IOException {
    BackupPlan plan =
        host.plan(through)
            .source(Host.SOURCE, PruneIT.content(seed))
            .janitor(new Pruning(host).keys())
            .build();
    try (BackupEngine engine = host.with(plan).open()) {
      engine.backup(BackupRequest.full().named("n" + seed)).requireGood();
    }
  }

  /** The one that stays is whole, and whatever was committed besides. */
  private void assertSound(Host host, long... seeds) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(sink)
            .identity(owner)
            .trust(new Pruning(host).trust())
            .executor(Runnable::run)
            .open()) {
      for (long seed : seeds) {
        Host.assertComplete(
            repository, SnapshotRef.named("n" + seed), PruneIT.content(seed), owner);
      }
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
    }
  }

  /** Two prunes with a writer between them leave exactly what the newest two need. */
  private void assertFinished(Host host, String what) throws IOException {
    Pruning pruning = new Pruning(host);
    PruneReport report = pruning.prune(2);
    assertTrue(report.isOk(), what + report);
    backUp(host, 8, sink);
    pruning.prune(2);
    backUp(host, 9, sink);
    report = pruning.prune(2);
    assertTrue(report.isOk(), what + report);
    // What the last one let go still waits for its writer.
    assertEquals(3, Pruning.counts(sink).get("manifests"), what + report);
    assertSound(host, 8, 9);
  }

  private static void attempt(Host host, BackupSink through) throws IOException {
    try {
      new Pruning(host, through).prune(1);
    } catch (BackupException.Sink | BackupException.Refused e) {
      // It says so.
    }
  }

  private void fault(long operation, When when) throws IOException {
    sink.reset(before);
    Host host = template.copy(next(), sink);
    FaultPlan plan = FaultPlan.failing(operation, when);
    attempt(host, plan.on(sink));
    assertTrue(plan.hasFired(), plan.toString());
    assertSound(host, 3);
    assertFinished(host, plan + ": " + plan.log().get((int) operation) + " ");
  }

  /** As after a crash: nothing that follows is done. */
  private void crash(long operation) throws IOException {
    sink.reset(before);
    Host host = template.copy(next(), sink);
    attempt(host, FaultPlan.failing(operation, When.BEFORE).andEverAfter().on(sink));
    assertSound(host, 3);
    assertFinished(host, "crash at " + operation + " ");
  }

  private void commitBefore(long operation) throws IOException {
    sink.reset(before);
    Host host = template.copy(next(), sink);
    long[] count = {0};
    attempt(
        host,
        HookedStore.on(
            sink,
            what -> {
              if (count[0]++ == operation) {
                backUp(host, 4, sink);
              }
            }));
    assertTrue(count[0] > operation);
    // What was committed before the prune was planned may have made the one before it go.
    assertSound(host, 4);
    assertFinished(host, "a commit before " + operation + " ");
  }

  private void pruneBefore(long operation) throws IOException {
    sink.reset(before);
    Host host = template.copy(next(), sink);
    long[] count = {0};
    backUp(
        host,
        4,
        HookedStore.on(
            sink,
            what -> {
              if (count[0]++ == operation) {
                attempt(host, sink);
              }
            }));
    assertTrue(count[0] > operation);
    assertSound(host, 4);
    assertFinished(host, "a prune before " + operation + " ");
  }

  private long operationsOfPrune() throws IOException {
    sink.reset(before);
    FaultPlan none = FaultPlan.none();
    Host host = template.copy(next(), sink);
    attempt(host, none.on(sink));
    assertTrue(none.log().stream().anyMatch(o -> o.startsWith("delete w/")), none.log().toString());
    return none.operations();
  }

  private long operationsOfBackup() throws IOException {
    sink.reset(before);
    FaultPlan none = FaultPlan.none();
    backUp(template.copy(next(), sink), 4, none.on(sink));
    return none.operations();
  }

  @Test
  @Tag("soak")
  void nothing_that_fails_or_happens_meanwhile_loses_a_snapshot() throws Exception {
    long operations = operationsOfPrune();
    for (long n = 0; n < operations; n++) {
      for (When when : When.values()) {
        fault(n, when);
      }
      crash(n);
      commitBefore(n);
    }
    long ofBackup = operationsOfBackup();
    for (long n = 0; n < ofBackup; n++) {
      pruneBefore(n);
    }
  }

  @Test
  void a_sample_of_what_may_fail_or_happen_meanwhile_loses_no_snapshot() throws Exception {
    long operations = operationsOfPrune();
    long ofBackup = operationsOfBackup();
    Random random = new Random(20261121);
    for (int i = 0; i < SAMPLES; i++) {
      fault(random.nextLong(operations), When.values()[i % When.values().length]);
      crash(random.nextLong(operations));
      commitBefore(random.nextLong(operations));
      pruneBefore(random.nextLong(ofBackup));
    }
  }
}
