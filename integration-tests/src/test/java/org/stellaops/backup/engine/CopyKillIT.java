package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.FaultPlan.When;

/**
 * A process that copies to another site is killed at an operation on the target. The law: the
 * target lists nothing that it does not hold whole, the second attempt sends only the rest, and
 * then the target is what it would have become without the kill.
 */
class CopyKillIT {
  private static final int SNAPSHOTS = 3;
  private static final int SAMPLES = 6;

  @TempDir static Path root;
  private static PackedClassPath classes;
  private static AgeIdentity owner;
  private static Host host;
  private static Map<String, byte[]> whole;
  private static long sent;
  private static int operations;

  @BeforeAll
  static void make() throws Exception {
    classes = PackedClassPath.in(Files.createDirectory(root.resolve("classes")));
    owner = AgeIdentity.generate();
    host =
        new Host(root.resolve("host"), owner.recipient(), DirectorySink.at(root.resolve("primary")))
            .withKeys();
    for (int i = 1; i <= SNAPSHOTS; i++) {
      host.backUp(content(i), "s" + i).requireGood();
    }
    Path to = root.resolve("whole");
    FaultPlan none = FaultPlan.none();
    sent = copy(none.on(DirectorySink.at(to))).sent();
    operations = (int) none.operations();
    whole = files(to);
    // What makes the others start quickly.
    assertEquals(
        0, CopyProcess.whole(root.resolve("primary"), root.resolve("other"), classes.dumps()));
    assertSame(whole, files(root.resolve("other")), "by a process");
  }

  private static BytesSource content(long seed) {
    return BytesSource.of("same", Fixture.random(9, 30_000))
        .with("different", Fixture.random(seed, 30_000));
  }

  private static CopyReport copy(BackupSink to) throws IOException {
    try (BackupRepository repository =
        BackupRepository.at(host.sink).trust(Trust.owner(host.keys().id())).open()) {
      return repository.copy(CopyRequest.to(to));
    }
  }

  /** What lies in a directory, but for what a killed process had not finished. */
  private static Map<String, byte[]> files(Path directory) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(directory)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        String name = directory.relativize(file).toString();
        if (!name.startsWith("tmp/")) {
          files.put(name, Files.readAllBytes(file));
        }
      }
    }
    return files;
  }

  private static void assertSame(
      Map<String, byte[]> expected, Map<String, byte[]> found, String where) {
    assertEquals(expected.keySet(), found.keySet(), where);
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, found.get(name), name));
  }

  @Test
  void a_copy_that_is_killed_lists_only_what_is_whole_and_the_next_one_sends_the_rest()
      throws Exception {
    List<Callable<Integer>> kills = new ArrayList<>();
    for (int i = 0; i < SAMPLES; i++) {
      // Entries come last, where it matters most.
      int operation = operations - 1 - i * i * operations / (SAMPLES * SAMPLES);
      When when = When.values()[i % When.values().length];
      kills.add(() -> killed(operation, when));
    }
    assertTrue(AtOnce.results(kills).stream().anyMatch(n -> n < SNAPSHOTS), "none came in between");
  }

  @Test
  @Tag("soak")
  void the_same_at_every_operation() throws Exception {
    List<Callable<Integer>> kills = new ArrayList<>();
    for (int n = 0; n < operations; n++) {
      for (When when : When.values()) {
        int operation = n;
        kills.add(() -> killed(operation, when));
      }
    }
    List<Integer> listed = AtOnce.results(kills);
    assertTrue(listed.containsAll(List.of(0, SNAPSHOTS)), listed.toString());
  }

  /** How many snapshots the target listed after the kill, all of them whole. */
  private static int killed(int operation, When when) throws Exception {
    String what = "kill-%d-%s".formatted(operation, when);
    Path to = root.resolve(what);
    int status =
        CopyProcess.killed(root.resolve("primary"), to, operation, when, classes.options());
    // Several go at a time, and what is not there cannot be torn: so it may come to the end.
    assertTrue(status == FaultPlan.KILLED || status == 0, what + " ended with " + status);
    int listed = Files.exists(to.resolve("repository.json")) ? listedWhole(to) : 0;
    Map<String, byte[]> left = Files.exists(to) ? files(to) : Map.of();
    for (Map.Entry<String, byte[]> file : left.entrySet()) {
      assertArrayEquals(whole.get(file.getKey()), file.getValue(), what + " " + file.getKey());
    }
    CopyReport second = copy(DirectorySink.at(to)).requireComplete();
    long already = left.keySet().stream().filter(CopyKillIT::isSent).count();
    assertEquals(sent - already, second.sent(), what + ": only the rest");
    assertSame(whole, files(to), what);
    assertEquals(SNAPSHOTS, listedWhole(to), what);
    PrivateFiles.deleteTree(to);
    return listed;
  }

  /** Whether it is counted: what stands in every store is not. */
  private static boolean isSent(String name) {
    return name.contains("/");
  }

  private static int listedWhole(Path at) throws IOException {
    try (BackupRepository repository = host.repository(owner, DirectorySink.at(at))) {
      assertEquals(List.of(), repository.catalog().damage());
      var reports = repository.verifyAll(SnapshotFilter.all(), Verification.full(owner));
      reports.forEach(r -> assertTrue(r.isIntact(), r.toString()));
      return reports.size();
    }
  }
}
