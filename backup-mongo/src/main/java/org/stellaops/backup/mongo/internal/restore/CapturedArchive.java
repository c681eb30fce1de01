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

  private CapturedArchive(
      RestoreSession session,
      CapturedSource captured,
      ArtifactName archive,
      Optional<CaptureMeta> meta) {
    this.session = session;
    this.captured = captured;
    this.archive = archive;
    this.meta = meta;
  }

  /** Finds the artifacts and reads the side artifact. */
  static CapturedArchive of(RestoreSession session) throws IOException {
    List<CapturedSource> chain = session.chain();
    if (chain.size() != 1) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "a database is captured in full each time, found a chain of " + chain.size());
    }
    CapturedSource captured = chain.get(0);
    return new CapturedArchive(session, captured, archiveOf(captured), readMeta(session, captured));
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
   * What the archive's collections are: by the side artifact, else by the prelude.
   *
   * @throws BackupException.Target if they are not what one database consists of
   */
  List<CollectionSpec> collections(Prelude prelude) throws BackupException {
    requireOneDatabase(prelude);
    if (meta.isPresent()) {
      return meta.get().collections().stream().map(CaptureMeta.Item::spec).toList();
    }
    List<CollectionSpec> specs = new ArrayList<>();
    for (Prelude.Entry entry : prelude.entries()) {
      specs.add(MetadataJson.parse(entry));
    }
    return specs;
  }

  private static void requireOneDatabase(Prelude prelude) throws BackupException.Target {
    TreeSet<String> databases = new TreeSet<>();
    for (Prelude.Entry entry : prelude.entries()) {
      Namespace namespace = entry.namespace();
      databases.add(namespace.database());
      boolean isTheServersOwn =
          namespace.collection().startsWith("system.")
              && !namespace.collection().equals("system.js");
      if (isTheServersOwn || namespace.collection().startsWith("$")) {
        throw new BackupException.Target(
            MongoFailure.NOT_RESTORABLE,
            "archive holds %s, which is not a collection of one database".formatted(namespace));
      }
    }
    if (databases.size() != 1 || databases.contains("")) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "archive holds %d databases, expected one: %s".formatted(databases.size(), databases));
    }
  }
}
