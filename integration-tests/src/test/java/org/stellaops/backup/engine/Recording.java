package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.StreamStatus;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.PostgresWal;
import org.stellaops.backup.postgres.fixture.PostgresServer;

/** A host that backs up one server and records its WAL, as {@code database} and {@code wal}. */
final class Recording implements AutoCloseable {
  static final String SLOT = "stella";
  private static final Duration SOON = Duration.ofSeconds(60);

  final PostgresServer server;
  final BackupEngine engine;
  final RunningStream wal;

  private Recording(PostgresServer server, BackupEngine engine) throws BackupException {
    this.server = server;
    this.engine = engine;
    this.wal = engine.stream("wal");
  }

  static Recording of(Host host, PostgresServer server) throws Exception {
    return of(host, server, server.connection(), w -> w);
  }

  /**
   * @param connection by which the WAL is received
   * @param how what is set of the stream
   */
  static Recording of(
      Host host,
      PostgresServer server,
      PostgresConnection connection,
      UnaryOperator<PostgresWal> how)
      throws Exception {
    var plan =
        host
            .plan(host.sink)
            .source("database", PostgresSource.physical(server.connection()))
            .stream("wal", how.apply(PostgresWal.of(connection, SLOT)))
            .build();
    return new Recording(server, host.with(plan).open());
  }

  void backUp(String name) throws BackupException {
    engine.backup(BackupRequest.full().named(name)).requireGood();
  }

  /** Waits until everything that is on the server's disk is recorded. */
  void awaitRecorded() throws Exception {
    String system = Sql.ask(server, "SELECT system_identifier FROM pg_control_system()");
    String segment = Sql.ask(server, "SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
    long timeline = Long.parseLong(segment.substring(0, 8), 16);
    assertTrue(
        wal.await(Sql.flushed(server).in(system, timeline), SOON), () -> wal.status().toString());
  }

  void awaitState(StreamStatus.State state) throws Exception {
    Sql.until(() -> wal.status().state() == state, () -> wal.status().toString());
  }

  /** Waits until the stream waits or has ended because of this. */
  void awaitProblem(StreamStatus.State state, FailureCode code) throws Exception {
    Sql.until(
        () ->
            wal.status().state() == state
                && wal.status().problem().filter(p -> p.code() == code).isPresent(),
        () -> wal.status().toString());
  }

  void awaitFinding(FailureCode code) throws Exception {
    Sql.until(
        () -> wal.status().findings().stream().anyMatch(f -> f.code() == code),
        () -> wal.status().toString());
  }

  /** What is recorded of the one stream. */
  Coverage coverage() throws BackupException {
    List<Coverage> streams = engine.catalog().streams();
    assertTrue(streams.size() == 1, streams::toString);
    return streams.get(0);
  }

  RestorePlan plan(RestoreRequest request, PostgresTarget target) throws BackupException {
    return engine.planRestore(request.target("database", target));
  }

  void restore(RestoreRequest request, PostgresTarget target) throws BackupException {
    RestorePlan plan = plan(request, target);
    assertTrue(plan.isPossible(), plan.describe());
    engine.restore(plan, Confirmation.of(plan.digest()));
  }

  /** As {@link #restore}, of a cluster without tablespaces. */
  void restore(RestoreRequest request, Path to) throws BackupException {
    restore(request, PostgresTarget.directory(to));
  }

  @Override
  public void close() throws BackupException {
    engine.close();
  }
}
