package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.spi.ArtifactOutput;

/**
 * Writes a mongodump archive ({@link ArchiveFormat}). Namespaces may take turns; each is ended
 * once, after its last document. One thread.
 *
 * <p>A chunk ends before the first block of each namespace, so that a collection that did not
 * change costs nothing in the next snapshot, whatever the one before it did.
 */
public final class ArchiveWriter {
  private final ArtifactOutput out;
  private final MessageDigest preludeDigest = Digest.sha256();
  private final Set<Namespace> announced = new HashSet<>();
  private final Map<Namespace, RunningTally> open = new HashMap<>();
  private @Nullable Namespace current;
  private long preludeBytes;

  /** Writes to {@code out}, which is the caller's. */
  public ArchiveWriter(ArtifactOutput out) {
    this.out = out;
  }

  /**
   * Announces every namespace that will be written: an archive cannot take another one later. The
   * documents of a time series are those of its {@link Prelude.Entry#buckets}.
   *
   * @throws BackupException.Source if the format cannot hold it
   */
  public void prelude(Prelude prelude) throws IOException {
    List<byte[]> documents = new ArrayList<>();
    documents.add(
        encode(
            new BsonDocument()
                .append("concurrent_collections", new BsonInt32(prelude.concurrentCollections()))
                .append("version", new BsonString(ArchiveFormat.VERSION))
                .append("server_version", new BsonString(prelude.serverVersion()))
                .append("tool_version", new BsonString(prelude.toolVersion()))));
    for (Prelude.Entry entry : prelude.entries()) {
      requireFits(entry);
      documents.add(encode(metaDocument(entry)));
    }
    requireFits(documents);
    writePrelude(littleEndian(ArchiveFormat.MAGIC));
    for (byte[] document : documents) {
      writePrelude(document);
    }
    writePrelude(littleEndian(ArchiveFormat.TERMINATOR));
  }

  /** Begins a namespace; needed for those without documents too. */
  public void begin(Namespace namespace) throws IOException {
    if (!announced.remove(namespace)) {
      throw new IllegalStateException(namespace + " was not announced, or has begun already");
    }
    endBlock();
    out.boundary();
    open.put(namespace, new RunningTally());
    beginBlock(namespace);
  }

  /** Writes one document of a namespace that has begun. */
  public void document(Namespace namespace, byte[] buffer, int offset, int length)
      throws IOException {
    if (length > ArchiveFormat.MAX_DOCUMENT_BYTES) {
      throw new BackupException.Source(
          MongoFailure.BEYOND_FORMAT,
          "a document of %s has %d bytes, an archive holds %d"
              .formatted(namespace, length, ArchiveFormat.MAX_DOCUMENT_BYTES));
    }
    RunningTally tally = tallyOf(namespace);
    turnTo(namespace);
    tally.add(buffer, offset, length);
    out.write(buffer, offset, length);
  }

  /**
   * Writes a run of a namespace that has begun. A chunk ends before it where another namespace had
   * its turn: the same run is then the same chunks, whatever stands before it.
   */
  public void run(Namespace namespace, DocumentRun run) throws IOException {
    RunningTally tally = tallyOf(namespace);
    turnTo(namespace);
    tally.add(run);
    out.write(run.buffer(), 0, run.length());
  }

  private void turnTo(Namespace namespace) throws IOException {
    if (!namespace.equals(current)) {
      endBlock();
      out.boundary();
      beginBlock(namespace);
    }
  }

  /** Ends a namespace; nothing of it may follow. */
  public Tally end(Namespace namespace) throws IOException {
    Tally tally = tallyOf(namespace).value();
    open.remove(namespace);
    endBlock();
    write(header(namespace, true, tally.crc64()));
    write(littleEndian(ArchiveFormat.TERMINATOR));
    return tally;
  }

  /** Ends the archive: every namespace that was announced has been written. */
  public void finish() {
    if (!announced.isEmpty() || !open.isEmpty()) {
      throw new IllegalStateException(
          "not written: " + announced + ", not ended: " + open.keySet());
    }
  }

  /** Length of magic and prelude. */
  public long preludeBytes() {
    return preludeBytes;
  }

  /** Digest of magic and prelude; to be asked once, behind {@link #prelude}. */
  public Digest preludeDigest() {
    return Digest.of(preludeDigest.digest());
  }

  private void requireFits(Prelude.Entry entry) throws BackupException.Source {
    if (entry.metadata().length() > ArchiveFormat.MAX_METADATA_CHARACTERS) {
      throw new BackupException.Source(
          MongoFailure.BEYOND_FORMAT,
          "options and indexes of %s take %d characters, an archive of ours holds %d"
              .formatted(
                  entry.namespace(),
                  entry.metadata().length(),
                  ArchiveFormat.MAX_METADATA_CHARACTERS));
    }
    if (!announced.add(entry.isTimeseries() ? entry.buckets() : entry.namespace())) {
      throw new IllegalArgumentException(entry.namespace() + " is announced twice");
    }
  }

  private static void requireFits(List<byte[]> documents) throws BackupException.Source {
    long bytes = documents.stream().mapToLong(d -> d.length).sum();
    if (documents.size() > ArchiveFormat.MAX_NAMESPACES
        || bytes > ArchiveFormat.MAX_PRELUDE_BYTES - (1 << 10)) {
      throw new BackupException.Source(
          MongoFailure.BEYOND_FORMAT,
          "%d collections with %d bytes of options and indexes, an archive of ours holds %d and %d"
              .formatted(
                  documents.size() - 1,
                  bytes,
                  ArchiveFormat.MAX_NAMESPACES,
                  ArchiveFormat.MAX_PRELUDE_BYTES));
    }
  }

  private static BsonDocument metaDocument(Prelude.Entry entry) {
    return new BsonDocument()
        .append("db", new BsonString(entry.namespace().database()))
        .append("collection", new BsonString(entry.namespace().collection()))
        .append("metadata", new BsonString(entry.metadata()))
        .append("size", new BsonInt32(0)) // never set by mongodump either (prelude.go)
        .append("type", new BsonString(entry.type()));
  }

  private void writePrelude(byte[] bytes) throws IOException {
    preludeDigest.update(bytes);
    preludeBytes += bytes.length;
    write(bytes);
  }

  private RunningTally tallyOf(Namespace namespace) {
    RunningTally tally = open.get(namespace);
    if (tally == null) {
      throw new IllegalStateException(namespace + " has not begun, or has ended");
    }
    return tally;
  }

  private void beginBlock(Namespace namespace) throws IOException {
    write(header(namespace, false, 0));
    current = namespace;
  }

  private void endBlock() throws IOException {
    if (current != null) {
      write(littleEndian(ArchiveFormat.TERMINATOR));
      current = null;
    }
  }

  private static byte[] header(Namespace namespace, boolean isEnd, long crc64) {
    return encode(
        new BsonDocument()
            .append("db", new BsonString(namespace.database()))
            .append("collection", new BsonString(namespace.collection()))
            .append("EOF", BsonBoolean.valueOf(isEnd))
            .append("CRC", new BsonInt64(crc64)));
  }

  private void write(byte[] bytes) throws IOException {
    out.write(bytes, 0, bytes.length);
  }

  static byte[] encode(BsonDocument document) {
    ByteBuf encoded = new RawBsonDocument(document, new BsonDocumentCodec()).getByteBuffer();
    byte[] bytes = new byte[encoded.remaining()];
    encoded.get(bytes);
    return bytes;
  }

  static byte[] littleEndian(int value) {
    return new byte[] {
      (byte) value, (byte) (value >>> 8), (byte) (value >>> 16), (byte) (value >>> 24)
    };
  }
}
