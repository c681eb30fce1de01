package org.stellaops.backup.mongo.internal.archive;

import java.util.ArrayList;
import java.util.List;
import org.bson.BSONException;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;

/**
 * Documents of one namespace that follow each other without anything in between, looked at and
 * digested: what can be done to them before their place in the archive is known, and therefore by
 * any thread.
 */
public final class DocumentRun {
  private static final int MAX_ID_CHARACTERS = 100;
  private static final int MAX_NAMED = 10;

  private final byte[] buffer;
  private final int length;
  private final int documents;
  private final ContentDigest content;
  private final int invalidTexts;
  private final List<String> named;

  private DocumentRun(
      byte[] buffer,
      int length,
      int documents,
      ContentDigest content,
      int invalidTexts,
      List<String> named) {
    this.invalidTexts = invalidTexts;
    this.named = List.copyOf(named);
    this.buffer = buffer;
    this.length = length;
    this.documents = documents;
    this.content = content;
  }

  /**
   * Looks at each document.
   *
   * @param namespace for messages
   * @param buffer stays the run's until it is written
   * @param length of all documents, from the buffer's beginning
   * @throws BackupException.Source if one is not a document, or too large for an archive
   */
  public static DocumentRun of(Namespace namespace, byte[] buffer, int length)
      throws BackupException.Source {
    ContentDigest content = new ContentDigest();
    DocumentShape shape = new DocumentShape();
    List<String> named = new ArrayList<>();
    int invalidTexts = 0;
    int documents = 0;
    int at = 0;
    while (at < length) {
      int size = size(buffer, at, length);
      requireFits(namespace, buffer, at, size);
      String problem = shape.problem(buffer, at, size);
      if (problem != null) {
        throw invalid(namespace, buffer, at, Math.min(size, length - at), problem);
      }
      if (shape.hasInvalidText() && invalidTexts++ < MAX_NAMED) {
        named.add(id(buffer, at, size));
      }
      content.add(buffer, at, size);
      at += size;
      documents++;
    }
    return new DocumentRun(buffer, length, documents, content, invalidTexts, named);
  }

  private static int size(byte[] buffer, int at, int length) {
    return length - at < Integer.BYTES
        ? 0
        : (buffer[at] & 0xff)
            | (buffer[at + 1] & 0xff) << 8
            | (buffer[at + 2] & 0xff) << 16
            | (buffer[at + 3] & 0xff) << 24;
  }

  private static void requireFits(Namespace namespace, byte[] buffer, int at, int size)
      throws BackupException.Source {
    if (size > ArchiveFormat.MAX_DOCUMENT_BYTES) {
      throw new BackupException.Source(
          MongoFailure.BEYOND_FORMAT,
          "a document of %s, _id %s, has %d bytes, an archive holds %d"
              .formatted(
                  namespace,
                  id(buffer, at, Math.min(size, buffer.length - at)),
                  size,
                  ArchiveFormat.MAX_DOCUMENT_BYTES));
    }
  }

  private static BackupException.Source invalid(
      Namespace namespace, byte[] buffer, int at, int size, String problem) {
    return new BackupException.Source(
        MongoFailure.INVALID_DOCUMENT,
        "the server sent a document of %s, _id %s, that is no BSON: %s"
            .formatted(namespace, id(buffer, at, size), problem));
  }

  /** The {@code _id}, as far as it can be read; most often it comes first. */
  public static String id(byte[] buffer, int at, int size) {
    @Nullable BsonValue id = null;
    try {
      id = new RawBsonDocument(buffer, at, Math.max(size, 5)).get("_id");
    } catch (BSONException | IllegalArgumentException | IllegalStateException e) {
      return "unknown";
    }
    String text = String.valueOf(id);
    return text.length() > MAX_ID_CHARACTERS ? text.substring(0, MAX_ID_CHARACTERS) + "…" : text;
  }

  byte[] buffer() {
    return buffer;
  }

  /** Bytes of all documents. */
  public int length() {
    return length;
  }

  /** How many. */
  public int documents() {
    return documents;
  }

  /** How many of them hold text that is not UTF-8. */
  public int invalidTexts() {
    return invalidTexts;
  }

  /** The {@code _id}s of the first of those. */
  public List<String> named() {
    return named;
  }

  /** The buffer, when the run is written and nobody asks for it any more. */
  public byte[] release() {
    return buffer;
  }

  ContentDigest content() {
    return content;
  }
}
