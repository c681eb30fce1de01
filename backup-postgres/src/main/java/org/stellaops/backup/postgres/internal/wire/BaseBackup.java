package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.zstd.Decompressed;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.ServerCompression;

/**
 * One BASE_BACKUP as PostgreSQL 15 and newer send it: the start, the tablespaces, then in one COPY
 * all archives and the manifest behind one another, then the end (documentation, "Streaming
 * Replication Protocol"; src/backend/backup/basebackup_copy.c).
 *
 * <p>Parts are read in the server's order, each to its end before the next.
 */
public final class BaseBackup {
  /** The least that compresses: the limit is the server's CPU. */
  private static final String ZSTD = ", COMPRESSION 'zstd', COMPRESSION_DETAIL 'level=1'";

  /** What the option's parser says, a syntax error, and what the compressor itself does. */
  private static final Set<String> COMPRESSION_REFUSED = Set.of("42601", "0A000");

  private static final String ZSTD_SUFFIX = ".zst";
  private static final int PLAIN_BYTES = 128 << 10;

  private final Wire wire;
  private final ServerCompression compression;
  private final Lsn start;
  private final long timeline;
  private final List<Tablespace> tablespaces;
  private final long estimatedBytes;
  private @Nullable Part pending;
  private @Nullable Part open;
  private boolean isCopyDone;

  private BaseBackup(Wire wire, ServerCompression compression, Rows start, Rows tablespaces)
      throws IOException {
    this.wire = wire;
    this.compression = compression;
    List<@Nullable String> row = start.single();
    this.start = lsn(row);
    this.timeline = timeline(row);
    this.tablespaces = new ArrayList<>();
    long bytes = 0;
    for (List<@Nullable String> columns : tablespaces.all()) {
      Tablespace space = tablespace(columns);
      bytes += space.estimatedBytes();
      if (!space.oid().isEmpty()) {
        this.tablespaces.add(space);
      }
    }
    this.estimatedBytes = bytes;
  }

  /**
   * Begins a full backup that holds the WAL it needs. With its WAL inside, the server itself makes
   * sure that no segment was removed meanwhile, and fails if one was.
   *
   * @param label stands in the backup's {@code backup_label}
   * @param compression of the archives on their way; {@link #copyTo} hands out what they hold
   */
  public static BaseBackup full(Wire wire, String label, ServerCompression compression)
      throws IOException {
    return begin(wire, label, compression, "");
  }

  /**
   * Begins a backup of what changed since another one. The server may wait for its summaries first.
   *
   * @param compression of the archives on their way, as in {@link #full}
   * @param manifest the other one's {@code backup_manifest}, read to its end
   */
  public static BaseBackup incremental(
      Wire wire, String label, ServerCompression compression, InputStream manifest)
      throws IOException {
    wire.upload("UPLOAD_MANIFEST", manifest);
    return begin(wire, label, compression, ", INCREMENTAL");
  }

  private static BaseBackup begin(
      Wire wire, String label, ServerCompression compression, String option) throws IOException {
    wire.send(
        "BASE_BACKUP (LABEL '"
            + label.replace("'", "''")
            + "', PROGRESS true, CHECKPOINT 'fast', WAL true, WAIT false, MANIFEST 'yes',"
            + " MANIFEST_CHECKSUMS 'CRC32C', TABLESPACE_MAP true, TARGET 'client'"
            + option
            + (compression == ServerCompression.ZSTD ? ZSTD : "")
            + ")");
    BaseBackup backup = new BaseBackup(wire, compression, wire.rows(), wire.rows());
    wire.expect('H');
    return backup;
  }

  /** Whether a server says of a command that it was built without what should compress. */
  static boolean refusesCompression(String command, ServerMessage error) {
    return command.endsWith(ZSTD + ")") && COMPRESSION_REFUSED.contains(error.sqlState());
  }

  /** Where replay has to begin. */
  public Lsn start() {
    return start;
  }

  /** The timeline that the backup was taken on. */
  public long timeline() {
    return timeline;
  }

  /** All but the data directory itself. */
  public List<Tablespace> tablespaces() {
    return List.copyOf(tablespaces);
  }

  /** What the server expects to send, without WAL. */
  public long estimatedBytes() {
    return estimatedBytes;
  }

  /** The next archive or the manifest; empty behind the last. */
  public Optional<Part> next() throws IOException {
    if (open != null) {
      throw new IllegalStateException("the part before was not read to its end");
    }
    if (nextPiece()) {
      throw malformed("data that belongs to no archive");
    }
    open = pending;
    pending = null;
    return Optional.ofNullable(open);
  }

  /** Hands out the bytes of the part that {@link #next} returned, as they are in the cluster. */
  public void copyTo(Bytes sink) throws IOException {
    if (open == null) {
      throw new IllegalStateException("a part can be read once, after next()");
    }
    if (isCompressed(open)) {
      decompressTo(sink, open.name());
    } else {
      Body body = wire.body();
      while (nextPiece()) {
        sink.accept(body.bytes(), body.position(), body.remaining());
      }
    }
    open = null;
  }

  /** Reads what comes behind the last part: up to where WAL is needed. */
  public End end() throws IOException {
    if (!isCopyDone) {
      throw new IllegalStateException("parts are left to be read");
    }
    List<@Nullable String> row = wire.rows().single();
    return new End(lsn(row), timeline(row));
  }

  /** Reads the server's verdict on what it has sent: it found no damaged page, or it fails. */
  public void finish() throws IOException {
    wire.expect('C');
    wire.expect('Z');
  }

  /** The manifest is never compressed (src/backend/backup/basebackup_zstd.c). */
  private boolean isCompressed(Part part) {
    return compression == ServerCompression.ZSTD && !part.isManifest();
  }

  private void decompressTo(Bytes sink, String name) throws IOException {
    byte[] plain = new byte[PLAIN_BYTES];
    try (InputStream in = Decompressed.of(new Pieces(), name)) {
      for (int n = decompress(in, plain); n >= 0; n = decompress(in, plain)) {
        sink.accept(plain, 0, n);
      }
    }
  }

  private static int decompress(InputStream in, byte[] plain) throws IOException {
    try {
      return in.read(plain);
    } catch (BackupException.Corrupt e) {
      throw new BackupException.Source(
          PostgresFailure.COMPRESSION_MALFORMED,
          "expected zstd frames, the server sent " + e.getMessage(),
          e);
    }
  }

  /** Moves on to the next piece of the part, which the body then holds; false behind the last. */
  private boolean nextPiece() throws IOException {
    while (pending == null && !isCopyDone) {
      char type = wire.read();
      if (type == 'c') {
        isCopyDone = true;
      } else if (type != 'd') {
        throw wire.unexpected(type, "a piece of the base backup");
      } else if (holdsContent(wire.body())) {
        return true;
      }
    }
    return false;
  }

  private boolean holdsContent(Body body) throws IOException {
    int kind = body.int8();
    switch (kind) {
      case 'd' -> {
        return true;
      }
      case 'n' -> pending = archive(body.text());
      case 'm' -> pending = new Part("backup_manifest", true);
      case 'p' -> {
        // The server's count of bytes; ours is exact.
      }
      default -> throw malformed("a piece of unknown kind " + kind);
    }
    return false;
  }

  /** A compressed archive is called {@code base.tar.zst}. */
  private Part archive(String sent) throws BackupException.Source {
    if (compression == ServerCompression.OFF) {
      return new Part(sent, false);
    }
    if (!sent.endsWith(ZSTD_SUFFIX)) {
      throw malformed("the archive '%s', expected one compressed with zstd".formatted(sent));
    }
    return new Part(sent.substring(0, sent.length() - ZSTD_SUFFIX.length()), false);
  }

  private static Lsn lsn(List<@Nullable String> row) throws IOException {
    String text = row.get(0);
    if (text == null) {
      throw malformed("no LSN");
    }
    return Lsn.parse(text);
  }

  private static long timeline(List<@Nullable String> row) throws IOException {
    String text = row.size() > 1 ? row.get(1) : null;
    if (text == null) {
      throw malformed("no timeline");
    }
    return Long.parseLong(text);
  }

  private static Tablespace tablespace(List<@Nullable String> columns) throws IOException {
    if (columns.size() < 3) {
      throw malformed("a tablespace of " + columns.size() + " columns");
    }
    String oid = columns.get(0);
    String location = columns.get(1);
    String kibibytes = columns.get(2);
    return new Tablespace(
        oid == null ? "" : oid,
        location == null ? "" : location,
        kibibytes == null ? 0 : Long.parseLong(kibibytes) * 1024);
  }

  private static BackupException.Source malformed(String what) {
    return new BackupException.Source(
        PostgresFailure.PROTOCOL, "the server's base backup holds " + what);
  }

  /**
   * Where a base backup is consistent.
   *
   * @param lsn the position
   * @param timeline another one than that of the start, if a standby followed a promotion meanwhile
   */
  public record End(Lsn lsn, long timeline) {}

  /**
   * One stream of a base backup.
   *
   * @param name {@code base.tar}, {@code <oid>.tar} or {@code backup_manifest}
   * @param isManifest whether it is the manifest
   */
  public record Part(String name, boolean isManifest) {}

  /** Takes bytes, which are valid during the call only. */
  @FunctionalInterface
  public interface Bytes {
    /** Takes {@code length} bytes from {@code offset} on. */
    void accept(byte[] bytes, int offset, int length) throws IOException;
  }

  /** The pieces of the open part, behind one another. */
  private final class Pieces extends InputStream {
    private boolean isInPiece;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      Body body = wire.body();
      while (!isInPiece || body.remaining() == 0) {
        isInPiece = nextPiece();
        if (!isInPiece) {
          return -1;
        }
      }
      return body.take(into, offset, length);
    }
  }
}
