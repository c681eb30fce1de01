package org.stellaops.backup.engine;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.stellaops.backup.postgres.fixture.PostgresServer;

/** Four sessions that count, each commit one row in each of two tables, until it is closed. */
final class CountingLoad implements AutoCloseable {
  private static final int SESSIONS = 4;
  private static final int LONGEST_PAUSE_MICROS = 6_000;
  private static final int CANDIDATES = 200;

  /** A hash of both tables, over the rows whose commits are wanted. */
  private static final String HASH =
      """
      SELECT count(*) || ' ' || coalesce(md5(string_agg(
               c.session || ':' || c.n || ':' || s.filler, ',' ORDER BY c.session, c.n)), '')
        FROM counter c FULL JOIN spread s USING (session, n)
      """;

  private final PostgresServer server;
  private final long seed;
  private final int round;
  private final ExecutorService threads = Executors.newFixedThreadPool(SESSIONS);
  private final List<Future<Integer>> sessions = new ArrayList<>();
  private volatile boolean isOver;

  private CountingLoad(PostgresServer server, long seed, int round) {
    this.server = server;
    this.seed = seed;
    this.round = round;
  }

  /**
   * Makes the tables.
   *
   * @param tablespace where one of them is
   */
  static void prepare(PostgresServer server, String tablespace) throws SQLException {
    Sql.execute(
        server,
        "CREATE TABLE counter (session int, n int, PRIMARY KEY (session, n))",
        "CREATE TABLE spread (session int, n int, filler text, PRIMARY KEY (session, n))"
            + " TABLESPACE "
            + tablespace);
  }

  /**
   * Begins.
   *
   * @param round of the loads on a cluster: tells their rows apart
   */
  static CountingLoad on(PostgresServer server, long seed, int round) {
    CountingLoad load = new CountingLoad(server, seed, round);
    for (int i = 0; i < SESSIONS; i++) {
      int session = i;
      load.sessions.add(load.threads.submit(() -> load.count(session)));
    }
    return load;
  }

  private int count(int session) throws SQLException {
    RandomGenerator random =
        RandomGeneratorFactory.of("L64X128MixRandom").create(seed * SESSIONS + session);
    int n = 0;
    try (Connection sql = server.openSql();
        PreparedStatement statement =
            sql.prepareStatement(
                "WITH c AS (INSERT INTO counter VALUES (?, ?))"
                    + " INSERT INTO spread VALUES (?, ?, repeat(md5(?::text), ?))")) {
      while (!isOver) {
        statement.setInt(1, session);
        statement.setInt(2, round * 1_000_000 + n);
        statement.setInt(3, session);
        statement.setInt(4, round * 1_000_000 + n);
        statement.setLong(5, random.nextLong());
        statement.setInt(6, 1 + random.nextInt(8));
        statement.execute();
        n++;
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(LONGEST_PAUSE_MICROS)));
      }
    }
    return n;
  }

  /** Lets it count for a time. */
  CountingLoad run(Duration time) {
    long end = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
    return this;
  }

  /** Ends it; fails if a session did. */
  @Override
  public void close() throws ExecutionException {
    isOver = true;
    threads.shutdown();
    try {
      for (Future<Integer> session : sessions) {
        session.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The times of all commits on a server, in order. */
  static List<Instant> commits(PostgresServer server) throws SQLException {
    List<Instant> commits = new ArrayList<>();
    try (Connection sql = server.openSql();
        var statement = sql.createStatement();
        var rows =
            statement.executeQuery(
                "SELECT (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint"
                    + " FROM counter ORDER BY 1")) {
      while (rows.next()) {
        commits.add(Instant.EPOCH.plus(rows.getLong(1), ChronoUnit.MICROS));
      }
    }
    return commits;
  }

  /** A query for the hash of what is there. */
  static String hashNow() {
    return HASH;
  }

  /** A query, on a cluster that holds more, for the hash of what was committed up to an instant. */
  static String hashUpTo(Instant time) {
    return HASH + " WHERE pg_xact_commit_timestamp(c.xmin) <= '" + time + "'";
  }

  /**
   * In the middle of the longest pause between the next commits: there the order of the commits is
   * that of their times, which sessions take a moment before they write them down.
   */
  static Instant inGap(List<Instant> commits, Instant about) {
    int first = 0;
    while (first < commits.size() - CANDIDATES && commits.get(first).isBefore(about)) {
      first++;
    }
    Instant chosen = about;
    long longest = -1;
    for (int i = Math.max(1, first); i < Math.min(commits.size(), first + CANDIDATES); i++) {
      long pause = ChronoUnit.MICROS.between(commits.get(i - 1), commits.get(i));
      if (pause > longest) {
        longest = pause;
        boolean isWithin =
            about.isAfter(commits.get(i - 1).plusMillis(2))
                && about.isBefore(commits.get(i).minusMillis(2));
        chosen = isWithin ? about : commits.get(i - 1).plus(pause / 2, ChronoUnit.MICROS);
      }
    }
    return chosen;
  }
}
