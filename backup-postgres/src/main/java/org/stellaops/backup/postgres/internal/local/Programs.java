package org.stellaops.backup.postgres.internal.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.PostgresPrograms;

/** Command lines and versions of {@link PostgresPrograms}. */
public final class Programs {
  private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) (([0-9]{1,3})[^ \n]*)");
  private static final Duration TO_TELL_ITS_VERSION = Duration.ofSeconds(30);
  private static final int MAX_VERSION_BYTES = 4096;

  private final PostgresPrograms programs;

  /** Of one directory. */
  public Programs(PostgresPrograms programs) {
    this.programs = programs;
  }

  /**
   * What starts a program of the server, with the launcher before it.
   *
   * @throws BackupException.Refused PROGRAM_MISSING
   */
  List<String> server(String program, String... arguments) throws BackupException.Refused {
    List<String> command = new ArrayList<>(programs.launcher());
    command.addAll(client(program, arguments));
    return command;
  }

  /**
   * What starts a program that anybody may run.
   *
   * @throws BackupException.Refused PROGRAM_MISSING
   */
  List<String> client(String program, String... arguments) throws BackupException.Refused {
    Path file = programs.directory().resolve(program);
    if (!Files.isExecutable(file)) {
      throw new BackupException.Refused(
          PostgresFailure.PROGRAM_MISSING, "start %s: no such program".formatted(file));
    }
    List<String> command = new ArrayList<>(List.of(file.toString()));
    command.addAll(List.of(arguments));
    return command;
  }

  /** Which version of PostgreSQL a program belongs to. */
  public ProgramVersion version(String program) throws IOException {
    Path output = Files.createTempFile("stella-postgres-", ".version");
    try {
      Process process =
          new ProcessBuilder(client(program, "--version"))
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      process.getOutputStream().close();
      awaitVersion(program, process);
      return parse(program, new String(head(output), StandardCharsets.UTF_8));
    } finally {
      Files.deleteIfExists(output);
    }
  }

  /**
   * Makes sure that a program fits to what a server of some version wrote.
   *
   * @param version {@code 17} or {@code 17.11 (Debian …)}
   * @throws BackupException.Refused PROGRAM_MISSING or PROGRAM_VERSION
   */
  public void requireMajor(String program, String version) throws IOException {
    ProgramVersion found = version(program);
    if (!version.split("[^0-9]", 2)[0].equals(Integer.toString(found.major()))) {
      throw new BackupException.Refused(
          PostgresFailure.PROGRAM_VERSION,
          "start %s: expected the programs of PostgreSQL %s, found %s"
              .formatted(programs.directory().resolve(program), version, found));
    }
  }

  /** Whether nothing stands before the programs that could make another user of root. */
  boolean areBare() {
    return programs.launcher().isEmpty();
  }

  private void awaitVersion(String program, Process process) throws BackupException {
    try {
      if (!process.waitFor(TO_TELL_ITS_VERSION.toMillis(), TimeUnit.MILLISECONDS)) {
        throw strange(program, "no answer in " + TO_TELL_ITS_VERSION.toSeconds() + " s");
      }
    } catch (InterruptedException e) {
      throw Interruption.stopped(program + " --version");
    } finally {
      process.destroyForcibly();
    }
  }

  private ProgramVersion parse(String program, String said) throws BackupException.Refused {
    Matcher matcher = VERSION.matcher(said);
    if (!matcher.find()) {
      throw strange(program, "'" + said.strip() + "'");
    }
    return new ProgramVersion(program, matcher.group(1), Integer.parseInt(matcher.group(2)));
  }

  private BackupException.Refused strange(String program, String found) {
    return new BackupException.Refused(
        PostgresFailure.PROGRAM_VERSION,
        "ask %s for its version: expected one of PostgreSQL, found %s"
            .formatted(programs.directory().resolve(program), found));
  }

  private static byte[] head(Path file) throws IOException {
    try (var in = Files.newInputStream(file)) {
      return in.readNBytes(MAX_VERSION_BYTES);
    }
  }
}
