package org.stellaops.backup.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.postgres.internal.wire.BaseBackup;
import org.stellaops.backup.postgres.internal.wire.ServerMessage;
import org.stellaops.backup.postgres.internal.wire.SystemIdentity;
import org.stellaops.backup.postgres.internal.wire.Wire;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.ParentCapture;

/**
 * Begins a backup of what changed since an earlier capture, where the server can tell that. Where
 * it cannot, a finding says why, and the capture is a full one.
 */
final class Increment {
  /** The first major version that knows which blocks changed. */
  static final int OLDEST_MAJOR = 17;

  /** The statements that let a server remember which blocks changed. */
  static final String SUMMARIZE_SQL =
      "ALTER SYSTEM SET summarize_wal = on; SELECT pg_reload_conf();";

  /** Said by the server where its summaries or its history lack what the manifest needs. */
  private static final String NOT_IN_PREREQUISITE_STATE = "55000";

  private final PostgresConnection connection;
  private final CaptureSession session;
  private final ServerCompression compression;
  private final Wire wire;

  Increment(
      PostgresConnection connection,
      CaptureSession session,
      ServerCompression compression,
      Wire wire) {
    this.connection = connection;
    this.session = session;
    this.compression = compression;
    this.wire = wire;
  }

  /** The backup, on which the session then depends; empty: take a full one. */
  Optional<BaseBackup> begin(SystemIdentity system, int major, String label) throws IOException {
    Optional<ParentCapture> parent = session.parent();
    if (major < OLDEST_MAJOR) {
      return inFull(
          "PostgreSQL " + major + " cannot say what changed: space, not reading, is saved");
    }
    if (parent.isEmpty()) {
      return inFull("there is no earlier capture to build on");
    }
    Optional<CaptureSpan> span = parent.get().captured().header().span();
    if (span.isEmpty() || !span.get().start().lineage().equals(system.systemIdentifier())) {
      return inFull(
          "the earlier capture is of another cluster: expected system %s, found %s"
              .formatted(system.systemIdentifier(), span));
    }
    if (!wire.show("summarize_wal").equals("on")) {
      return inFull("summarize_wal is off; hint: " + SUMMARIZE_SQL);
    }
    return since(parent.get(), label);
  }

  private Optional<BaseBackup> since(ParentCapture parent, String label) throws IOException {
    Optional<InputStream> manifest = parent.recall(PhysicalCapture.MANIFEST);
    if (manifest.isEmpty()) {
      return inFull("the backup_manifest of the earlier capture is not there any more");
    }
    try (InputStream in = manifest.get()) {
      BaseBackup backup = BaseBackup.incremental(wire, label, compression, in);
      session.dependsOn(parent);
      parent
          .captured()
          .header()
          .span()
          .ifPresent(span -> session.property("incremental", "since " + span.start().text()));
      return Optional.of(backup);
    } catch (BackupException.Source e) {
      Optional<ServerMessage> refusal =
          wire.lastError().filter(said -> said.sqlState().equals(NOT_IN_PREREQUISITE_STATE));
      if (refusal.isEmpty()) {
        throw e;
      }
      return inFull("the server refused to build on the earlier capture: " + refusal.get());
    }
  }

  private Optional<BaseBackup> inFull(String why) {
    session.finding(new Finding(PostgresFailure.CAPTURED_IN_FULL, connection.toString(), why));
    return Optional.empty();
  }
}
