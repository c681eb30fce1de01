package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.BiPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.engine.EngineProcess.Task;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.testkit.CanaryAssertions;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;
import org.stellaops.backup.testkit.OpenFiles;

/**
 * A process is killed at every operation on its store: before it, half way through, and behind it.
 * The law: the snapshot is absent or complete, no plain byte lies anywhere, the next engine removes
 * what was left in {@code tmp/}, and its run succeeds.
 */
class KillExhaustionIT {
  private static final String FIRST = "first";
  private static final String SECOND = "second";
  private static final BiPredicate<Long, When> EVERY_MOMENT = (operation, when) -> true;
  private static final BiPredicate<Long, When> ONE_MOMENT =
      (operation, when) -> operation % When.values().length == when.ordinal();

  private final CanaryAssertions canaries = CanaryAssertions.of(EngineProcess.CANARY);
  private static PackedClassPath classes;

  @TempDir Path root;
  private AgeIdentity owner;

  @BeforeAll
  static void pack(@TempDir Path directory) throws IOException {
    classes = PackedClassPath.in(directory);
  }

  @BeforeEach
  void generate() throws IOException {
    owner = AgeIdentity.generate();
  }

  @AfterEach
  void nothingIsOpen() throws IOException {
    owner.close();
    OpenFiles.assertNoneBelow(root);
  }

  /** At each operation one of the three moments, a different one from operation to operation. */
  @Test
  void a_process_killed_in_its_first_run_leaves_the_snapshot_absent_or_complete() throws Exception {
    exhaust(host("template").withKeys(), FIRST, 1, ONE_MOMENT);
  }

  @Test
  void a_process_killed_in_its_second_run_leaves_the_snapshot_absent_or_complete()
      throws Exception {
    exhaust(hostWithFirst(), SECOND, 2, ONE_MOMENT);
  }

  @Test
  @Tag("interop") // only for the time it takes
  void a_process_killed_at_any_moment_of_its_first_run_leaves_it_absent_or_complete()
      throws Exception {
    exhaust(host("template").withKeys(), FIRST, 1, EVERY_MOMENT);
  }

  @Test
  @Tag("interop") // only for the time it takes
  void a_process_killed_at_any_moment_of_its_second_run_leaves_it_absent_or_complete()
      throws Exception {
    exhaust(hostWithFirst(), SECOND, 2, EVERY_MOMENT);
  }

  private Host hostWithFirst() throws IOException {
    Host template = host("template").withKeys();
    template.backUp(EngineProcess.content(1), FIRST).requireGood();
    return template;
  }

  private void exhaust(Host template, String name, long content, BiPredicate<Long, When> isMeant)
      throws Exception {
    FaultPlan none = FaultPlan.none();
    Host whole = copy(template, "whole");
    whole.backUp(EngineProcess.content(content), name, none.on(whole.sink));
    assertNoPlainBytes(whole);
    runWhole(copy(template, "process"), name, content);
    List<Callable<Boolean>> kills = new ArrayList<>();
    for (long n = 0; n < none.operations(); n++) {
      long operation = n;
      // The last one is the commit, whose every moment tells something else.
      boolean isCommit = n == none.operations() - 1;
      for (When when : When.values()) {
        if (isCommit || isMeant.test(n, when)) {
          kills.add(() -> killed(template, name, content, operation, when, none.log()));
        }
      }
    }
    assertTrue(none.operations() >= 15, none.log().toString());
    assertTrue(kills.size() >= none.operations() + 2, kills.size() + " kills");
    List<Boolean> wereThere = AtOnce.results(kills);
    // Only the kill behind the commit comes too late.
    assertEquals(
        List.of(true),
        wereThere.stream().filter(Boolean::booleanValue).toList(),
        none.log()::toString);
  }

  /** One process that nobody kills, which leaves what makes the others start quickly. */
  private void runWhole(Host host, String name, long content) throws Exception {
    try (EngineProcess process =
        EngineProcess.start(host, Task.whole(content, name, 1), classes.dumps())) {
      process.awaitReady().go();
      assertEquals(0, process.await());
    }
    assertTrue(host.isThereAndComplete(name, EngineProcess.content(content), owner));
    assertNoPlainBytes(host);
    host.assertWorkspaceClean();
  }

  /** Kills one process; returns whether the snapshot is there. */
  private Boolean killed(
      Host template, String name, long content, long operation, When when, List<String> log)
      throws Exception {
    String what = "kill-%d-%s".formatted(operation, when);
    Host host = copy(template, what);
    int status;
    try (EngineProcess process =
        EngineProcess.start(host, Task.killed(content, name, operation, when), classes.options())) {
      process.awaitReady().go();
      status = process.await();
    }
    String where = what + ": " + log.get((int) operation);
    boolean isReached = when == When.BEFORE || !isReadOfNothing(template, log, (int) operation);
    assertEquals(isReached ? FaultPlan.KILLED : 0, status, where);
    assertNoPlainBytes(host);
    boolean isThere = host.isThereAndComplete(name, EngineProcess.content(content), owner);
    host.assertNextRunSucceeds(EngineProcess.content(content), owner);
    assertFalse(Files.exists(EngineProcess.repository(host.directory).resolve("tmp")), where);
    host.assertWorkspaceClean();
    PrivateFiles.deleteTree(host.directory);
    return isReached && isThere;
  }

  /** Reading an object that is not there neither tears nor ends. */
  private static boolean isReadOfNothing(Host template, List<String> log, int operation) {
    String[] words = log.get(operation).split(" ", 2);
    return words[0].equals("open")
        && !log.subList(0, operation).contains("put " + words[1])
        && !Files.exists(EngineProcess.repository(template.directory).resolve(words[1]));
  }

  @Test
  void a_run_that_fails_leaves_no_plain_bytes() throws Exception {
    Host host = host("failing").withKeys();
    FaultPlan faults = FaultPlan.failing(18, When.TORN).andEverAfter();
    assertThrows(
        BackupException.Sink.class,
        () -> host.backUp(EngineProcess.content(1), FIRST, faults.on(host.sink)));
    assertNoPlainBytes(host);
  }

  /** Everywhere on the host; and the search could find them. */
  private void assertNoPlainBytes(Host host) throws IOException {
    canaries.assertNowhereIn(host.directory);
  }

  @Test
  void the_canary_would_be_found() throws Exception {
    Path file = root.resolve("leaked");
    Files.write(file, EngineProcess.content(1).artifacts().get("different"));
    assertThrows(AssertionError.class, () -> canaries.assertNowhereIn(file));
  }

  private Host host(String name) throws IOException {
    Path directory = root.resolve(name);
    return new Host(
        directory, owner.recipient(), DirectorySink.at(EngineProcess.repository(directory)));
  }

  private Host copy(Host template, String name) throws IOException {
    Path directory = root.resolve(name);
    return template.copy(directory, DirectorySink.at(EngineProcess.repository(directory)));
  }
}
