package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.CountingFiles;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.files.Tree;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.Damage;
import org.stellaops.backup.testkit.MemorySink;

/** A snapshot of files that were not read again is a snapshot like any other. */
class FileReuseIT {
  private static final int FILES = 150;
  private static final String CHANGED = "d2/f077";

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();

  /** What was made by the test changed before any capture began. */
  private final InstantSource clock =
      InstantSource.offset(InstantSource.system(), Duration.ofMinutes(1));

  private AgeIdentity owner;
  private Host host;
  private Pruning pruning;
  private Path tree;
  private CountingFiles source;
  private Map<String, String> before;

  @BeforeEach
  void oneSnapshot() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    pruning = new Pruning(host).withKeys();
    tree = Files.createDirectory(root.resolve("tree"));
    for (int i = 0; i < FILES; i++) {
      Path file = tree.resolve("d%d/f%03d".formatted(i % 5, i));
      Files.createDirectories(file.getParent());
      Files.write(file, Fixture.random(i, 2000));
    }
    source = CountingFiles.in(tree, 8);
    before = Tree.of(tree);
    assertTrue(backUp("first").newBytes() > 2000L * FILES);
    assertEquals(FILES, source.opened().size());
  }

  @AfterEach
  void nothingIsOpen() {
    owner.close();
    sink.assertNothingOpen();
  }

  private BackupReport backUp(String name) throws IOException {
    return backUp(name, sink);
  }

  private BackupReport backUp(String name, BackupSink through) throws IOException {
    BackupPlan plan =
        host.plan(through).source(Host.SOURCE, source).janitor(pruning.keys()).build();
    try (BackupEngine engine = host.with(plan).clock(clock).open()) {
      return engine.backup(BackupRequest.full().named(name));
    }
  }

  private void assertRestores(String name, Map<String, String> expected) throws IOException {
    Path out = root.resolve("out-of-" + name);
    try (BackupRepository repository =
        BackupRepository.at(sink)
            .identity(owner)
            .trust(pruning.trust())
            .executor(Runnable::run)
            .open()) {
      SnapshotRef snapshot = SnapshotRef.named(name);
      assertTrue(repository.verify(snapshot, Verification.full(owner)).isIntact());
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(snapshot).target(Host.SOURCE, FileTarget.at(out)));
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
    Tree.assertEqual(expected, Tree.of(out));
  }

  private void change() throws IOException {
    Files.write(tree.resolve(CHANGED), Fixture.random(99, 3000));
  }

  private Set<ObjectName> packs() {
    Set<ObjectName> packs = new TreeSet<>(sink.snapshot().keySet());
    packs.removeIf(n -> !n.value().contains("/packs/"));
    return packs;
  }

  @Test
  void an_unchanged_tree_is_not_opened_and_outlives_the_snapshot_it_was_read_for()
      throws Exception {
    BackupReport second = backUp("second").requireGood();
    assertEquals(Set.of(), source.opened());
    assertEquals(0, second.newBytes());
    assertTrue(second.plainBytes() > 2000L * FILES);
    for (int i = 0; i < 2; i++) {
      assertTrue(pruning.prune(1).isOk());
      backUp("later-" + i).requireGood();
    }
    assertTrue(pruning.prune(1).isOk());
    assertEquals(Set.of(), source.opened());
    assertRestores("later-1", before);
  }

  @Test
  void a_changed_file_is_read_with_its_section_and_nothing_else() throws Exception {
    change();
    BackupReport second = backUp("second").requireGood();
    Set<String> opened = source.opened();
    assertTrue(opened.contains(CHANGED) && opened.size() < FILES / 3, opened::toString);
    assertTrue(second.newBytes() < 2000L * FILES / 2, second.toString());
    assertRestores("second", Tree.of(tree));
    assertRestores("first", before);
  }

  @Test
  void sections_of_a_lost_pack_are_read_again() throws Exception {
    Set<ObjectName> ofFirst = packs();
    change();
    backUp("second").requireGood();
    Set<String> changed = source.opened();
    Set<ObjectName> ofSecond = packs();
    ofSecond.removeAll(ofFirst);
    for (ObjectName pack : ofSecond) {
      sink.raw().remove(pack);
    }
    BackupReport third = backUp("third").requireGood();
    assertEquals(changed, source.opened());
    assertTrue(third.newBytes() > 0);
    assertRestores("third", Tree.of(tree));
    backUp("fourth").requireGood();
    assertEquals(Set.of(), source.opened());
  }

  @Test
  void a_new_epoch_shares_nothing_with_the_one_before() throws Exception {
    Set<ObjectName> ofFirst = packs();
    try (AgeIdentity other = AgeIdentity.generate()) {
      host = new Host(host.directory, other.recipient(), sink);
      pruning = new Pruning(host);
      BackupReport second = backUp("second").requireGood();
      assertEquals(FILES, source.opened().size());
      assertTrue(second.newBytes() > 2000L * FILES);
      sink.raw().names().stream().filter(ofFirst::contains).toList().forEach(this::remove);
      assertRestoresWith(other, "second");
    }
  }

  private void remove(ObjectName name) {
    try {
      sink.raw().remove(name);
    } catch (IOException e) {
      throw new AssertionError("memory fails nobody", e);
    }
  }

  private void assertRestoresWith(AgeIdentity identity, String name) throws IOException {
    AgeIdentity first = owner;
    owner = identity;
    try {
      assertRestores(name, before);
    } finally {
      owner = first;
    }
  }

  @Test
  void what_is_doomed_meanwhile_is_read_again() throws Exception {
    change();
    backUp("second").requireGood();
    Files.write(tree.resolve(CHANGED), Fixture.random(100, 3000));
    source.opened();
    AtomicBoolean isDone = new AtomicBoolean();
    BackupSink hooked =
        HookedStore.on(
            sink,
            operation -> {
              if (operation.startsWith("put log/host-a/") && isDone.compareAndSet(false, true)) {
                backUp("between");
                pruning.prune(1);
              }
            });
    backUp("third", hooked).requireGood();
    assertTrue(isDone.get());
    assertRestores("third", Tree.of(tree));
    for (int i = 0; i < 2; i++) {
      backUp("later-" + i).requireGood();
      assertTrue(pruning.prune(1).isOk());
    }
    assertRestores("later-1", Tree.of(tree));
  }

  private ObjectName state(String kind) throws IOException {
    String entry =
        new String(
            sink.raw().read(ObjectName.of("log/host-a/0000000002.entry")),
            StandardCharsets.US_ASCII);
    List<ObjectName> named =
        entry
            .lines()
            .filter(line -> line.startsWith("# state: " + kind + " "))
            .map(line -> ObjectName.of(line.substring(line.lastIndexOf(' ') + 1)))
            .toList();
    assertEquals(1, named.size(), entry);
    return named.get(0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"runs", "artifact"})
  void without_what_was_remembered_every_file_is_read(String kind) throws Exception {
    Damage.flip(state(kind), 1000, 2)
        .during(
            sink.raw(),
            () -> {
              BackupReport second = backUp("second");
              assertEquals(FILES, source.opened().size());
              assertEquals(Outcome.DEGRADED, second.outcome());
              assertEquals(1, second.findings().size(), second::toString);
              assertEquals(CoreFailure.CORRUPT_OBJECT, second.findings().get(0).code());
              assertEquals(0, second.newBytes());
            });
    assertRestores("second", before);
    backUp("third").requireGood();
    backUp("fourth").requireGood();
    assertEquals(Set.of(), source.opened(), "after at most one capture that reads");
  }

  @Test
  void a_capture_that_began_in_the_moment_of_a_change_proves_nothing_about_it() throws Exception {
    Path later = tree.resolve("d0/later");
    Files.write(later, Fixture.random(7, 100));
    Files.setLastModifiedTime(later, FileTime.from(Instant.ofEpochSecond(1_000_000)));
    FileTime changed =
        (FileTime) Files.getAttribute(later, "unix:ctime", LinkOption.NOFOLLOW_LINKS);
    InstantSource now = InstantSource.fixed(changed.toInstant().plusSeconds(1));
    BackupPlan plan = host.plan(sink).source(Host.SOURCE, source).janitor(pruning.keys()).build();
    try (BackupEngine engine = host.with(plan).clock(now).open()) {
      engine.backup(BackupRequest.full().named("at-once"));
    }
    source.opened();
    backUp("second").requireGood();
    assertTrue(source.opened().contains("d0/later"));
  }
}
