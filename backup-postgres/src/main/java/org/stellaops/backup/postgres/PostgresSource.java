package org.stellaops.backup.postgres;

import java.io.IOException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.SourceDescription;

/**
 * A PostgreSQL cluster, captured over the replication protocol while it runs. A value; connects
 * when it is checked or captured, and leaves no connection behind.
 *
 * <p>What is stored is what the server sent, byte for byte: {@code base.tar} with the WAL that
 * makes it consistent, {@code <oid>.tar} for each tablespace, and {@code backup_manifest}. Stock
 * tools restore it: unpack {@code base.tar} into an empty directory, put {@code backup_manifest}
 * beside, unpack the tablespaces where {@code tablespace_map} says, start the server.
 */
public final class PostgresSource implements BackupSource {
  /** Format of what {@link #physical} captures. */
  static final String PHYSICAL_KIND = "postgres-physical/1";

  private final PostgresConnection connection;
  private final DamagedPages damagedPages;
  private final ServerCompression compression;

  private PostgresSource(
      PostgresConnection connection, DamagedPages damagedPages, ServerCompression compression) {
    this.connection = connection;
    this.damagedPages = damagedPages;
    this.compression = compression;
  }

  /**
   * All databases of a cluster, as a base backup.
   *
   * <p>While it streams, every file is hashed and compared with the server's {@code
   * backup_manifest}; a file that differs, or a page whose checksum is wrong, fails the capture and
   * is named, but see {@link #damagedPages}.
   *
   * <p>Where an increment is asked for, the server (17 or newer, with {@code summarize_wal = on})
   * sends only the blocks that changed since the capture before; where it cannot, the capture is a
   * full one, and a finding says why.
   *
   * <p>The server may be a standby, which waits for nothing from its primary. It refuses while the
   * primary has {@code full_page_writes = off}, and if it is promoted meanwhile. Where it replayed
   * little since the capture before, there is no increment on that one yet.
   *
   * @param connection of a role with the REPLICATION right, to PostgreSQL 15 or newer
   */
  public static PostgresSource physical(PostgresConnection connection) {
    return new PostgresSource(connection, DamagedPages.FAIL, ServerCompression.OFF);
  }

  /**
   * What becomes of a backup with pages whose checksum is wrong; {@link DamagedPages#FAIL} unless
   * said. The relations are named in any case, if the role can ask the server for their names.
   */
  public PostgresSource damagedPages(DamagedPages policy) {
    return new PostgresSource(connection, policy, compression);
  }

  /**
   * Whether the server compresses what it sends; {@link ServerCompression#OFF} unless said. A
   * server that cannot fails the check and the capture.
   */
  public PostgresSource serverCompression(ServerCompression compression) {
    return new PostgresSource(connection, damagedPages, compression);
  }

  /**
   * All databases of a cluster but templates, each as an archive of {@code pg_dump}, for restoring
   * to another major version or one database alone. Each is consistent in itself, not with the
   * others.
   *
   * @param connection of a superuser, or a role that may read everything and bypasses row-level
   *     security
   * @param programs of the server's major version or a newer one
   */
  public static LogicalSource logical(PostgresConnection connection, PostgresPrograms programs) {
    return LogicalSource.of(connection, programs);
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(PHYSICAL_KIND, Component.DATABASE, Stage.DATABASE).incremental();
  }

  @Override
  public void check(Checks checks) throws IOException {
    new Preflight(connection, compression, checks).run();
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    new PhysicalCapture(connection, session, damagedPages, compression).run();
  }

  @Override
  public String toString() {
    return "PostgresSource[" + connection + "]";
  }
}
