package org.stellaops.backup.examples.quickstart;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.PostgresConnection;

/** The evidence locker's tables, in a PostgreSQL server of their own. */
final class Database implements AutoCloseable {
  private static final String USER = "postgres";
  private static final List<String> TABLES =
      List.of("evidence_bundles", "evidence_artifacts", "evidence_holds");

  private final EmbeddedPostgres server;

  private Database(EmbeddedPostgres server) {
    this.server = server;
  }

  /**
   * Starts a server on a data directory; where there is none, it is made.
   *
   * @param programs where the server's programs are unpacked
   */
  static Database start(Path data, Path programs) throws IOException {
    System.setProperty("ot.epg.working-dir", programs.toString());
    return new Database(
        EmbeddedPostgres.builder()
            .setDataDirectory(data)
            .setCleanDataDirectory(false)
            .setRegisterShutdownHook(true)
            .setPGStartupWait(Duration.ofMinutes(2))
            .setServerConfig("listen_addresses", "127.0.0.1")
            .setServerConfig("unix_socket_directories", "")
            .start());
  }

  PostgresConnection connection() {
    return PostgresConnection.parse(
        server.getJdbcUrl(USER, "postgres"), () -> Secret.of("not asked for"));
  }

  void fill() throws SQLException {
    execute(
        """
        CREATE TABLE evidence_bundles AS
        SELECT n AS bundle_id, 'tenant-' || n % 3 AS tenant_id, md5(n::text) AS root_hash,
               timestamptz '2026-01-01 00:00:00Z' + n * interval '1 minute' AS sealed_at
        FROM generate_series(1, 20000) n;
        ALTER TABLE evidence_bundles ADD PRIMARY KEY (bundle_id);
        CREATE TABLE evidence_artifacts AS
        SELECT n AS artifact_id, n % 20000 + 1 AS bundle_id, md5(n::text || 'sha256') AS sha256,
               (n * 7919) % 100000 AS size_bytes
        FROM generate_series(1, 200000) n;
        ALTER TABLE evidence_artifacts ADD PRIMARY KEY (artifact_id);
        CREATE INDEX ON evidence_artifacts (bundle_id);
        CREATE TABLE evidence_holds AS
        SELECT 'case-' || n AS case_id, n * 17 AS bundle_id FROM generate_series(1, 40) n;
        """);
  }

  /** A day's work: some rows more, some rows other. */
  void change() throws SQLException {
    execute(
        """
        INSERT INTO evidence_bundles
        SELECT n, 'tenant-0', md5(n::text), timestamptz '2026-11-21 00:00:00Z'
        FROM generate_series(20001, 20100) n;
        UPDATE evidence_artifacts SET size_bytes = size_bytes + 1 WHERE artifact_id <= 100;
        DELETE FROM evidence_holds WHERE case_id = 'case-7';
        """);
  }

  /** Of each table the rows, and one digest over all of them in any order. */
  List<Fingerprint> fingerprints() throws SQLException {
    List<Fingerprint> fingerprints = new ArrayList<>();
    for (String table : TABLES) {
      List<String> answer =
          ask(
              """
              SELECT count(*), encode(sha256(string_agg(row, '' ORDER BY row)::bytea), 'hex')
              FROM (SELECT md5(t::text) AS row FROM %s t) rows
              """
                  .formatted(table));
      fingerprints.add(
          new Fingerprint(
              "PostgreSQL " + table, Sizes.count(answer.get(0), "rows"), answer.get(1)));
    }
    return fingerprints;
  }

  @Override
  public void close() throws IOException {
    server.close();
  }

  private void execute(String commands) throws SQLException {
    try (Connection sql = server.getPostgresDatabase().getConnection();
        Statement statement = sql.createStatement()) {
      statement.execute(commands);
    }
  }

  /** The first row. */
  private List<String> ask(String question) throws SQLException {
    try (Connection sql = server.getPostgresDatabase().getConnection();
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(question)) {
      rows.next();
      List<String> row = new ArrayList<>();
      for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
        row.add(rows.getString(column));
      }
      return row;
    }
  }
}
