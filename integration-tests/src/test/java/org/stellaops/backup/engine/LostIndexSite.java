package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.IndexReport;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;

/**
 * A directory with a repository and the keys of two writers, one of which lost its workspace and
 * everything that the repository knew of its chunks. Its snapshots {@code n1}, {@code n2}, … hold
 * one part more each, in a pack of its own.
 */
final class LostIndexSite {
  static final String WRITER = "host-a";
  static final String OTHER_WRITER = "host-b";

  /** One more than a part of an index describes at least, so that there are two. */
  static final int SNAPSHOTS = 17;

  private static final String JANITOR = "janitor";
  private static final int PART_BYTES = 3000;

  final Path directory;
  final BackupSink sink;

  /** Snapshots that are there. */
  private final Set<String> committed = new TreeSet<>(Set.of("m1"));

  LostIndexSite(Path directory) {
    this.directory = directory;
    this.sink = DirectorySink.at(repository());
    for (int n = 1; n <= SNAPSHOTS; n++) {
      committed.add("n" + n);
    }
  }

  /** Makes it, and loses what is to be lost. */
  LostIndexSite make() throws IOException {
    Files.createDirectories(directory);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      identity.writeTo(directory.resolve("owner.txt"));
    }
    for (String name : List.of(WRITER, OTHER_WRITER, JANITOR)) {
      keys(name).open().close();
    }
    BytesSource growing = content(0);
    try (BackupEngine engine = engine(WRITER, growing, sink)) {
      for (int n = 1; n <= SNAPSHOTS; n++) {
        growing.with("part-" + n, part(n));
        engine.backup(BackupRequest.full().named("n" + n)).requireGood();
      }
    }
    backUp(OTHER_WRITER, "m1", content(3));
    PrivateFiles.deleteTree(repository().resolve("w").resolve(WRITER).resolve("state"));
    PrivateFiles.deleteTree(workspace(WRITER));
    return this;
  }

  LostIndexSite copy(Path to) throws IOException {
    Host.copyTree(directory, to);
    return new LostIndexSite(to);
  }

  private Path repository() {
    return EngineProcess.repository(directory);
  }

  private Path workspace(String writer) {
    return directory.resolve("workspace-" + writer);
  }

  private WriterKeyFile keys(String name) {
    return WriterKeyFile.at(directory.resolve(name + ".key")).named(name);
  }

  private AgeIdentity owner() throws IOException {
    return AgeIdentity.file(directory.resolve("owner.txt"));
  }

  private Trust trust() throws IOException {
    return new Trust(
        List.of(
            new Trust.Signer(List.of(WRITER, "admin"), keys(WRITER).id().publicKey()),
            new Trust.Signer(List.of(OTHER_WRITER), keys(OTHER_WRITER).id().publicKey()),
            new Trust.Signer(List.of("retention"), keys(JANITOR).id().publicKey())));
  }

  /** The parts of the first so many snapshots. */
  static BytesSource content(int parts) {
    BytesSource source = new BytesSource("config");
    for (int n = 1; n <= parts; n++) {
      source.with("part-" + n, part(n));
    }
    return source;
  }

  private static byte[] part(int n) {
    return Fixture.random(n, PART_BYTES);
  }

  /** Everything that was there when the index was lost, and something that was not. */
  static BytesSource contentWith(String something) {
    return content(SNAPSHOTS).with("new", Fixture.random(1_000 + something.hashCode(), PART_BYTES));
  }

  private BackupEngine engine(String writer, BytesSource content, BackupSink through)
      throws IOException {
    BackupPlan.Builder plan =
        BackupPlan.named("files-of-" + writer)
            .writer(keys(writer))
            .trust(trust())
            .janitor(keys(JANITOR))
            .limits(new Limits(32 << 20, 1, 1, 64 << 10))
            .source(Host.SOURCE, content)
            .sink(through);
    try (AgeIdentity owner = owner()) {
      plan.encryptTo(owner.recipient());
    }
    return BackupEngine.with(plan.build())
        .executor(Runnable::run)
        .instance(writer)
        .workspace(workspace(writer))
        .open();
  }

  private BackupReport backUp(String writer, String name, BytesSource content) throws IOException {
    try (BackupEngine engine = engine(writer, content, sink)) {
      BackupReport report = engine.backup(BackupRequest.full().named(name));
      committed.add(name);
      return report;
    }
  }

  /** Commits a snapshot of what was there, and of something new. */
  BackupReport commit(String writer, String name) throws IOException {
    return backUp(writer, name, contentWith(name));
  }

  IndexReport rebuild(BackupSink through) throws IOException {
    try (BackupEngine engine = engine(WRITER, content(1), through);
        AgeIdentity owner = owner()) {
      return engine.rebuildIndex(owner);
    }
  }

  IndexReport planRebuild() throws IOException {
    try (BackupEngine engine = engine(WRITER, content(1), sink)) {
      return engine.planIndexRebuild();
    }
  }

  private BackupRepository opened(AgeIdentity who) throws IOException {
    return BackupRepository.at(sink).identity(who).trust(trust()).executor(Runnable::run).open();
  }

  /** Every snapshot that was committed is listed, and what was asked for comes back. */
  void assertReadable(String... names) throws IOException {
    try (AgeIdentity owner = owner();
        BackupRepository repository = opened(owner)) {
      assertListed(repository);
      Host.assertRestores(
          repository, SnapshotRef.named("n" + SNAPSHOTS), content(SNAPSHOTS).artifacts());
      for (String name : names) {
        Host.assertRestores(repository, SnapshotRef.named(name), contentWith(name).artifacts());
      }
    }
  }

  private void assertListed(BackupRepository repository) throws IOException {
    assertEquals(List.of(), repository.catalog().damage());
    Set<String> names = new TreeSet<>();
    for (SnapshotSummary snapshot : repository.catalog().list(SnapshotFilter.all())) {
      assertTrue(snapshot.isAuthenticated(), snapshot.name().value());
      names.add(snapshot.name().value());
    }
    assertEquals(committed, names);
  }

  /** Nothing is unknown, and only what is new is stored by the next backup. */
  void assertKnowsItsChunks() throws IOException {
    IndexReport plan = planRebuild();
    assertEquals(0, plan.unknownPacks(), plan.toString());
    assertEquals(List.of(), plan.findings());
    BackupReport same = backUp(WRITER, "same", content(SNAPSHOTS)).requireGood();
    assertEquals(0, same.newBytes(), same.toString());
    BackupReport more = commit(WRITER, "more").requireGood();
    assertTrue(more.newBytes() >= PART_BYTES && more.newBytes() < 2 * PART_BYTES, more.toString());
  }

  /** Every byte is there and in order, nothing is left over, and what is can be removed. */
  void assertSound() throws IOException {
    assertFalse(Files.exists(repository().resolve("tmp")), "left in tmp");
    prune();
    // Both say that they know of everything that was doomed; then it goes, and the rest is known.
    commit(WRITER, "knowing").requireGood();
    commit(OTHER_WRITER, "other-knowing").requireGood();
    PruneReport swept = prune();
    assertEquals(swept.keptObjects() + swept.doomedObjects(), stored(), swept.toString());
    assertReadable("more", "knowing");
    try (AgeIdentity owner = owner();
        BackupRepository repository = opened(owner)) {
      var report = repository.check(Verification.full(owner));
      assertTrue(report.isIntact(), report.toString());
    }
  }

  private PruneReport prune() throws IOException {
    try (Janitor janitor =
        Janitor.at(sink)
            .keys(keys(JANITOR))
            .trust(trust())
            .retain(Pruning.keeping(Integer.MAX_VALUE))
            .grace(Duration.ZERO)
            .minimumAge(Duration.ZERO)
            .open()) {
      PruneReport report = Pruning.prune(janitor);
      assertTrue(report.isOk(), report.toString());
      return report;
    }
  }

  /** What is stored of the two writers. */
  private long stored() throws IOException {
    long stored = 0;
    for (String writer : List.of(WRITER, OTHER_WRITER)) {
      try (Stream<Path> files = Files.walk(repository().resolve("w").resolve(writer))) {
        stored += files.filter(Files::isRegularFile).count();
      }
    }
    return stored;
  }
}
