package org.stellaops.backup.postgres;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.postgres.internal.receive.ArchiveReceiving;
import org.stellaops.backup.postgres.internal.receive.ArchiveSettings;
import org.stellaops.backup.postgres.internal.receive.ArchiveToken;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.ContinuousSource;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.spi.StreamSession;

/**
 * The write-ahead log of a cluster that cannot be asked for it, but archives it: while it is
 * followed, it listens on the loopback interface for the server's {@code archive_command}, a stock
 * {@code curl}. A value; every setting returns another one.
 *
 * <p>The server hears that a file is archived when it is durable and signed, and keeps it until
 * then. The same file may come again. Refused, and reported as a finding, are: other bytes under a
 * name that is recorded; another cluster's WAL; damaged WAL; and a segment behind one that is
 * missing, see {@link #acceptGaps}. While something is refused the server keeps it and all that
 * follows, so look at the findings.
 *
 * <p>Segments become slices of up to 16 MiB. A larger segment that is damaged is stored up to the
 * slice before. What is recorded is what {@link PostgresWal} records: one can go on with the stream
 * of the other. At most a whole segment is not recorded: set {@code archive_timeout}.
 */
public final class PostgresWalArchive implements ContinuousSource {
  private static final int MAX_PORT = 65_535;
  private static final Duration CLIENT_PATIENCE = Duration.ofMinutes(1);

  /** Longer than any store should take for 16 MiB; then the server tries again. */
  private static final int COMMAND_SECONDS = 600;

  /** What means nothing to a shell, to curl, or to archive_command. */
  private static final Pattern PLAIN_PATH = Pattern.compile("[A-Za-z0-9/._+@,: -]+");

  private final ArchiveSettings settings;

  private PostgresWalArchive(ArchiveSettings settings) {
    this.settings = settings;
  }

  /**
   * The WAL that is archived to a port.
   *
   * @param port of the loopback interface; 0 for any that is free, see {@link #whenListening}
   * @param tokenFile with the header that a client has to send; made, for its owner only, if it is
   *     not there. Where the server runs as another user, that user needs a copy to which the
   *     command has to point.
   */
  public static PostgresWalArchive listeningOn(int port, Path tokenFile) {
    if (port < 0 || port > MAX_PORT) {
      throw new IllegalArgumentException("no port: " + port);
    }
    Path file = tokenFile.toAbsolutePath().normalize();
    if (!PLAIN_PATH.matcher(file.toString()).matches()) {
      throw new IllegalArgumentException(
          "a path that cannot stand in an archive_command as it is: " + file);
    }
    return new PostgresWalArchive(
        new ArchiveSettings(port, file, Optional.empty(), false, CLIENT_PATIENCE, address -> {}));
  }

  /**
   * Accepts the WAL of this system only. Else it is that of the first segment; and where the first
   * file is the history of a timeline, which does not say whose it is, nothing is accepted.
   *
   * @param systemIdentifier as {@code pg_control_system()} tells it
   */
  public PostgresWalArchive ofSystem(String systemIdentifier) {
    Long.parseUnsignedLong(systemIdentifier);
    return new PostgresWalArchive(settings.ofSystem(systemIdentifier));
  }

  /**
   * Accepts a segment although the one before it was never archived, as when archiving was off for
   * a while: it is recorded that there is a gap, and nothing can be replayed across it. Take a full
   * backup then.
   */
  public PostgresWalArchive acceptGaps() {
    return new PostgresWalArchive(settings.acceptingGaps());
  }

  /** Tells the address each time that it begins to listen, on the thread that follows. */
  public PostgresWalArchive whenListening(Consumer<InetSocketAddress> told) {
    return new PostgresWalArchive(settings.telling(told));
  }

  /** For tests: how long a client may take for 16 MiB. */
  PostgresWalArchive clientPatience(Duration time) {
    return new PostgresWalArchive(settings.patience(time));
  }

  /**
   * The value of the server's setting {@code archive_command}; it needs {@code curl} 7.55 or newer.
   * It holds no secret.
   *
   * @throws IllegalStateException if any free port was asked for
   */
  public String archiveCommand() {
    if (settings.port() == 0) {
      throw new IllegalStateException("the port is known only when it listens");
    }
    return archiveCommand(settings.port());
  }

  /** The same for a port that was told to {@link #whenListening}. */
  public String archiveCommand(int port) {
    return "curl -q -fsS --noproxy \"*\" --max-time %d -H \"@%s\" -T \"%%p\" \"http://127.0.0.1:%d/wal/%%f\""
        .formatted(COMMAND_SECONDS, settings.tokenFile(), port);
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(PostgresWal.KIND, Component.DATABASE, Stage.DATABASE);
  }

  /** Looks at the token, and makes none: whether the server archives is seen when it does. */
  @Override
  public void check(Checks checks) throws IOException {
    Path file = settings.tokenFile();
    String id = "postgres.archive-token";
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      checks.add(CheckResult.pass(id, file + " will be made"));
      return;
    }
    try {
      ArchiveToken.of(file);
      checks.add(CheckResult.pass(id, file + " is private"));
    } catch (BackupException.Refused e) {
      checks.add(CheckResult.fail(id, e.detail(), e.code().remedy()));
    }
  }

  @Override
  public void follow(StreamSession session) throws IOException {
    new ArchiveReceiving(settings, session).run();
  }

  @Override
  public String toString() {
    return "PostgresWalArchive[127.0.0.1:%d]".formatted(settings.port());
  }
}
