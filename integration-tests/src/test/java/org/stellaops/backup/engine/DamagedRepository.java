package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RepositoryReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.WriterKeys;
import org.stellaops.backup.testkit.MemorySink;
import org.stellaops.backup.testkit.RawObjects;

/** A repository in memory, its owner and its writer, for tests that hurt it. */
final class DamagedRepository implements AutoCloseable {
  static final Instant BEGIN = Instant.parse("2026-11-20T02:00:00Z");

  final MemorySink sink;
  final AgeIdentity owner;
  final WriterKeyFile keys;
  final WriterId writer;
  private final Path root;
  private Instant now = BEGIN;

  DamagedRepository(Path root) throws IOException {
    this(root, new MemorySink(), "host-a");
  }

  DamagedRepository(Path root, MemorySink sink, String writerName) throws IOException {
    this.root = root;
    this.sink = sink;
    this.owner = AgeIdentity.generate();
    this.keys = WriterKeyFile.at(root.resolve(writerName + ".key")).named(writerName);
    try (WriterKeys made = keys.open()) {
      this.writer = made.id();
    }
  }

  /** A clock that only goes when it is told to. */
  InstantSource clock() {
    return () -> now;
  }

  void setClock(Instant time) {
    now = time;
  }

  BackupPlan plan(BackupSource source) {
    return BackupPlan.named("test")
        .source("files", source)
        .encryptTo(owner.recipient())
        .writer(keys)
        .sink(sink)
        .build();
  }

  BackupEngine engine(BackupSource source) throws IOException {
    return BackupEngine.with(plan(source)).clock(clock()).executor(Runnable::run).open();
  }

  BackupReport backup(String name, BackupSource source) throws IOException {
    try (BackupEngine engine = engine(source)) {
      return engine.backup(BackupRequest.full().named(name));
    }
  }

  /** Snapshots of these contents, one after the other, each verified with a record. */
  List<BackupReport> fill(BytesSource... contents) throws IOException {
    List<BackupReport> reports = new ArrayList<>();
    for (BytesSource content : contents) {
      try (BackupEngine engine = engine(content)) {
        BackupReport report =
            engine.backup(BackupRequest.full().named("snapshot-" + (reports.size() + 1)));
        engine.verify(report.snapshot());
        reports.add(report);
      }
      now = now.plusSeconds(3600);
    }
    return reports;
  }

  /** As an owner opens it on an empty machine. */
  BackupRepository.Access access() {
    return access(sink);
  }

  BackupRepository.Access access(ObjectLocation of) {
    return BackupRepository.at(of)
        .trust(Trust.owner(writer))
        .clock(clock())
        .executor(Runnable::run)
        .workspace(workspace("none"));
  }

  /** A place that remembers heads; a fresh one for every name. */
  Path workspace(String name) {
    return root.resolve("workspace-" + name);
  }

  /** Everything an owner can check. */
  RepositoryReport check(MemorySink of) throws BackupException {
    try (BackupRepository repository = open(of)) {
      return repository.check(Verification.full(owner));
    }
  }

  /** What needs no identity. */
  RepositoryReport checkStored(MemorySink of) throws BackupException {
    try (BackupRepository repository = open(of)) {
      return repository.check(Verification.stored());
    }
  }

  BackupRepository open(MemorySink of) throws BackupException {
    return BackupRepository.at(of)
        .trust(Trust.owner(writer))
        .clock(clock())
        .executor(Runnable::run)
        .open();
  }

  BackupRepository open() throws BackupException {
    return open(sink);
  }

  BytesSource.Target restore(SnapshotRef snapshot) throws IOException {
    BytesSource.Target target = new BytesSource.Target();
    restore(snapshot, target);
    return target;
  }

  void restore(SnapshotRef snapshot, BytesSource.Target target) throws IOException {
    try (BackupRepository repository = open()) {
      RestorePlan plan =
          repository.planRestore(RestoreRequest.of(snapshot).with(owner).target("files", target));
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
  }

  RawObjects raw() {
    return sink.raw();
  }

  /** Another store with the same objects. */
  MemorySink copy() {
    MemorySink copy = new MemorySink();
    copy.reset(sink.snapshot());
    return copy;
  }

  static MemorySink of(SortedMap<ObjectName, byte[]> objects) {
    MemorySink sink = new MemorySink();
    sink.reset(objects);
    return sink;
  }

  /** The names that contain this. */
  List<ObjectName> named(String part) throws IOException {
    return raw().names().stream().filter(n -> n.value().contains(part)).toList();
  }

  ObjectName only(String part) throws IOException {
    List<ObjectName> names = named(part);
    if (names.size() != 1) {
      throw new IllegalArgumentException("not one '" + part + "' but " + names);
    }
    return names.get(0);
  }

  @Override
  public void close() {
    owner.close();
  }
}
