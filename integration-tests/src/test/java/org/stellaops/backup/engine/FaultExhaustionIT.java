package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Every operation on the store fails once, before it is done, half way, and when it is done. The
 * law: the snapshot is absent or complete, a run that failed says so with a BackupException,
 * nothing is left open or lying about, and the next run succeeds.
 */
class FaultExhaustionIT {
  private static final String FIRST = "first";

  private static final String SECOND = "second";

  private static AgeIdentity owner;
  @TempDir static Path root;

  private final MemorySink sink = new MemorySink();
  private int hosts;

  @BeforeAll
  static void generate() throws IOException {
    owner = AgeIdentity.generate();
  }

  @AfterAll
  static void wipe() {
    owner.close();
  }

  private static final List<Reason> REASONS =
      List.of(Reason.TRANSIENT, Reason.DENIED, Reason.NO_SPACE);

  /**
   * A way to fail, and at which operations.
   *
   * @param each at every one, or at each third: the next one then fails in another way
   */
  record Fault(When when, Reason reason, int each) {
    LongStream operations(FaultPlan none) {
      long first = each == 1 ? 0 : when.ordinal();
      return LongStream.iterate(first, n -> n < none.operations(), n -> n + each);
    }
  }

  /** Each moment, for one reason: a run does not ask why it failed. */
  static Stream<Fault> faults() {
    int moments = When.values().length;
    return Stream.of(When.values())
        .map(when -> new Fault(when, REASONS.get(when.ordinal() % REASONS.size()), moments));
  }

  /** Each moment of every operation, for each reason. */
  static Stream<Fault> everyFault() {
    return Stream.of(When.values())
        .flatMap(when -> REASONS.stream().map(reason -> new Fault(when, reason, 1)));
  }

  @ParameterizedTest
  @Tag("interop") // only for the time it takes
  @MethodSource("everyFault")
  void any_operation_may_fail_at_any_moment_for_any_reason(Fault fault) throws Exception {
    SortedMap<ObjectName, byte[]> empty = sink.snapshot();
    a_fault_in_a_first_run_leaves_the_snapshot_absent_or_complete(fault);
    sink.reset(empty);
    a_fault_in_a_second_run_leaves_the_snapshot_absent_or_complete(fault);
    sink.reset(empty);
    a_fault_while_reading_is_an_exception_and_never_a_wrong_result(fault);
    sink.reset(empty);
    a_fault_while_checking_everything_never_ends_as_intact(fault);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void a_fault_in_a_first_run_leaves_the_snapshot_absent_or_complete(Fault fault) throws Exception {
    exhaust(newHost().withKeys(), FIRST, content(1), FaultPlan.none(), fault);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void a_fault_in_a_second_run_leaves_the_snapshot_absent_or_complete(Fault fault)
      throws Exception {
    Host host = newHost().withKeys();
    host.backUp(content(1), FIRST);
    exhaust(host, SECOND, content(2), FaultPlan.none(), fault);
    assertTrue(host.isThereAndComplete(FIRST, content(1), owner));
  }

  private void exhaust(Host template, String name, BytesSource source, FaultPlan none, Fault fault)
      throws Exception {
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    another(template).backUp(source, name, none.on(sink));
    assertTrue(none.operations() >= 15, none.log().toString());
    for (long n : fault.operations(none).toArray()) {
      sink.reset(before);
      FaultPlan plan = FaultPlan.failing(n, fault.when()).because(fault.reason());
      boolean isReported = oneFault(another(template), name, source, plan);
      // Only a lost reply can be settled; what was not done cannot be reported as done. Of an
      // object that is not there, no half can be read.
      String operation = none.log().get((int) n);
      assertTrue(
          !isReported || fault.when() == When.AFTER || operation.startsWith("open "),
          plan + ": " + operation);
    }
    sink.reset(before);
  }

  /** Whether the run said that it succeeded. */
  private boolean oneFault(Host host, String name, BytesSource source, FaultPlan plan)
      throws IOException {
    boolean isReported = isReported(host, name, source, plan);
    assertTrue(plan.hasFired(), plan.toString());
    sink.assertNothingOpen();
    host.assertWorkspaceClean();
    boolean isThere = host.isThereAndComplete(name, source, owner);
    assertEquals(isReported, isThere, plan + " of " + plan.log());
    host.assertNextRunSucceeds(source, owner);
    sink.assertNothingOpen();
    return isReported;
  }

  private static boolean isReported(Host host, String name, BytesSource source, FaultPlan plan)
      throws IOException {
    try {
      host.backUp(source, name, plan.on(host.sink));
      return true;
    } catch (BackupException.Sink e) {
      return false;
    }
  }

  @Test
  void a_fault_among_several_threads_leaves_the_snapshot_absent_or_complete() throws Exception {
    Host template = newHost().withKeys();
    template.backUp(content(1), FIRST);
    BytesSource large = content(3).with("large", Fixture.random(33, 9_000_000));
    SortedMap<ObjectName, byte[]> before = sink.snapshot();
    for (long seed = 0; seed < 16; seed++) {
      sink.reset(before);
      var random = new Random(seed);
      When when = When.values()[random.nextInt(When.values().length)];
      FaultPlan plan = FaultPlan.failing(random.nextInt(36), when);
      if (random.nextBoolean()) {
        plan = plan.andEverAfter();
      }
      Host host = another(template);
      boolean isReported = runsOnThreads(host, large, plan);
      sink.assertNothingOpen();
      host.assertWorkspaceClean();
      boolean isThere = host.isThereAndComplete(SECOND, large, owner);
      assertTrue(isThere || !isReported, "seed " + seed);
      if (seed % 4 == 0) {
        host.assertNextRunSucceeds(large, owner);
      }
    }
  }

  private boolean runsOnThreads(Host host, BytesSource source, FaultPlan plan) {
    ExecutorService threads = Executors.newFixedThreadPool(3);
    try (BackupEngine engine = host.with(source, plan.on(sink)).executor(threads).open()) {
      engine.backup(BackupRequest.full().named(SECOND));
      return true;
    } catch (BackupException.Sink e) {
      return false;
    } catch (BackupException e) {
      throw new AssertionError(plan.toString(), e);
    } finally {
      threads.shutdown();
    }
  }

  @ParameterizedTest
  @MethodSource("faults")
  void a_fault_while_reading_is_an_exception_and_never_a_wrong_result(Fault fault)
      throws Exception {
    Host host = newHost().withKeys();
    host.backUp(content(1), FIRST);
    host.backUp(content(2), SECOND);
    for (Map.Entry<String, Reading> reading : readings().entrySet()) {
      FaultPlan none = FaultPlan.none();
      assertTrue(read(host, none, reading.getValue()), reading.getKey());
      for (long n : fault.operations(none).toArray()) {
        FaultPlan plan = FaultPlan.failing(n, fault.when()).because(fault.reason());
        String what = reading.getKey() + ", " + plan + ": " + none.log().get((int) n);
        assertThrows(BackupException.Sink.class, () -> read(host, plan, reading.getValue()), what);
        assertTrue(plan.hasFired(), what);
        sink.assertNothingOpen();
      }
    }
  }

  /** Something that is asked of a repository. */
  @FunctionalInterface
  private interface Reading {
    /** Whether the answer is right. */
    boolean isRight(BackupRepository repository) throws BackupException;
  }

  private boolean read(Host host, FaultPlan plan, Reading reading) throws IOException {
    try (BackupRepository repository = host.repository(owner, plan.on(sink))) {
      return reading.isRight(repository);
    }
  }

  private Map<String, Reading> readings() {
    SnapshotRef second = SnapshotRef.named(SECOND);
    return Map.of(
        "list", r -> r.catalog().list(SnapshotFilter.all()).size() == 2,
        "info", r -> r.catalog().info(second).name().value().equals(SECOND),
        "damage", r -> r.catalog().damage().isEmpty(),
        "verify stored", r -> r.verify(second).isIntact(),
        "verify full", r -> r.verify(second, Verification.full(owner)).isIntact(),
        "restore", this::restoresOrLeavesNothing);
  }

  private boolean restoresOrLeavesNothing(BackupRepository repository) throws BackupException {
    var target = new BytesSource.Target();
    RestorePlan plan =
        repository.planRestore(
            RestoreRequest.of(SnapshotRef.named(SECOND)).target(Host.SOURCE, target));
    try {
      repository.restore(plan, Confirmation.of(plan.digest()));
    } catch (BackupException e) {
      assertEquals(Map.of(), target.restored);
      assertEquals(Map.of(), target.staged);
      throw e;
    }
    return target.restored.keySet().equals(content(2).artifacts().keySet());
  }

  @ParameterizedTest
  @MethodSource("faults")
  void a_fault_while_checking_everything_never_ends_as_intact(Fault fault) throws Exception {
    Host host = newHost().withKeys();
    host.backUp(content(1), FIRST);
    FaultPlan none = FaultPlan.none();
    try (BackupRepository repository = host.repository(owner, none.on(sink))) {
      assertTrue(repository.check(Verification.full(owner)).isIntact());
    }
    for (long n : fault.operations(none).toArray()) {
      FaultPlan plan = FaultPlan.failing(n, fault.when()).because(fault.reason());
      assertFalse(isFoundIntact(host, plan), plan + ": " + none.log().get((int) n));
      sink.assertNothingOpen();
    }
  }

  private boolean isFoundIntact(Host host, FaultPlan plan) throws IOException {
    try (BackupRepository repository = host.repository(owner, plan.on(sink))) {
      var report = repository.check(Verification.full(owner));
      List<VerificationReport> bad =
          report.snapshots().stream().filter(s -> !s.isIntact()).toList();
      assertEquals(report.isIntact(), bad.isEmpty() && report.damage().isEmpty());
      return report.isIntact();
    } catch (BackupException.Sink e) {
      return false;
    }
  }

  /** Two artifacts, one of them remembered; half of their bytes are the same for every seed. */
  private static BytesSource content(long seed) {
    return new BytesSource("config")
        .form(Form.CONTENT.remembered())
        .with("same", Fixture.random(7, 40_000))
        .with("different", Fixture.random(seed, 40_000));
  }

  private Host newHost() throws IOException {
    return new Host(next(), owner.recipient(), sink);
  }

  private Host another(Host template) throws IOException {
    return template.copy(next(), sink);
  }

  private Path next() {
    return root.resolve(getClass().getSimpleName() + System.identityHashCode(this) + "-" + hosts++);
  }
}
