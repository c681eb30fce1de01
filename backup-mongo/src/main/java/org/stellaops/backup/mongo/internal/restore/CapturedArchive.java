package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveContents;
import org.stellaops.backup.mongo.internal.archive.ArchiveInput;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.mongo.internal.oplog.BroughtOplog;
import org.stellaops.backup.spi.RestoreSession;

/**
 * The archive to restore, with its side artifact where there is one: an archive that mongodump
 * wrote has none, and is then its own word for what it holds.
 */
final class CapturedArchive {
  private final RestoreSession session;
  private final CapturedSource captured;
  private final ArtifactName archive;
  private final Optional<CaptureMeta> meta;
  private final String from;

  private CapturedArchive(
      RestoreSession session,
      CapturedSource captured,
      ArtifactName archive,
      Optional<CaptureMeta> meta,
      String from) {
    this.session = session;
    this.captured = captured;
    this.archive = archive;
    this.meta = meta;
    this.from = from;
  }

  /**
   * Finds the artifacts and reads the side artifact.
   *
   * @param from the database of the archive that is restored; empty where it has only one
   */
  static CapturedArchive of(RestoreSession session, String from) throws IOException {
    List<CapturedSource> chain = session.chain();
    if (chain.size() != 1) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "a database is captured in full each time, found a chain of " + chain.size());
    }
    CapturedSource captured = chain.get(0);
    return new CapturedArchive(
        session, captured, archiveOf(captured), readMeta(session, captured), from);
  }

  /** The one artifact that is not the side artifact. */
  static ArtifactName archiveOf(CapturedSource captured) throws BackupException.Target {
    List<ArtifactName> archives =
        captured.artifacts().stream()
            .map(CapturedArtifact::name)
            .filter(n -> !n.equals(Layout.META))
            .toList();
    if (archives.size() != 1) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE, "expected one archive, found " + archives);
    }
    return archives.get(0);
  }

  private static Optional<CaptureMeta> readMeta(RestoreSession session, CapturedSource captured)
      throws IOException {
    if (captured.artifact(Layout.META).isEmpty()) {
      return Optional.empty();
    }
    try (InputStream in = session.open(captured, Layout.META)) {
      return Optional.of(CaptureMeta.read(in));
    }
  }

  /**
   * Holds the side artifact to what is going to be replayed: documents that were read while they
   * changed are not one state without.
   */
  void requireReplayed(Optional<Replay> replay) throws BackupException.Target {
    boolean bringsOplog = bringsOplog();
    if (bringsOplog != replay.map(Replay::bringsOplog).orElse(false)) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "the capture %s a part of the oplog, and its properties say otherwise"
              .formatted(bringsOplog ? "has" : "has not"));
    }
  }

  /** Of an archive that mongodump wrote only its registration has looked at the oplog. */
  private boolean bringsOplog() {
    return meta.map(m -> m.oplog() != null)
        .orElseGet(() -> BroughtOplog.isOf(captured.properties()));
  }

  /** What is restored. */
  CapturedSource captured() {
    return captured;
  }

  /** Bytes of the archive as it was captured. */
  long storedBytes() {
    return captured.artifact(archive).map(CapturedArtifact::plainBytes).orElse(0L);
  }

  /** Reads the whole archive, and holds it to the side artifact at the end. */
  ArchiveContents read(ArchiveReader.Visitor visitor) throws IOException {
    try (InputStream plain = ArchiveInput.open(session.open(captured, archive))) {
      ArchiveContents contents = ArchiveReader.read(plain, visitor);
      if (meta.isPresent()) {
        meta.get().requireSame(contents);
      }
      return contents;
    }
  }

  /**
   * What the collections of the archive's database are: by the side artifact, else by the prelude.
   *
   * @throws BackupException.Target if they are not what one database consists of
   */
  List<CollectionSpec> collections(Prelude prelude) throws BackupException {
    requireOneDatabase(prelude, bringsOplog());
    if (meta.isPresent()) {
      return meta.get().collections().stream().map(CaptureMeta.Item::spec).toList();
    }
    List<CollectionSpec> specs = new ArrayList<>();
    for (Prelude.Entry entry : prelude.entries()) {
      if (isRestored(entry.namespace())) {
        specs.add(MetadataJson.parse(entry));
      }
    }
    return specs;
  }

  /** The database that is restored. */
  String databaseOf(Prelude prelude) {
    return !from.isEmpty() || prelude.entries().isEmpty()
        ? from
        : prelude.entries().get(0).namespace().database();
  }

  /** Whether it is a collection of the database that is restored. */
  boolean isRestored(Namespace namespace) {
    return !namespace.equals(Namespace.OPLOG)
        && (from.isEmpty() || from.equals(namespace.database()))
        && !isTheServersOwn(namespace);
  }

  /** Whether a server would not let anybody create it. */
  static boolean isTheServersOwn(Namespace namespace) {
    String name = namespace.collection();
    return name.startsWith("$") || (name.startsWith("system.") && !name.equals("system.js"));
  }

  /**
   * Holds an archive to one database, or to having the one that is restored.
   *
   * @param bringsOplog whether it is known to hold a part of the oplog
   */
  private void requireOneDatabase(Prelude prelude, boolean bringsOplog)
      throws BackupException.Target {
    TreeSet<String> databases = new TreeSet<>();
    for (Prelude.Entry entry : prelude.entries()) {
      Namespace namespace = entry.namespace();
      if (bringsOplog && namespace.equals(Namespace.OPLOG)) {
        continue;
      }
      databases.add(namespace.database());
      boolean isOfUsers = UserNamespaces.isOne(namespace);
      if (from.isEmpty() && isTheServersOwn(namespace) && !isOfUsers) {
        throw notRestorable(
            "archive holds %s, which is not a collection of one database".formatted(namespace));
      }
    }
    if (databases.contains("")) {
      throw notRestorable(
          "archive holds an oplog that was written during it, and is no one state without: "
              + BroughtOplog.obstacle(captured.properties())
                  .orElse("where that ends is not known; hint: register the archive again"));
    }
    if (!from.isEmpty() && !databases.contains(from) && !isCreatedByOplog(from)) {
      throw notRestorable("archive holds no database %s, only %s".formatted(from, databases));
    }
    if (from.isEmpty() && databases.size() != 1) {
      throw notRestorable(
          "archive holds %d databases, expected one: %s; hint: MongoTarget.only chooses one, and"
                  .formatted(databases.size(), databases)
              + " MongoTarget.instance restores all");
    }
  }

  private boolean isCreatedByOplog(String database) {
    return meta.isEmpty()
        && bringsOplog()
        && BroughtOplog.of(captured.properties()).created().stream()
            .anyMatch(n -> n.database().equals(database));
  }

  private static BackupException.Target notRestorable(String why) {
    return new BackupException.Target(MongoFailure.NOT_RESTORABLE, why);
  }
}
