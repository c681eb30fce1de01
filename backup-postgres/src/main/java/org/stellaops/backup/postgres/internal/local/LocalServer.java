package org.stellaops.backup.postgres.internal.local;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.Lsn;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.PostgresPrograms;
import org.stellaops.backup.postgres.internal.wire.Logins;
import org.stellaops.backup.spi.Stopping;

/**
 * A server that was started on a restored cluster to ask it something, and that nobody else can
 * reach: it listens on a Unix domain socket only, in a directory that only this user can enter.
 * That directory is also why its {@code pg_hba.conf} may trust: the cluster's own wants passwords
 * that a restore does not know.
 *
 * <p>Closing it stops it. {@code postgres} is a child of this process, not a daemon; it is ended by
 * {@code pg_ctl}, and killed only where that does not help.
 */
public final class LocalServer implements Closeable {
  private static final Duration POLL = Duration.ofMillis(50);
  private static final Duration TO_STOP = Duration.ofMinutes(10);
  private static final Duration TO_STOP_AT_ONCE = Duration.ofSeconds(20);

  private static final String RECOVERY =
      """
      SELECT pg_is_in_recovery() AS goes_on, pg_last_wal_replay_lsn()::text AS replayed,
             pg_is_in_recovery() AND pg_get_wal_replay_pause_state() = 'paused' AS is_paused
      """;

  private final Programs programs;
  private final Path data;
  private final Path place;
  private final ServerLog log;
  private final Process process;
  private final PostgresConnection connection;

  private LocalServer(
      Programs programs, Path data, Path place, Process process, PostgresConnection connection) {
    this.programs = programs;
    this.data = data;
    this.place = place;
    this.log = new ServerLog(log(place));
    this.process = process;
    this.connection = connection;
  }

  /**
   * Starts a server; it is not ready yet.
   *
   * @param data a data directory, complete, on which no server runs
   * @param superuser role to ask as
   * @throws BackupException.Refused PROGRAM_MISSING, PROGRAM_VERSION, RUNS_AS_ROOT or
   *     RECOVERY_NOT_ENDED, before anything was started
   */
  public static LocalServer start(PostgresPrograms from, Path data, String superuser)
      throws IOException {
    Programs programs = new Programs(from);
    requireVersion(programs, data);
    requireEnd(data);
    Path place = Files.createTempDirectory("stella-pg-");
    try {
      requireOrdinaryUser(programs, place);
      Process process = launch(programs, data, place);
      PostgresConnection connection =
          PostgresConnection.onSocket(place).port(ServerSettings.PORT).user(superuser).build();
      return new LocalServer(programs, data, place, process, connection);
    } catch (IOException e) {
      remove(place);
      throw e;
    }
  }

  /** How it is reached. */
  public PostgresConnection connection() {
    return connection;
  }

  /** The process that was started. */
  public long pid() {
    return process.pid();
  }

  /**
   * Waits until recovery has ended and the cluster takes writes.
   *
   * @param replayed hears how far recovery is, now and then
   * @throws BackupException.Target with the server's own words, if it gives up; RECOVERY_NOT_ENDED,
   *     if it pauses or takes too long
   */
  public void awaitPrimary(Duration atMost, Stopping stopping, Consumer<Lsn> replayed)
      throws IOException {
    long begin = System.nanoTime();
    while (!isPrimary(replayed)) {
      stopping.check();
      if (System.nanoTime() - begin > atMost.toNanos()) {
        throw notEnded("it still recovers after " + atMost);
      }
      pause();
    }
  }

  /** Stops it, whatever it is doing, and removes all that was made for it. */
  @Override
  public void close() throws IOException {
    boolean wasInterrupted = Thread.interrupted();
    try {
      if (process.isAlive() && !stop("fast", TO_STOP) && !stop("immediate", TO_STOP_AT_ONCE)) {
        kill();
        throw new BackupException.Target(
            PostgresFailure.NOT_STOPPED,
            "stop the server on %s: expected it to end, had to kill it; its log: %s"
                .formatted(data, log.text()));
      }
    } finally {
      remove(place);
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private boolean isPrimary(Consumer<Lsn> replayed) throws IOException {
    if (!process.isAlive()) {
      throw ended();
    }
    if (!Files.exists(connection.socketFile().orElseThrow())) {
      return false;
    }
    try (Connection sql = Logins.forQueries(connection);
        Statement statement = sql.createStatement();
        ResultSet row = statement.executeQuery(RECOVERY)) {
      row.next();
      Optional.ofNullable(row.getString("replayed")).map(Lsn::parse).ifPresent(replayed);
      if (row.getBoolean("is_paused")) {
        throw notEnded("it is paused at " + row.getString("replayed"));
      }
      return !row.getBoolean("goes_on");
    } catch (BackupException.Source e) {
      return notYet(e);
    } catch (SQLException e) {
      return notYet(Logins.explain(connection, e));
    }
  }

  /** A server that starts refuses connections; one that refuses the role will do so for ever. */
  private static boolean notYet(BackupException.Source e) throws BackupException {
    if (e.code() == PostgresFailure.LOGIN_REFUSED) {
      throw new BackupException.Target(
          PostgresFailure.LOGIN_REFUSED,
          e.detail() + "; hint: name a superuser of the restored cluster",
          e);
    }
    return false;
  }

  /** Waits a little, or less if the server ends. */
  private void pause() throws BackupException.Stopped {
    try {
      process.waitFor(POLL.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw Interruption.stopped("start a server on " + data);
    }
  }

  private BackupException.Target ended() throws IOException {
    return new BackupException.Target(
        log.failure(),
        "start a server on %s: expected it to open, it ended with status %d; its log: %s"
            .formatted(data, process.exitValue(), log.text()));
  }

  private BackupException.Target notEnded(String found) throws IOException {
    return new BackupException.Target(
        PostgresFailure.RECOVERY_NOT_ENDED,
        "start a server on %s: expected recovery to end, %s; its log: %s"
            .formatted(data, found, log.text()));
  }

  /** Asks {@code pg_ctl}, which signals what {@code postmaster.pid} names: only if that is ours. */
  private boolean stop(String mode, Duration atMost) throws IOException {
    if (isOurs()) {
      new ProcessBuilder(programs.server("pg_ctl", "stop", "-W", "-m", mode, "-D", data.toString()))
          .redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start();
    } else {
      process.destroy();
    }
    return hasEnded(atMost);
  }

  private boolean isOurs() throws IOException {
    Path file = data.resolve("postmaster.pid");
    if (!Files.exists(file)) {
      return false;
    }
    try (Stream<String> lines = Files.lines(file)) {
      String pid = lines.findFirst().orElse("");
      return Stream.concat(Stream.of(process.toHandle()), process.descendants())
          .anyMatch(child -> Long.toString(child.pid()).equals(pid.strip()));
    }
  }

  /** Its children end by themselves when they notice. */
  private void kill() throws IOException {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroyForcibly();
    hasEnded(TO_STOP_AT_ONCE);
    children.forEach(ProcessHandle::destroyForcibly);
  }

  private boolean hasEnded(Duration atMost) throws BackupException.Stopped {
    try {
      return process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      throw Interruption.stopped("stop the server on " + data);
    }
  }

  private static Process launch(Programs programs, Path data, Path place) throws IOException {
    List<String> command = new ArrayList<>(programs.server("postgres"));
    command.addAll(ServerSettings.arguments(data, place));
    Process process =
        new ProcessBuilder(command)
            .directory(place.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log(place).toFile())
            .start();
    process.getOutputStream().close();
    return process;
  }

  private static void requireVersion(Programs programs, Path data) throws IOException {
    programs.server("pg_ctl");
    Path file = data.resolve("PG_VERSION");
    if (!Files.exists(file)) {
      throw new BackupException.Refused(
          PostgresFailure.NOT_A_DATA_DIRECTORY,
          "start a server on %s: no PG_VERSION".formatted(data));
    }
    programs.requireMajor("postgres", Files.readString(file).strip());
  }

  private static void requireEnd(Path data) throws BackupException.Refused {
    if (Files.exists(data.resolve("standby.signal"))) {
      throw new BackupException.Refused(
          PostgresFailure.RECOVERY_NOT_ENDED,
          "start a server on %s: it has standby.signal, so its recovery never ends"
              .formatted(data));
    }
  }

  /** The owner of what was just made is who we are. */
  private static void requireOrdinaryUser(Programs programs, Path place) throws IOException {
    boolean isRoot = Files.getAttribute(place, "unix:uid").equals(0);
    if (isRoot && programs.areBare()) {
      throw new BackupException.Refused(
          PostgresFailure.RUNS_AS_ROOT,
          "start postgres: expected an ordinary user, found root, as whom it refuses to run");
    }
  }

  private static Path log(Path place) {
    return place.resolve("server.log");
  }

  private static void remove(Path place) throws IOException {
    try (Stream<Path> files = Files.list(place)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
    }
    Files.deleteIfExists(place);
  }
}
