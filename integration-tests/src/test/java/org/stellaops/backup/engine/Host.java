package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;

/**
 * A machine that backs up: a directory with its writer keys and its workspace, and the sink it
 * writes to. Everything is done on the calling thread, so that operations have the same numbers in
 * every run.
 */
final class Host {
  static final String SOURCE = "files";
  private static final String CACHE = "cache";
  private static final Pattern REMEMBERED_HEADS = Pattern.compile("heads\\.[0-9a-f-]{36}");

  final Path directory;
  final Recipient owner;
  final BackupSink sink;

  Host(Path directory, Recipient owner, BackupSink sink) throws IOException {
    this.directory = Files.createDirectories(directory);
    this.owner = owner;
    this.sink = sink;
  }

  /** The same machine as it is now, somewhere else. */
  Host copy(Path to, BackupSink otherSink) throws IOException {
    copyTree(directory, to);
    return new Host(to, owner, otherSink);
  }

  static void copyTree(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Files.copy(
            path, to.resolve(from.relativize(path).toString()), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
  }

  Path workspace() {
    return directory.resolve("workspace");
  }

  WriterKeyFile keys() {
    return WriterKeyFile.at(directory.resolve("writer.key")).named("host-a");
  }

  /** Makes the keys, bound to nothing yet. */
  Host withKeys() throws IOException {
    keys().open().close();
    return this;
  }

  BackupPlan.Builder plan(BackupSink through) {
    return BackupPlan.named("test")
        .encryptTo(owner)
        .writer(keys())
        .limits(new Limits(32 << 20, 1, 1, 64 << 10))
        .sink(through);
  }

  BackupEngine.Builder with(BackupSource source, BackupSink through) {
    return with(plan(through).source(SOURCE, source).build());
  }

  BackupEngine.Builder with(BackupPlan plan) {
    // Its name: what an engine before it left behind is over.
    return BackupEngine.with(plan)
        .executor(Runnable::run)
        .instance("host-a")
        .workspace(workspace());
  }

  BackupReport backUp(BackupSource source, String name) throws BackupException {
    return backUp(source, name, sink);
  }

  BackupReport backUp(BackupSource source, String name, BackupSink through) throws BackupException {
    return backUp(source, BackupRequest.full().named(name), through);
  }

  BackupReport backUp(BackupSource source, BackupRequest request, BackupSink through)
      throws BackupException {
    try (BackupEngine engine = with(source, through).open()) {
      return engine.backup(request);
    }
  }

  /** What an empty machine has: the location, an identity, and whom to trust. */
  BackupRepository repository(Identity identity) throws IOException {
    return repository(identity, sink);
  }

  BackupRepository repository(Identity identity, BackupSink through) throws IOException {
    return BackupRepository.at(through)
        .identity(identity)
        .trust(Trust.owner(keys().id()))
        .executor(Runnable::run)
        .open();
  }

  /** The law: whether the snapshot is there, and then it is complete. */
  boolean isThereAndComplete(String name, BytesSource source, Identity identity)
      throws IOException {
    try (BackupRepository repository = repository(identity)) {
      Optional<SnapshotSummary> found = repository.catalog().find(SnapshotRef.named(name));
      assertEquals(
          found.isPresent(),
          repository.catalog().list(SnapshotFilter.all()).stream()
              .anyMatch(s -> s.name().value().equals(name)));
      if (found.isPresent()) {
        assertComplete(repository, found.get().id(), source, identity);
      }
      return found.isPresent();
    } catch (BackupException.Refused e) {
      assertEquals(CoreFailure.NOT_A_REPOSITORY, e.code(), e.toString());
      return false;
    }
  }

  /** Verified without and with the identity, restored and compared. */
  static void assertComplete(
      BackupRepository repository, SnapshotRef snapshot, BytesSource source, Identity identity)
      throws BackupException {
    assertTrue(repository.verify(snapshot).isIntact());
    assertTrue(repository.verify(snapshot, Verification.full(identity)).isIntact());
    assertRestores(repository, snapshot, source.artifacts());
  }

  static void assertRestores(
      BackupRepository repository, SnapshotRef snapshot, Map<String, byte[]> expected)
      throws BackupException {
    var target = new BytesSource.Target();
    RestorePlan plan = repository.planRestore(RestoreRequest.of(snapshot).target(SOURCE, target));
    repository.restore(plan, Confirmation.of(plan.digest()));
    assertEquals(expected.keySet(), target.restored.keySet());
    expected.forEach((name, bytes) -> assertArrayEquals(bytes, target.restored.get(name), name));
  }

  /** Runs once more without faults; then everything in the repository is sound. */
  void assertNextRunSucceeds(BytesSource source, Identity identity) throws IOException {
    BackupReport next = backUp(source, "next").requireGood();
    try (BackupRepository repository = repository(identity)) {
      assertRestores(repository, next.snapshot(), source.artifacts());
      var report = repository.check(Verification.full(identity));
      assertTrue(report.isIntact(), report.toString());
      assertEquals(List.of(), repository.catalog().damage());
    }
  }

  /** Nothing is in the workspace but the heads that were seen, and the cache. */
  void assertWorkspaceClean() throws IOException {
    if (!Files.isDirectory(workspace())) {
      return;
    }
    try (Stream<Path> files = Files.list(workspace())) {
      List<String> strays =
          files
              .map(f -> f.getFileName().toString())
              .filter(f -> !REMEMBERED_HEADS.matcher(f).matches() && !f.equals(CACHE))
              .toList();
      assertEquals(List.of(), strays, "left in the workspace");
    }
  }
}
