package org.stellaops.backup.postgres;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.postgres.internal.receive.ReceiveSettings;
import org.stellaops.backup.postgres.internal.receive.WalReceiving;
import org.stellaops.backup.postgres.internal.wire.SlotName;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.StreamSession;

/**
 * The write-ahead log of a cluster, received over the replication protocol while it is written, so
 * that any point in time can be restored. A value; every setting returns another one.
 *
 * <p>A physical replication slot, which is made when it is not there, keeps the server from
 * removing WAL before it is recorded; the server hears of what is durable only. The slot stays when
 * the stream is closed: drop it when it is not needed any more, with {@code SELECT
 * pg_drop_replication_slot(...)}.
 *
 * <p>What is stored is the WAL, byte for byte, a timeline being a branch of the stream; with the
 * timelines' {@code .history} files.
 */
public final class PostgresWal implements ContinuousSource {
  /** Format of what is recorded. */
  static final String KIND = "postgres-wal/1";

  private static final Duration FLUSH_WITHIN = Duration.ofSeconds(1);
  private static final Duration MERGE_EVERY = Duration.ofMinutes(10);

  private final PostgresConnection connection;
  private final ReceiveSettings settings;

  private PostgresWal(PostgresConnection connection, ReceiveSettings settings) {
    this.connection = connection;
    this.settings = settings;
  }

  /**
   * The WAL of a cluster.
   *
   * @param connection of a role with the REPLICATION right, to PostgreSQL 15 or newer
   * @param slot name of the slot: 1 to 63 of a-z, 0-9 and _
   * @throws IllegalArgumentException if that cannot be the name of a slot
   */
  public static PostgresWal of(PostgresConnection connection, String slot) {
    return new PostgresWal(
        connection,
        new ReceiveSettings(
            new SlotName(slot), Optional.empty(), FLUSH_WITHIN, MERGE_EVERY, false));
  }

  /**
   * Stores what has arrived within so long; one second unless said. Nothing is stored while nothing
   * arrives.
   */
  public PostgresWal flushWithin(Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("a time of " + time + ", expected more than none");
    }
    return new PostgresWal(connection, settings.flushWithin(time));
  }

  /**
   * Stores everything at once, and under this name the server can wait for it: where it stands in
   * {@code synchronous_standby_names}, a commit returns when it is recorded, and none can be lost.
   * While nothing can be recorded, such a server commits nothing.
   */
  public PostgresWal synchronousAs(String standbyName) {
    return new PostgresWal(connection, settings.as(standbyName));
  }

  /**
   * Accepts a server whose {@code max_slot_wal_keep_size} is -1. It keeps WAL until it is recorded,
   * whatever happens: if nothing records it, until its disk is full and it stops.
   */
  public PostgresWal allowUnboundedRetention() {
    return new PostgresWal(connection, settings.allowUnbounded());
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(KIND, Component.DATABASE, Stage.DATABASE);
  }

  @Override
  public void check(Checks checks) throws IOException {
    new Preflight(connection, ServerCompression.OFF, checks).run();
    new WalPreflight(connection, settings, checks).run();
  }

  @Override
  public void follow(StreamSession session) throws IOException {
    new WalReceiving(connection, settings, session).run();
  }

  @Override
  public String toString() {
    return "PostgresWal[" + connection + ", " + settings.slot() + "]";
  }
}
