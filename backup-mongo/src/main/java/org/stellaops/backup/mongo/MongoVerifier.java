package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.bson.RawBsonDocument;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.internal.archive.ArchiveContents;
import org.stellaops.backup.mongo.internal.archive.ArchiveInput;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.oplog.TouchedCollections;
import org.stellaops.backup.mongo.internal.restore.DatabaseComparison;
import org.stellaops.backup.mongo.internal.restore.DatabaseComparison.Expected;
import org.stellaops.backup.mongo.internal.restore.NamePattern;
import org.stellaops.backup.mongo.internal.restore.Renaming;
import org.stellaops.backup.mongo.internal.restore.RestoreSettings;
import org.stellaops.backup.spi.Stopping;

/**
 * Compares a database with what was captured: after a restore, in a drill, or whenever somebody
 * wants to know. Reads every document and writes nothing. A value; any thread.
 *
 * <p>While others write, a collection differs, and that is then no damage. Nor is it where the
 * capture was read while it changed ({@link Consistency#OPLOG_FENCED}): it holds what was read, and
 * what was written meanwhile, which a restore replays. What the replay may have changed, all that
 * differs or, with the archive, the collections that its entries name, is {@link
 * MongoVerification.Verdict#OF_BEFORE_REPLAY}; a restore that went on to a later point changes
 * more, and can be compared with the database it came from only.
 */
public final class MongoVerifier {
  private final MongoClient client;
  private final String database;
  private final RestoreSettings settings;

  private MongoVerifier(MongoClient client, String database, RestoreSettings settings) {
    this.client = client;
    this.database = Namespace.requireDatabase(database);
    this.settings = settings;
  }

  /**
   * A database of a server that the application is connected to. The client stays the caller's.
   *
   * @throws IllegalArgumentException if no database can have this name
   */
  public static MongoVerifier of(MongoClient client, String db) {
    return new MongoVerifier(client, db, RestoreSettings.of(MongoTarget.Existing.REFUSE));
  }

  /** As {@link MongoTarget#rename}, for what was restored by that. */
  public MongoVerifier rename(String from, String to) {
    Renaming renaming = new Renaming(new NamePattern(from), new NamePattern(to));
    return new MongoVerifier(client, database, settings.renaming(renaming));
  }

  /** With one database of an archive of several, as {@link MongoTarget#only}. */
  public MongoVerifier from(String archived) {
    return new MongoVerifier(client, database, settings.from(Namespace.requireDatabase(archived)));
  }

  /** As {@link MongoTarget#include}. */
  public MongoVerifier include(String... patterns) {
    return new MongoVerifier(client, database, settings.including(patterns));
  }

  /** As {@link MongoTarget#exclude}. */
  public MongoVerifier exclude(String... patterns) {
    return new MongoVerifier(client, database, settings.excluding(patterns));
  }

  /**
   * With the manifest of a snapshot: which collections, their counts and digests. It does not say
   * what indexes and options they have.
   */
  public MongoVerification compare(CapturedSource captured, Stopping stopping) throws IOException {
    String from = settings.scope().from();
    String archived =
        from.isEmpty() ? captured.properties().getOrDefault(Layout.DATABASE_PROPERTY, "") : from;
    boolean isFenced =
        Consistency.OPLOG_FENCED.name().equals(captured.properties().get("consistency"));
    List<Expected> expected = new ArrayList<>();
    for (InventoryItem item : captured.inventory()) {
      if (item.name().startsWith(archived + ".") && item.content().isPresent()) {
        String name = item.name().substring(archived.length() + 1);
        Tally tally = new Tally(item.count(), item.bytes(), 0, item.content().get());
        expected.add(Expected.ofDocuments(name, tally));
      }
    }
    return compare(archived, expected, n -> isFenced, stopping);
  }

  /**
   * With the side artifact {@code mongo-meta.bson} of a snapshot.
   *
   * @param meta read to its end and not closed
   */
  public MongoVerification compareMeta(InputStream meta, Stopping stopping) throws IOException {
    CaptureMeta read = CaptureMeta.read(meta);
    List<Expected> expected =
        read.collections().stream().map(i -> Expected.of(i.spec(), i.tally())).toList();
    return compare(read.database(), expected, n -> read.oplog() != null, stopping);
  }

  /**
   * With an archive, plain or gzip: of one database, or of the one that {@link #from} names.
   *
   * @param archive read to its end and not closed
   */
  public MongoVerification compareArchive(InputStream archive, Stopping stopping)
      throws IOException {
    TouchedCollections touched = new TouchedCollections();
    ArchiveContents contents;
    try (InputStream plain = ArchiveInput.open(new Lent(archive))) {
      contents = ArchiveReader.read(plain, new Entries(touched));
    }
    List<Expected> expected = new ArrayList<>();
    String archived = settings.scope().from();
    for (Prelude.Entry entry : contents.prelude().entries()) {
      Namespace namespace = entry.namespace();
      boolean isOther =
          namespace.equals(Namespace.OPLOG)
              || UserNamespaces.isOne(namespace)
              || !(archived.isEmpty() || archived.equals(namespace.database()));
      if (!isOther) {
        archived = namespace.database();
        Tally tally = contents.tallies().getOrDefault(namespace, Tally.NOTHING);
        expected.add(Expected.of(MetadataJson.parse(entry), tally));
      }
    }
    return compare(archived, expected, touched::mayChange, stopping);
  }

  /** What is written in the archive's part of the oplog. */
  private record Entries(TouchedCollections touched) implements ArchiveReader.Visitor {
    @Override
    public void document(Prelude.Entry of, byte[] buffer, int offset, int length) {
      if (of.namespace().equals(Namespace.OPLOG)) {
        touched.add(new RawBsonDocument(buffer, offset, length));
      }
    }
  }

  private MongoVerification compare(
      String archived, List<Expected> expected, Predicate<String> isReplayed, Stopping stopping)
      throws IOException {
    RawDatabase raw = new RawDatabase(client, database);
    try {
      return new DatabaseComparison(raw, settings, stopping)
          .compare(archived, expected, isReplayed);
    } catch (MongoException e) {
      stopping.check();
      throw DriverErrors.target(
          CoreFailure.TARGET_FAILED, "comparing database %s".formatted(database), e);
    }
  }

  /** A stream that stays open when what reads it is closed. */
  private static final class Lent extends FilterInputStream {
    Lent(InputStream in) {
      super(in);
    }

    @Override
    public void close() {
      // the caller's
    }
  }
}
