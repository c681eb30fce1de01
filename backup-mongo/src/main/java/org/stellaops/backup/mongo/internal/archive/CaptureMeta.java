package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonNull;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;

/**
 * The side artifact {@code mongo-meta.bson}: what an archive cannot hold. Counts and digests of
 * every namespace, the digest of the prelude, and options and indexes as BSON, since Extended JSON
 * cannot tell a document with a key {@code $numberInt} from a number.
 *
 * <p>A sequence of BSON documents, as in a {@code .bson} file that {@code bsondump} prints: a
 * header with the number of those that follow, then one for each namespace.
 *
 * @param database that was captured
 * @param serverVersion of its server
 * @param consistency how consistent the collections are with each other
 * @param preludeBytes length of the archive's magic and prelude
 * @param prelude digest of the archive's magic and prelude
 * @param collections in the order of the archive
 * @param moment as of when
 * @param oplog what the archive holds of the oplog, behind the collections; null where it has none
 * @param users what the archive holds of users and roles, before the collections; empty where they
 *     were not captured
 */
public record CaptureMeta(
    String database,
    String serverVersion,
    String consistency,
    long preludeBytes,
    Digest prelude,
    List<Item> collections,
    CaptureMoment moment,
    @Nullable Tally oplog,
    List<Users> users) {
  private static final String FORMAT = "stella-mongo-meta/1";
  private static final String WHAT = "mongo-meta.bson";

  public CaptureMeta {
    collections = List.copyOf(collections);
    users = List.copyOf(users);
  }

  /** Without a moment that is known, and without oplog. */
  public CaptureMeta(
      String database,
      String serverVersion,
      String consistency,
      long preludeBytes,
      Digest prelude,
      List<Item> collections) {
    this(
        database,
        serverVersion,
        consistency,
        preludeBytes,
        prelude,
        collections,
        CaptureMoment.UNKNOWN,
        null,
        List.of());
  }

  /** One namespace: what it is, and what its documents come to. */
  public record Item(CollectionSpec spec, Tally tally) {}

  /** One of the namespaces of {@link UserNamespaces}. */
  public record Users(String name, Tally tally) {}

  /** The same with users and roles. */
  public CaptureMeta with(List<Users> others) {
    return new CaptureMeta(
        database,
        serverVersion,
        consistency,
        preludeBytes,
        prelude,
        collections,
        moment,
        oplog,
        others);
  }

  /** Writes it; {@code out} stays open. */
  public void writeTo(OutputStream out) throws IOException {
    BsonDocument header =
        new BsonDocument()
            .append("format", new BsonString(FORMAT))
            .append("database", new BsonString(database))
            .append("serverVersion", new BsonString(serverVersion))
            .append("consistency", new BsonString(consistency))
            .append("preludeBytes", new BsonInt64(preludeBytes))
            .append("preludeSha256", new BsonString(prelude.hex()))
            .append("collections", new BsonInt32(collections.size()))
            .append("moment", encode(moment))
            .append("oplog", oplog == null ? BsonNull.VALUE : encode(new BsonDocument(), oplog));
    if (!users.isEmpty()) {
      header.append("users", new BsonArray(users.stream().map(CaptureMeta::encode).toList()));
    }
    write(out, header);
    for (Item item : collections) {
      write(out, encode(item));
    }
  }

  private static void write(OutputStream out, BsonDocument document) throws IOException {
    byte[] bytes = ArchiveWriter.encode(document);
    if (bytes.length > ArchiveFormat.MAX_DOCUMENT_BYTES) {
      throw new BackupException.Source(
          MongoFailure.BEYOND_FORMAT,
          "options and indexes of a collection take %d bytes, %s holds %d"
              .formatted(bytes.length, WHAT, ArchiveFormat.MAX_DOCUMENT_BYTES));
    }
    out.write(bytes);
  }

  private static BsonDocument encode(Item item) {
    CollectionSpec spec = item.spec();
    BsonDocument document =
        new BsonDocument()
            .append("name", new BsonString(spec.name()))
            .append("type", new BsonString(spec.type()))
            .append("uuid", new BsonString(spec.uuid()));
    return encode(document, item.tally())
        .append("options", spec.options())
        .append("indexes", new BsonArray(spec.indexes()));
  }

  private static BsonDocument encode(Users of) {
    return encode(new BsonDocument("name", new BsonString(of.name())), of.tally());
  }

  private static BsonDocument encode(BsonDocument document, Tally tally) {
    return document
        .append("documents", new BsonInt64(tally.documents()))
        .append("bytes", new BsonInt64(tally.bytes()))
        .append("crc64", new BsonInt64(tally.crc64()))
        .append("contentSha256Sum", new BsonString(tally.content().hex()));
  }

  private static BsonDocument encode(CaptureMoment moment) {
    return new BsonDocument()
        .append("topology", new BsonString(moment.topology()))
        .append("replicaSet", new BsonString(moment.replicaSet()))
        .append("featureVersion", new BsonString(moment.featureVersion()))
        .append("start", moment.start())
        .append("end", moment.end())
        .append("apart", new BsonArray(moment.apart().stream().map(BsonString::new).toList()));
  }

  /**
   * Reads it to its end; the caller closes {@code in}.
   *
   * @throws BackupException.Corrupt if it is anything but what {@link #writeTo} writes
   */
  public static CaptureMeta read(InputStream in) throws IOException {
    DocumentInput documents = new DocumentInput(in, WHAT);
    try {
      BsonDocument header = next(documents);
      requireKnown(header);
      int count = header.getInt32("collections").getValue();
      List<Item> items = new ArrayList<>();
      while (items.size() < count) {
        items.add(decode(next(documents)));
        requireBounded(documents, items.size());
      }
      if (!documents.isAtEnd()) {
        throw documents.malformed("more than the %d collections it announces".formatted(count));
      }
      return new CaptureMeta(
          header.getString("database").getValue(),
          header.getString("serverVersion").getValue(),
          header.getString("consistency").getValue(),
          header.getInt64("preludeBytes").getValue(),
          Digest.parse(header.getString("preludeSha256").getValue()),
          items,
          decodeMoment(header),
          decodeOplog(header),
          decodeUsers(header));
    } catch (RuntimeException e) { // what bson throws over damaged bytes is as wide as this
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "%s at byte %d: %s".formatted(WHAT, documents.position(), e.getClass().getSimpleName()),
          e);
    }
  }

  private static void requireKnown(BsonDocument header) throws BackupException.Corrupt {
    String format = header.getString("format").getValue();
    if (!format.equals(FORMAT)) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT,
          "%s is of format '%s', known is '%s'".formatted(WHAT, format, FORMAT));
    }
  }

  private static void requireBounded(DocumentInput documents, int collections)
      throws BackupException.Corrupt {
    if (collections > ArchiveFormat.MAX_NAMESPACES
        || documents.position() > ArchiveFormat.MAX_PRELUDE_BYTES) {
      throw documents.malformed(
          "more than %d collections or %d bytes"
              .formatted(ArchiveFormat.MAX_NAMESPACES, ArchiveFormat.MAX_PRELUDE_BYTES));
    }
  }

  /** Nested documents stay bytes: nothing here recurses. */
  private static RawBsonDocument next(DocumentInput documents) throws IOException {
    int length = documents.next();
    if (length == 0) {
      throw documents.malformed("a terminator");
    }
    byte[] copy = new byte[length];
    System.arraycopy(documents.buffer(), documents.offset(), copy, 0, length);
    documents.skip(length);
    return new RawBsonDocument(copy);
  }

  /** Early ones do not have it. */
  private static CaptureMoment decodeMoment(BsonDocument header) {
    if (!header.containsKey("moment")) {
      return CaptureMoment.UNKNOWN;
    }
    BsonDocument moment = header.getDocument("moment");
    return new CaptureMoment(
        moment.getString("topology").getValue(),
        moment.getString("replicaSet").getValue(),
        moment.getString("featureVersion").getValue(),
        moment.getTimestamp("start"),
        moment.getTimestamp("end"),
        moment.getArray("apart").stream().map(name -> name.asString().getValue()).toList());
  }

  private static @Nullable Tally decodeOplog(BsonDocument header) {
    BsonValue oplog = header.get("oplog");
    return oplog == null || oplog.isNull() ? null : decodeTally(oplog.asDocument());
  }

  private static List<Users> decodeUsers(BsonDocument header) {
    return header.getArray("users", new BsonArray()).stream()
        .map(BsonValue::asDocument)
        .map(u -> new Users(u.getString("name").getValue(), decodeTally(u)))
        .toList();
  }

  private static Item decode(BsonDocument item) {
    CollectionSpec spec =
        new CollectionSpec(
            item.getString("name").getValue(),
            item.getString("type").getValue(),
            item.getDocument("options"),
            item.getArray("indexes").stream().map(BsonValue::asDocument).toList(),
            item.getString("uuid").getValue());
    return new Item(spec, decodeTally(item));
  }

  private static Tally decodeTally(BsonDocument of) {
    return new Tally(
        of.getInt64("documents").getValue(),
        of.getInt64("bytes").getValue(),
        of.getInt64("crc64").getValue(),
        Digest.parse(of.getString("contentSha256Sum").getValue()));
  }

  /**
   * Holds an archive to this.
   *
   * @throws BackupException.Corrupt naming everything that differs
   */
  public void requireSame(ArchiveContents archive) throws BackupException.Corrupt {
    List<Finding> damage = differences(archive);
    if (!damage.isEmpty()) {
      throw new BackupException.Corrupt(
          MongoFailure.ARCHIVE_DIFFERS,
          "archive is not the one that was captured; %d differences, the first: %s"
              .formatted(damage.size(), damage.get(0)),
          damage);
    }
  }

  private List<Finding> differences(ArchiveContents archive) {
    List<Finding> differences = new ArrayList<>();
    if (archive.preludeBytes() != preludeBytes || !archive.preludeDigest().equals(prelude)) {
      differences.add(
          differs(
              "prelude",
              "expected %d bytes, SHA-256 %s; found %d bytes, SHA-256 %s"
                  .formatted(
                      preludeBytes, prelude, archive.preludeBytes(), archive.preludeDigest())));
    }
    Map<Namespace, Tally> unexpected = new LinkedHashMap<>(archive.tallies());
    for (Item item : collections) {
      Namespace namespace = new Namespace(database, item.spec().name());
      addIfDifferent(namespace, item.tally(), unexpected.remove(namespace), differences);
    }
    for (Users of : users) {
      Namespace namespace = new Namespace(database, of.name());
      addIfDifferent(namespace, of.tally(), unexpected.remove(namespace), differences);
    }
    if (oplog != null) {
      addIfDifferent(Namespace.OPLOG, oplog, unexpected.remove(Namespace.OPLOG), differences);
    }
    for (Namespace namespace : unexpected.keySet()) {
      differences.add(differs(namespace.toString(), "expected nothing, found it"));
    }
    return differences;
  }

  private static void addIfDifferent(
      Namespace namespace, Tally expected, @Nullable Tally found, List<Finding> differences) {
    if (found == null) {
      differences.add(differs(namespace.toString(), "expected it, found nothing"));
    } else if (!found.equals(expected)) {
      differences.add(
          differs(
              namespace.toString(),
              "expected %s; found %s".formatted(expected.describe(), found.describe())));
    }
  }

  private static Finding differs(String subject, String found) {
    return new Finding(MongoFailure.ARCHIVE_DIFFERS, subject, found);
  }
}
