package org.stellaops.backup.postgres;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.Stopping;

/** Asks amcheck about every index and table of one database, in the caller's transaction. */
final class StructureCheck {
  private static final int MAX_FINDINGS_PER_TABLE = 20;

  private static final String EXTENSION =
      """
      SELECT quote_ident(n.nspname) AS schema,
             to_regprocedure(quote_ident(n.nspname) || '.bt_index_check(regclass,boolean)')
               IS NOT NULL
             AND EXISTS (SELECT FROM pg_proc p
                         WHERE p.proname = 'verify_heapam' AND p.pronamespace = n.oid) AS is_complete
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      WHERE e.extname = 'amcheck'
      """;

  private static final String INDEXES =
      """
      SELECT c.oid, c.oid::regclass::text AS name, a.amname AS method,
             i.indisvalid AND i.indisready AS is_valid
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
      WHERE c.relkind = 'i' AND c.relpersistence <> 't'
      ORDER BY c.oid
      """;

  private static final String TABLES =
      """
      SELECT c.oid, c.oid::regclass::text AS name, a.amname AS method, true AS is_valid
      FROM pg_class c JOIN pg_am a ON a.oid = c.relam
      WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
      ORDER BY c.oid
      """;

  private final Connection sql;
  private final String database;
  private final IntegrityTally tally;
  private final Stopping stopping;

  StructureCheck(Connection sql, String database, IntegrityTally tally, Stopping stopping) {
    this.sql = sql;
    this.database = database;
    this.tally = tally;
    this.stopping = stopping;
  }

  void run(boolean bringsAmcheck) throws SQLException, BackupException.Stopped {
    String schema = extension();
    if (schema.isEmpty() && bringsAmcheck) {
      schema = bring();
    } else if (schema.isEmpty()) {
      tally.notChecked(database, "its indexes and tables: there is no extension amcheck 1.3 in it");
    }
    if (!schema.isEmpty()) {
      checkIndexes(schema);
      checkTables(schema);
    }
  }

  /** Where amcheck is, quoted; empty if it is not there or is too old. */
  private String extension() throws SQLException {
    try (Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(EXTENSION)) {
      return rows.next() && rows.getBoolean("is_complete") ? rows.getString("schema") : "";
    }
  }

  /** Goes away with the transaction. */
  private String bring() throws SQLException {
    Savepoint before = sql.setSavepoint();
    try (Statement statement = sql.createStatement()) {
      statement.execute("DROP EXTENSION IF EXISTS amcheck");
      statement.execute("CREATE EXTENSION amcheck SCHEMA public");
      return extension();
    } catch (SQLException e) {
      sql.rollback(before);
      if (IntegrityRun.isOver(e)) {
        throw e;
      }
      tally.notChecked(
          database, "its indexes and tables: amcheck cannot be created: " + IntegrityRun.said(e));
      return "";
    }
  }

  private void checkIndexes(String schema) throws SQLException, BackupException.Stopped {
    String query = "SELECT " + schema + ".bt_index_check(%d::regclass, true)";
    int others = 0;
    for (Relation index : relations(INDEXES)) {
      if (!index.method.equals("btree")) {
        others++;
      } else if (!index.isValid) {
        tally.notChecked(subject(index), "the index is not valid");
      } else {
        tally.indexes++;
        check(index, query.formatted(index.oid), PostgresFailure.INDEX_DAMAGED);
      }
    }
    if (others > 0) {
      tally.notChecked(
          database, others + " indexes that are no B-trees; amcheck does not know them");
    }
  }

  private void checkTables(String schema) throws SQLException, BackupException.Stopped {
    String query =
        "SELECT format('block %%s, row %%s: %%s', blkno, offnum, msg) FROM "
            + schema
            + ".verify_heapam(%d::regclass, on_error_stop => false, check_toast => true)"
            + " LIMIT "
            + MAX_FINDINGS_PER_TABLE;
    for (Relation table : relations(TABLES)) {
      if (table.method.equals("heap")) {
        tally.tables++;
        check(table, query.formatted(table.oid), PostgresFailure.TABLE_DAMAGED);
      } else {
        tally.notChecked(subject(table), "its access method is " + table.method);
      }
    }
  }

  /** Every text that the query returns, and every error, is something wrong. */
  private void check(Relation relation, String query, PostgresFailure code)
      throws SQLException, BackupException.Stopped {
    stopping.check();
    Savepoint before = sql.setSavepoint();
    try (Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        String text = rows.getString(1);
        if (text != null && !text.isEmpty()) {
          tally.found(code, subject(relation), text);
        }
      }
    } catch (SQLException e) {
      if (IntegrityRun.isOver(e)) {
        throw e;
      }
      sql.rollback(before);
      failed(relation, code, e);
    }
    sql.releaseSavepoint(before);
  }

  private void failed(Relation relation, PostgresFailure code, SQLException e) {
    if (IntegrityRun.isUnanswerable(e)) {
      tally.notChecked(subject(relation), IntegrityRun.said(e));
    } else {
      boolean isPage = String.valueOf(e.getMessage()).contains("invalid page in block");
      tally.found(
          isPage ? PostgresFailure.PAGE_CHECKSUM : code, subject(relation), IntegrityRun.said(e));
    }
  }

  private String subject(Relation relation) {
    return database + ": " + relation.name;
  }

  private List<Relation> relations(String query) throws SQLException {
    List<Relation> relations = new ArrayList<>();
    try (Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        relations.add(
            new Relation(
                rows.getLong("oid"),
                rows.getString("name"),
                rows.getString("method"),
                rows.getBoolean("is_valid")));
      }
    }
    return relations;
  }

  /** An index or a table. */
  private record Relation(long oid, String name, String method, boolean isValid) {}
}
