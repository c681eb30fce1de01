package org.stellaops.backup.mongo;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.mongo.internal.archive.ArchiveContents;
import org.stellaops.backup.mongo.internal.archive.ArchiveInput;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;

/**
 * Archives of {@code mongodump --archive}, plain or with {@code --gzip}: ours, and those that
 * mongodump wrote.
 */
public final class MongoArchive {
  private MongoArchive() {}

  /**
   * Reads an archive to its end and checks all that the format lets anybody check: structure,
   * names, that each namespace is complete, and the CRC-64 of its documents. What it announces of
   * itself, versions and definitions of collections, is covered by no checksum of the format.
   *
   * @param archive read to its end and not closed
   * @throws BackupException.Corrupt if it is not such an archive, is cut short or damaged
   */
  public static Report verify(InputStream archive) throws IOException {
    ArchiveContents contents;
    try (InputStream plain = ArchiveInput.open(new Lent(archive))) {
      contents = ArchiveReader.read(plain, new ArchiveReader.Visitor() {});
    }
    List<Content> found = new ArrayList<>();
    for (Prelude.Entry entry : contents.prelude().entries()) {
      found.add(content(entry, contents.tallies()));
    }
    return new Report(
        contents.prelude().serverVersion(),
        contents.prelude().toolVersion(),
        contents.bytes(),
        found);
  }

  private static Content content(Prelude.Entry entry, Map<Namespace, Tally> tallies) {
    Tally tally = tallies.getOrDefault(entry.namespace(), Tally.NOTHING);
    return new Content(
        entry.namespace().database(),
        entry.namespace().collection(),
        entry.type(),
        tally.documents(),
        tally.bytes(),
        HexFormat.of().toHexDigits(tally.crc64()),
        tally.content());
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

  /**
   * What a good archive holds.
   *
   * @param serverVersion of the server that was dumped
   * @param toolVersion of the tool that wrote it; free text
   * @param bytes of the whole archive, without compression
   * @param contents every namespace, in the order in which it is announced
   */
  public record Report(
      String serverVersion, String toolVersion, long bytes, List<Content> contents) {
    public Report {
      contents = List.copyOf(contents);
    }

    /** Documents of all namespaces. */
    public long documents() {
      return contents.stream().mapToLong(Content::documents).sum();
    }
  }

  /**
   * One namespace.
   *
   * @param database empty for the oplog
   * @param collection name within the database
   * @param type {@code collection}, {@code view} or {@code timeseries}; empty where an old tool did
   *     not say
   * @param documents how many
   * @param bytes of all documents
   * @param crc64 CRC-64/XZ of the documents in the archive's order, 16 hexadecimal digits
   * @param content sum modulo 2^256 of the SHA-256 of each document: the same for the same
   *     documents in any order
   */
  public record Content(
      String database,
      String collection,
      String type,
      long documents,
      long bytes,
      String crc64,
      Digest content) {
    /** {@code database.collection}. */
    public String namespace() {
      return database + "." + collection;
    }
  }
}
