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

/**
 * Looks in one database for rows that refer to rows that are not there. The join is the one of
 * RI_Initial_Check in src/backend/utils/adt/ri_triggers.c: with the operators of the constraint,
 * and without the children of tables that are not partitioned.
 */
final class ForeignKeyCheck {
  private static final String CONSTRAINTS =
      """
      SELECT con.conname AS name, con.conrelid::regclass::text AS referring, con.convalidated,
             coalesce((to_jsonb(con) ->> 'conperiod')::boolean, false) AS is_temporal,
             format('SELECT count(*) FROM %s%s fk WHERE (%s) AND NOT EXISTS (SELECT FROM %s%s pk WHERE %s)',
               CASE WHEN fr.relkind = 'p' THEN '' ELSE 'ONLY ' END, con.conrelid::regclass,
               string_agg(format('fk.%I IS NOT NULL', fa.attname),
                          CASE con.confmatchtype WHEN 'f' THEN ' OR ' ELSE ' AND ' END),
               CASE WHEN pr.relkind = 'p' THEN '' ELSE 'ONLY ' END, con.confrelid::regclass,
               string_agg(format('pk.%I OPERATOR(%I.%s) fk.%I%s', pa.attname, n.nspname, op.oprname,
                                 fa.attname,
                                 CASE WHEN fa.attcollation <> pa.attcollation
                                      THEN ' COLLATE ' || pa.attcollation::regcollation ELSE '' END),
                          ' AND ')) AS query
      FROM pg_constraint con
      CROSS JOIN LATERAL unnest(con.conkey, con.confkey, con.conpfeqop) AS k (fk, pk, op)
      JOIN pg_class fr ON fr.oid = con.conrelid
      JOIN pg_class pr ON pr.oid = con.confrelid
      JOIN pg_attribute fa ON fa.attrelid = con.conrelid AND fa.attnum = k.fk
      JOIN pg_attribute pa ON pa.attrelid = con.confrelid AND pa.attnum = k.pk
      JOIN pg_operator op ON op.oid = k.op
      JOIN pg_namespace n ON n.oid = op.oprnamespace
      WHERE con.contype = 'f' AND con.conparentid = 0
      GROUP BY con.oid, con.conname, con.conrelid, con.confrelid, con.convalidated,
               con.confmatchtype, fr.relkind, pr.relkind, to_jsonb(con)
      ORDER BY con.oid
      """;

  private final Connection sql;
  private final String database;
  private final IntegrityTally tally;
  private final Stopping stopping;

  ForeignKeyCheck(Connection sql, String database, IntegrityTally tally, Stopping stopping) {
    this.sql = sql;
    this.database = database;
    this.tally = tally;
    this.stopping = stopping;
  }

  void run() throws SQLException, BackupException.Stopped {
    for (Constraint constraint : constraints()) {
      stopping.check();
      if (constraint.whyNot.isEmpty()) {
        tally.foreignKeys++;
        check(constraint);
      } else {
        tally.notChecked(subject(constraint), constraint.whyNot);
      }
    }
  }

  private void check(Constraint constraint) throws SQLException {
    Savepoint before = sql.setSavepoint();
    try (Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(constraint.query)) {
      rows.next();
      if (rows.getLong(1) != 0) {
        tally.found(
            PostgresFailure.FOREIGN_KEY_BROKEN,
            subject(constraint),
            "%d rows refer to nothing: %s".formatted(rows.getLong(1), constraint.query));
      }
    } catch (SQLException e) {
      if (IntegrityRun.isOver(e)) {
        throw e;
      }
      sql.rollback(before);
      failed(constraint, e);
    }
    sql.releaseSavepoint(before);
  }

  private void failed(Constraint constraint, SQLException e) {
    if (IntegrityRun.isUnanswerable(e)) {
      tally.notChecked(subject(constraint), IntegrityRun.said(e));
    } else {
      tally.found(PostgresFailure.FOREIGN_KEY_BROKEN, subject(constraint), IntegrityRun.said(e));
    }
  }

  private String subject(Constraint constraint) {
    return database + ": " + constraint.name + " of " + constraint.referring;
  }

  private List<Constraint> constraints() throws SQLException {
    List<Constraint> constraints = new ArrayList<>();
    try (Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(CONSTRAINTS)) {
      while (rows.next()) {
        String whyNot = rows.getBoolean("is_temporal") ? "it holds for periods" : "";
        constraints.add(
            new Constraint(
                rows.getString("name"),
                rows.getString("referring"),
                rows.getBoolean("convalidated") ? whyNot : "it was never validated",
                rows.getString("query")));
      }
    }
    return constraints;
  }

  /** A foreign key with the query that counts its orphans. */
  private record Constraint(String name, String referring, String whyNot, String query) {}
}
