package org.stellaops.backup.mongo.internal.capture;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveContents;
import org.stellaops.backup.mongo.internal.archive.ArchiveInput;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.DocumentRun;
import org.stellaops.backup.mongo.internal.archive.DocumentShape;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.mongo.internal.oplog.ArchivedOplog;
import org.stellaops.backup.mongo.internal.oplog.BroughtOplog;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;

/**
 * One capture of an archive that mongodump wrote: read once, and in that one pass verified, counted
 * and stored without its gzip. What does not verify is not stored.
 */
public final class ArchiveRegistration {
  /** Without an oplog nobody can tell from an archive how its collections fit each other. */
  private static final String CONSISTENCY = "UNKNOWN";

  private final Path file;
  private final CaptureSession session;
  private final InvalidTexts invalid = new InvalidTexts();
  private @Nullable ArchiveContents contents;
  private @Nullable ArchivedOplog oplog;
  private @Nullable Digest original;

  /** Of a file that nobody changes meanwhile. */
  public ArchiveRegistration(Path file, CaptureSession session) {
    this.file = file;
    this.session = session;
  }

  /** Stores the archive, and beside it what it came to where it is of one database. */
  public void run() throws IOException {
    Optional<String> database = database();
    ArtifactName name = Layout.archiveOf(database.orElse("instance"));
    session.artifact(name, Form.CONTENT, this::copy);
    ArchiveContents read = read();
    if (database.isPresent()) {
      CaptureMeta meta = meta(database.get(), read);
      session.artifact(Layout.META, Form.WHOLE.remembered(), meta::writeTo);
      session.property(Layout.DATABASE_PROPERTY, database.get());
    }
    session.property(Layout.ARCHIVE_PROPERTY, name.value());
    describe(read);
    invalid.findings().forEach(session::finding);
  }

  /** The only database of the archive; empty where it is of several, or holds an oplog. */
  private Optional<String> database() throws IOException {
    TreeSet<String> databases = new TreeSet<>();
    boolean isPlain = true;
    for (Prelude.Entry entry : prelude().entries()) {
      databases.add(entry.namespace().database());
      isPlain &= !entry.metadata().isEmpty() || isOfUsers(entry);
    }
    return isPlain && databases.size() == 1 ? Optional.of(databases.first()) : Optional.empty();
  }

  private static boolean isOfUsers(Prelude.Entry entry) {
    return entry.namespace().collection().startsWith("$")
        && UserNamespaces.isOne(entry.namespace());
  }

  private Prelude prelude() throws IOException {
    try (InputStream plain = ArchiveInput.open(open())) {
      return ArchiveReader.prelude(plain);
    }
  }

  private void copy(OutputStream out) throws IOException {
    MessageDigest digest = Digest.sha256();
    try (InputStream plain =
        new Teed(ArchiveInput.open(new DigestInputStream(open(), digest)), out)) {
      contents = ArchiveReader.read(plain, new Watched());
      original = Digest.of(digest.digest());
    }
  }

  private InputStream open() throws IOException {
    try {
      return Files.newInputStream(file);
    } catch (NoSuchFileException e) {
      throw new BackupException.Source(
          CoreFailure.NOT_FOUND, "read archive %s: there is no such file".formatted(file), e);
    }
  }

  private ArchiveContents read() {
    if (contents == null) {
      throw new IllegalStateException("the archive was not read");
    }
    return contents;
  }

  private static CaptureMeta meta(String database, ArchiveContents read)
      throws BackupException.Corrupt {
    List<CaptureMeta.Item> items = new ArrayList<>();
    List<CaptureMeta.Users> users = new ArrayList<>();
    for (Prelude.Entry entry : read.prelude().entries()) {
      Tally tally = read.tallies().getOrDefault(entry.namespace(), Tally.NOTHING);
      if (isOfUsers(entry)) {
        users.add(new CaptureMeta.Users(entry.namespace().collection(), tally));
      } else {
        items.add(new CaptureMeta.Item(MetadataJson.parse(entry), tally));
      }
    }
    return new CaptureMeta(
            database,
            read.prelude().serverVersion(),
            CONSISTENCY,
            read.preludeBytes(),
            read.preludeDigest(),
            items)
        .with(users);
  }

  private void describe(ArchiveContents read) throws IOException {
    session.version("mongodb", read.prelude().serverVersion());
    session.version("mongodump", read.prelude().toolVersion());
    describeOplog();
    session.property("registered.file", String.valueOf(file.getFileName()));
    session.property("registered.modified", Files.getLastModifiedTime(file).toInstant().toString());
    session.property("registered.bytes", Long.toString(Files.size(file)));
    if (original != null) {
      session.property("registered.sha256", original.hex());
    }
    for (Map.Entry<Namespace, Tally> found : read.tallies().entrySet()) {
      session.captured(item(found.getKey(), found.getValue()));
    }
  }

  /** One that makes no one state of the archive is stored all the same, and said to be so. */
  private void describeOplog() {
    Optional<String> obstacle = oplog == null ? Optional.empty() : oplog.obstacle();
    if (oplog != null && obstacle.isEmpty()) {
      oplog.value().describe(session::property);
      return;
    }
    session.property("consistency", CONSISTENCY);
    if (obstacle.isPresent()) {
      BroughtOplog.describe(obstacle.get(), session::property);
      session.finding(
          new Finding(
              MongoFailure.OPLOG_UNUSABLE,
              Namespace.OPLOG.toString(),
              "the archive's oplog makes no one state of it: " + obstacle.get()));
    }
  }

  /** What digests of users are made of are secrets. */
  private static InventoryItem item(Namespace namespace, Tally tally) {
    return UserNamespaces.isOne(namespace)
        ? InventoryItem.of(namespace.toString(), tally.documents(), tally.bytes())
        : InventoryItem.of(namespace.toString(), tally.documents(), tally.bytes(), tally.content());
  }

  /** Tells how far it is, and asks whether to stop. */
  private final class Watched implements ArchiveReader.Visitor {
    private static final long BREATH_BYTES = 1 << 20;
    private final DocumentShape shape = new DocumentShape();
    private long bytes;
    private long documents;
    private long breathAt;

    @Override
    public void prelude(Prelude prelude) {
      List<Namespace> announced = prelude.entries().stream().map(Prelude.Entry::namespace).toList();
      if (announced.contains(Namespace.OPLOG)) {
        oplog =
            new ArchivedOplog(
                announced.stream().map(Namespace::database).collect(Collectors.toSet()));
      }
    }

    @Override
    public void end(Prelude.Entry of, Tally tally) {
      if (oplog != null && !of.namespace().equals(Namespace.OPLOG)) {
        oplog.collection(of.namespace());
      }
    }

    @Override
    public void document(Prelude.Entry of, byte[] buffer, int offset, int length)
        throws IOException {
      look(of.namespace(), buffer, offset, length);
      if (oplog != null && of.namespace().equals(Namespace.OPLOG)) {
        oplog.entry(buffer, offset, length);
      }
      bytes += length;
      documents++;
      if (bytes - breathAt >= BREATH_BYTES) {
        breathAt = bytes;
        session.stopping().check();
        session.progress(bytes, documents, 0);
      }
    }

    private void look(Namespace namespace, byte[] buffer, int offset, int length)
        throws BackupException.Corrupt {
      String problem = shape.problem(buffer, offset, length);
      if (problem != null) {
        throw new BackupException.Corrupt(
            MongoFailure.INVALID_DOCUMENT,
            "archive holds a document of %s, _id %s, that is no BSON: %s"
                .formatted(namespace, DocumentRun.id(buffer, offset, length), problem));
      }
      if (shape.hasInvalidText()) {
        String id = DocumentRun.id(buffer, offset, length);
        invalid.add(namespace.toString(), 1, List.of(id));
      }
    }
  }
}
