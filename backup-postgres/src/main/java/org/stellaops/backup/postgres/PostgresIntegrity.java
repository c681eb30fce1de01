package org.stellaops.backup.postgres;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.spi.Stopping;

/**
 * What a cluster is asked to show that it is sound: every B-tree index has an entry for every row
 * ({@code bt_index_check}), every table can be read row by row ({@code verify_heapam}), every
 * foreign key finds its row, and what the caller says must hold. All databases but {@code
 * template0}. A value.
 *
 * <p>Everything runs in transactions that are rolled back, as a superuser or a role that bypasses
 * row-level security. What cannot be looked at is a finding of its own, {@link
 * PostgresFailure#NOT_CHECKED}, and never counts as sound.
 */
public final class PostgresIntegrity {
  private static final Duration AN_HOUR = Duration.ofHours(1);
  private static final Duration HALF_A_DAY = Duration.ofHours(12);

  private final boolean bringsAmcheck;
  private final String superuser;
  private final Duration toStart;
  private final Duration toAnswer;
  private final List<Invariant> invariants;

  private PostgresIntegrity(
      boolean bringsAmcheck,
      String superuser,
      Duration toStart,
      Duration toAnswer,
      List<Invariant> invariants) {
    this.bringsAmcheck = bringsAmcheck;
    this.superuser = superuser;
    this.toStart = toStart;
    this.toAnswer = toAnswer;
    this.invariants = List.copyOf(invariants);
  }

  /** Indexes, tables and foreign keys, with what the databases bring: the extension amcheck. */
  public static PostgresIntegrity standard() {
    return new PostgresIntegrity(false, "postgres", HALF_A_DAY, AN_HOUR, List.of());
  }

  /**
   * For a copy that nobody else uses: the extension amcheck is created where a database lacks it,
   * in the transaction that is rolled back.
   */
  public PostgresIntegrity bringingAmcheck() {
    return new PostgresIntegrity(true, superuser, toStart, toAnswer, invariants);
  }

  /** Role to ask as where a server is started for it; {@code postgres} unless said. */
  public PostgresIntegrity superuser(String role) {
    return new PostgresIntegrity(bringsAmcheck, role, toStart, toAnswer, invariants);
  }

  /** How long a server that is started for it may recover; twelve hours unless said. */
  public PostgresIntegrity recoveringWithin(Duration atMost) {
    return new PostgresIntegrity(bringsAmcheck, superuser, atMost, toAnswer, invariants);
  }

  /** How long each invariant may take; longer is a failure. An hour unless said. */
  public PostgresIntegrity answeringWithin(Duration atMost) {
    return new PostgresIntegrity(bringsAmcheck, superuser, toStart, atMost, invariants);
  }

  /**
   * Something that must hold.
   *
   * @param database where it is asked
   * @param name what a finding calls it
   * @param sql returns one row with one value, {@code true}; whatever else, an error included, is a
   *     failure
   */
  public PostgresIntegrity invariant(String database, String name, String sql) {
    return with(new Invariant(database, name, sql, null));
  }

  /**
   * Something that must have a value, such as the hash of a table.
   *
   * @param value the text of the one value in the one row that {@code sql} returns
   */
  public PostgresIntegrity expect(String database, String name, String sql, String value) {
    return with(new Invariant(database, name, sql, value));
  }

  /**
   * Asks a running cluster.
   *
   * @param connection of a superuser, to any of its databases
   * @throws org.stellaops.backup.model.BackupException.Source if the server cannot be asked
   */
  public IntegrityReport check(PostgresConnection connection, Stopping stopping)
      throws IOException {
    return new IntegrityRun(this, connection, stopping).run();
  }

  boolean bringsAmcheck() {
    return bringsAmcheck;
  }

  String superuser() {
    return superuser;
  }

  Duration toStart() {
    return toStart;
  }

  Duration toAnswer() {
    return toAnswer;
  }

  List<Invariant> invariants() {
    return invariants;
  }

  @Override
  public String toString() {
    return "PostgresIntegrity[" + invariants.size() + " invariants]";
  }

  private PostgresIntegrity with(Invariant another) {
    List<Invariant> more = new ArrayList<>(invariants);
    more.add(another);
    return new PostgresIntegrity(bringsAmcheck, superuser, toStart, toAnswer, more);
  }
}
