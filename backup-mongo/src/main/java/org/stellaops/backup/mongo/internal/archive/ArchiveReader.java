package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.mongo.MongoFailure;

/**
 * Reads a mongodump archive from its first byte to its last and believes none of them: structure,
 * names, order of blocks and checksums are held to the format ({@link ArchiveFormat}). Documents
 * pass as bytes and are never decoded.
 *
 * <p>Stricter than mongorestore in this: a namespace that was announced and never closed is an
 * error, so a file cut between two blocks does not pass as a smaller one. What no checksum of the
 * format covers, the prelude, is digested for whoever can compare.
 *
 * <p>Memory: one document, the prelude, and a few hundred bytes for each namespace.
 */
public final class ArchiveReader {
  private static final Set<String> HEADER_FIELDS = Set.of("db", "collection", "EOF", "CRC");

  private final DocumentInput in;
  private final Visitor visitor;
  private final MessageDigest preludeDigest = Digest.sha256();

  /** By every name that a block may use: a time series has two. */
  private final Map<Namespace, State> states = new HashMap<>();

  private final Map<Namespace, Tally> tallies = new LinkedHashMap<>();

  private ArchiveReader(InputStream plain, Visitor visitor) {
    this.in = new DocumentInput(plain, "archive");
    this.visitor = visitor;
  }

  /**
   * Reads to the end of {@code plain}, which the caller closes.
   *
   * @param plain an archive without compression, see {@link ArchiveInput}
   * @throws BackupException.Corrupt if it is not an archive, is cut short, or damaged; the visitor
   *     may have seen a part of it by then
   */
  public static ArchiveContents read(InputStream plain, Visitor visitor) throws IOException {
    return new ArchiveReader(plain, visitor).read();
  }

  /**
   * Reads no further than what an archive announces.
   *
   * @param plain as for {@link #read}
   * @throws BackupException.Corrupt if it does not begin as an archive does
   */
  public static Prelude prelude(InputStream plain) throws IOException {
    ArchiveReader reader = new ArchiveReader(plain, new Visitor() {});
    reader.readMagic();
    return reader.readPrelude();
  }

  private ArchiveContents read() throws IOException {
    readMagic();
    Prelude prelude = readPrelude();
    long preludeBytes = in.position();
    visitor.prelude(prelude);
    while (!in.isAtEnd()) {
      readBlock();
    }
    for (Prelude.Entry entry : prelude.entries()) {
      requireClosed(entry);
    }
    return new ArchiveContents(
        prelude, preludeBytes, Digest.of(preludeDigest.digest()), inOrder(prelude), in.position());
  }

  private void readMagic() throws IOException {
    int magic = in.readInt();
    if (magic != ArchiveFormat.MAGIC) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "not a mongodump archive: starts with %08x, expected %08x"
              .formatted(Integer.reverseBytes(magic), Integer.reverseBytes(ArchiveFormat.MAGIC)));
    }
    preludeDigest.update(ArchiveWriter.littleEndian(magic));
  }

  private Prelude readPrelude() throws IOException {
    FlatDocument header = nextOfPrelude("prelude header");
    if (header == null) {
      throw in.malformed("a prelude without a header");
    }
    String version = header.string("version");
    if (!version.equals(ArchiveFormat.VERSION)) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT,
          "archive format version is '%s', known is '%s'"
              .formatted(version, ArchiveFormat.VERSION));
    }
    List<Prelude.Entry> entries = new ArrayList<>();
    for (FlatDocument meta = nextOfPrelude("prelude entry");
        meta != null;
        meta = nextOfPrelude("prelude entry")) {
      entries.add(register(entry(meta)));
    }
    return new Prelude(
        (int) Math.min(Integer.MAX_VALUE, header.count("concurrent_collections")),
        header.string("server_version"),
        header.string("tool_version"),
        entries);
  }

  /** Null at the prelude's end. */
  private @Nullable FlatDocument nextOfPrelude(String what) throws IOException {
    int length = in.next();
    if (length == 0) {
      preludeDigest.update(ArchiveWriter.littleEndian(ArchiveFormat.TERMINATOR));
      return null;
    }
    preludeDigest.update(in.buffer(), in.offset(), length);
    FlatDocument document = FlatDocument.parse(what, in.buffer(), in.offset(), length);
    in.skip(length);
    if (in.position() > ArchiveFormat.MAX_PRELUDE_BYTES) {
      throw in.malformed("a prelude of more than %d bytes".formatted(in.position()));
    }
    return document;
  }

  private Prelude.Entry entry(FlatDocument meta) throws BackupException.Corrupt {
    String metadata = meta.string("metadata");
    if (metadata.length() > ArchiveFormat.MAX_METADATA_CHARACTERS) {
      throw in.malformed("metadata of %d characters".formatted(metadata.length()));
    }
    return new Prelude.Entry(namespace(meta), metadata, meta.stringOr("type", ""));
  }

  private Prelude.Entry register(Prelude.Entry entry) throws BackupException.Corrupt {
    if (states.size() >= ArchiveFormat.MAX_NAMESPACES) {
      throw in.malformed("more than %d namespaces".formatted(ArchiveFormat.MAX_NAMESPACES));
    }
    State state = new State(entry);
    State before = states.put(entry.namespace(), state);
    if (entry.isTimeseries() && before == null) {
      before = states.put(entry.buckets(), state);
    }
    if (before != null) {
      throw in.malformed("%s is announced twice".formatted(entry.namespace()));
    }
    return entry;
  }

  private void readBlock() throws IOException {
    int length = in.next();
    if (length == 0) {
      throw in.malformed("a terminator where a block should begin");
    }
    FlatDocument header = FlatDocument.parse("namespace header", in.buffer(), in.offset(), length);
    header.requireOnly(HEADER_FIELDS);
    State state = stateOf(namespace(header));
    boolean isEnd = header.bool("EOF");
    long crc64 = header.int64("CRC");
    in.skip(length);
    if (isEnd) {
      readEnd(state, crc64);
    } else {
      readData(state, crc64);
    }
  }

  private State stateOf(Namespace namespace) throws BackupException.Corrupt {
    State state = states.get(namespace);
    if (state == null) {
      throw in.malformed("a block of %s, which was not announced".formatted(namespace));
    }
    if (state.isClosed()) {
      throw in.malformed("a block of %s behind its end".formatted(namespace));
    }
    return state;
  }

  private void readData(State state, long crc64) throws IOException {
    if (crc64 != 0) {
      throw in.malformed("a data block with a checksum");
    }
    for (int length = in.next(); length != 0; length = in.next()) {
      state.running().add(in.buffer(), in.offset(), length);
      visitor.document(state.entry, in.buffer(), in.offset(), length);
      in.skip(length);
    }
  }

  private void readEnd(State state, long crc64) throws IOException {
    if (in.next() != 0) {
      throw in.malformed("documents in an end block");
    }
    Tally tally = state.close();
    if (tally.crc64() != crc64) {
      throw new BackupException.Corrupt(
          MongoFailure.CHECKSUM_DIFFERS,
          "documents of %s have CRC-64 %016x, the archive says %016x"
              .formatted(state.entry.namespace(), tally.crc64(), crc64));
    }
    tallies.put(state.entry.namespace(), tally);
    visitor.end(state.entry, tally);
  }

  private void requireClosed(Prelude.Entry entry) throws BackupException.Corrupt {
    if (!tallies.containsKey(entry.namespace())) {
      throw new BackupException.Corrupt(
          CoreFailure.TRUNCATED,
          "archive ends at byte %d, before the end of %s"
              .formatted(in.position(), entry.namespace()));
    }
  }

  private Map<Namespace, Tally> inOrder(Prelude prelude) {
    Map<Namespace, Tally> ordered = new LinkedHashMap<>();
    for (Prelude.Entry entry : prelude.entries()) {
      ordered.put(entry.namespace(), tallies.getOrDefault(entry.namespace(), Tally.NOTHING));
    }
    return ordered;
  }

  private Namespace namespace(FlatDocument document) throws BackupException.Corrupt {
    try {
      return new Namespace(document.string("db"), document.string("collection"));
    } catch (IllegalArgumentException e) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSAFE_NAME,
          "archive at byte %d: %s".formatted(in.position(), e.getMessage()),
          e);
    }
  }

  /** Sees an archive pass. Nothing may be trusted before {@link ArchiveReader#read} returns. */
  public interface Visitor {
    /** Once, before everything else. */
    default void prelude(Prelude prelude) throws IOException {}

    /** One document of a namespace; {@code buffer} is valid until this returns. */
    default void document(Prelude.Entry of, byte[] buffer, int offset, int length)
        throws IOException {}

    /** The namespace is complete and its checksum is right. */
    default void end(Prelude.Entry of, Tally tally) throws IOException {}
  }

  /** Where a namespace is in its life: announced, open, closed. Tallies exist while it is open. */
  private static final class State {
    final Prelude.Entry entry;
    private @Nullable RunningTally running;
    private boolean isClosed;

    State(Prelude.Entry entry) {
      this.entry = entry;
    }

    RunningTally running() {
      if (running == null) {
        running = new RunningTally();
      }
      return running;
    }

    Tally close() {
      Tally tally = running == null ? Tally.NOTHING : running.value();
      running = null;
      isClosed = true;
      return tally;
    }

    boolean isClosed() {
      return isClosed;
    }
  }
}
