package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * One BASE_BACKUP as PostgreSQL 15 and newer send it: the start, the tablespaces, then in one COPY
 * all archives and the manifest behind one another, then the end (documentation, "Streaming
 * Replication Protocol"; src/backend/backup/basebackup_copy.c).
 *
 * <p>Parts are read in the server's order, each to its end before the next.
 */
public final class BaseBackup {
  private final Wire wire;
  private final Lsn start;
  private final long timeline;
  private final List<Tablespace> tablespaces;
  private final long estimatedBytes;
  private @Nullable Part pending;
  private boolean isPartOpen;
  private boolean isCopyDone;

  private BaseBackup(Wire wire, Rows start, Rows tablespaces) throws IOException {
    this.wire = wire;
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
   */
  public static BaseBackup full(Wire wire, String label) throws IOException {
    return begin(wire, label, "");
  }

  /**
   * Begins a backup of what changed since another one. The server may wait for its summaries first.
   *
   * @param manifest the other one's {@code backup_manifest}, read to its end
   */
  public static BaseBackup incremental(Wire wire, String label, InputStream manifest)
      throws IOException {
    wire.upload("UPLOAD_MANIFEST", manifest);
    return begin(wire, label, ", INCREMENTAL");
  }

  private static BaseBackup begin(Wire wire, String label, String option) throws IOException {
    wire.send(
        "BASE_BACKUP (LABEL '"
            + label.replace("'", "''")
            + "', PROGRESS true, CHECKPOINT 'fast', WAL true, WAIT false, MANIFEST 'yes',"
            + " MANIFEST_CHECKSUMS 'SHA256', TABLESPACE_MAP true, TARGET 'client'"
            + option
            + ")");
    BaseBackup backup = new BaseBackup(wire, wire.rows(), wire.rows());
    wire.expect('H');
    return backup;
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
    if (isPartOpen) {
      throw new IllegalStateException("the part before was not read to its end");
    }
    if (pending == null && !isCopyDone) {
      readCopy(
          (bytes, offset, length) -> {
            throw malformed("data that belongs to no archive");
          });
    }
    Part part = pending;
    pending = null;
    isPartOpen = part != null;
    return Optional.ofNullable(part);
  }

  /** Hands out the bytes of the part that {@link #next} returned. */
  public void copyTo(Bytes sink) throws IOException {
    if (!isPartOpen) {
      throw new IllegalStateException("a part can be read once, after next()");
    }
    readCopy(sink);
    isPartOpen = false;
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

  /** Reads data up to the beginning of the next part, or to the end of the COPY. */
  private void readCopy(Bytes sink) throws IOException {
    while (pending == null && !isCopyDone) {
      char type = wire.read();
      if (type == 'd') {
        copyData(wire.body(), sink);
      } else if (type == 'c') {
        isCopyDone = true;
      } else {
        throw wire.unexpected(type, "a piece of the base backup");
      }
    }
  }

  private void copyData(Body body, Bytes sink) throws IOException {
    int kind = body.int8();
    switch (kind) {
      case 'd' -> sink.accept(body.bytes(), body.position(), body.remaining());
      case 'n' -> pending = new Part(body.text(), false);
      case 'm' -> pending = new Part("backup_manifest", true);
      case 'p' -> {
        // The server's count of bytes; ours is exact.
      }
      default -> throw malformed("a piece of unknown kind " + kind);
    }
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
}
