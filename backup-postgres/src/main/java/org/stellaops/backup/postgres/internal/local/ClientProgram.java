package org.stellaops.backup.postgres.internal.local;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresPrograms;
import org.stellaops.backup.spi.Stopping;

/**
 * One run of a program that logs in to a server. It learns the password from a private file that is
 * removed afterwards, and everything else from libpq's environment variables, so that no name is
 * taken for an option. Closing it ends it, whatever it is doing.
 */
public final class ClientProgram implements Closeable {
  private static final int MAX_ERROR_BYTES = 8 << 10;

  private final Path place;
  private final Process process;
  private final Closeable registration;

  private ClientProgram(Path place, Process process, Stopping stopping) {
    this.place = place;
    this.process = process;
    this.registration = stopping.onStop(process::destroyForcibly);
  }

  /** Starts a program of {@code from} that logs in {@code to} a server. */
  public static ClientProgram start(
      PostgresPrograms from,
      PostgresConnection to,
      Stopping stopping,
      String program,
      String... arguments)
      throws IOException {
    List<String> command = new Programs(from).client(program, arguments);
    Path place = Files.createTempDirectory("stella-pg-");
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors(place).toFile());
      builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
      builder.environment().putAll(environment(to, place));
      return new ClientProgram(place, builder.start(), stopping);
    } catch (IOException e) {
      remove(place);
      throw e;
    }
  }

  /** What the program writes. */
  public InputStream output() {
    return process.getInputStream();
  }

  /** What the program reads. */
  public OutputStream input() {
    return process.getOutputStream();
  }

  /** Waits until it has ended. */
  public ProgramEnd await() throws IOException {
    try {
      return new ProgramEnd(process.waitFor(), tail(errors(place)));
    } catch (InterruptedException e) {
      throw Interruption.stopped("wait for a program");
    }
  }

  @Override
  public void close() throws IOException {
    registration.close();
    process.destroyForcibly();
    remove(place);
  }

  private static Map<String, String> environment(PostgresConnection to, Path place)
      throws IOException {
    Map<String, String> environment = new HashMap<>();
    environment.put("PGHOST", to.socketDirectory().map(Path::toString).orElse(to.host()));
    environment.put("PGPORT", Integer.toString(to.port()));
    environment.put("PGUSER", to.user());
    environment.put("PGDATABASE", to.database());
    environment.put("PGSSLMODE", to.sslMode().text());
    environment.put("PGCHANNELBINDING", to.channelBinding().text());
    environment.put("PGGSSENCMODE", "disable");
    environment.put("PGAPPNAME", "stella-backup");
    environment.put("PGCONNECT_TIMEOUT", "15");
    environment.put("PGPASSFILE", password(to, place).toString());
    environment.put("LC_ALL", "C");
    to.sslRootCert().ifPresent(file -> environment.put("PGSSLROOTCERT", file.toString()));
    to.sslCert().ifPresent(file -> environment.put("PGSSLCERT", file.toString()));
    to.sslKey().ifPresent(file -> environment.put("PGSSLKEY", file.toString()));
    return environment;
  }

  /** As the documentation's "The Password File" wants it: backslash and colon are escaped. */
  private static Path password(PostgresConnection to, Path place) throws IOException {
    Path file =
        Files.createFile(
            place.resolve("password"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Secret password = to.password().get();
    if (password.length() > 0) {
      byte[] line = password.use(ClientProgram::passwordLine);
      try {
        Files.write(file, line);
      } finally {
        Arrays.fill(line, (byte) 0);
      }
    }
    return file;
  }

  private static byte[] passwordLine(char[] password) {
    char[] escaped = new char[2 * password.length];
    int length = 0;
    for (char c : password) {
      if (c == ':' || c == '\\') {
        escaped[length++] = '\\';
      }
      escaped[length++] = c;
    }
    CharsetEncoder encoder = StandardCharsets.UTF_8.newEncoder();
    ByteBuffer bytes = ByteBuffer.allocate((int) (length * encoder.maxBytesPerChar()));
    encoder.encode(CharBuffer.wrap(escaped, 0, length), bytes, true);
    bytes.flip();
    byte[] prefix = "*:*:*:*:".getBytes(StandardCharsets.US_ASCII);
    byte[] line = Arrays.copyOf(prefix, prefix.length + bytes.remaining());
    bytes.get(line, prefix.length, bytes.remaining());
    Arrays.fill(escaped, '\0');
    Arrays.fill(bytes.array(), (byte) 0);
    return line;
  }

  private static Path errors(Path place) {
    return place.resolve("errors");
  }

  private static String tail(Path file) throws IOException {
    try (RandomAccessFile errors = new RandomAccessFile(file.toFile(), "r")) {
      long skipped = Math.max(0, errors.length() - MAX_ERROR_BYTES);
      byte[] bytes = new byte[(int) Math.min(MAX_ERROR_BYTES, errors.length() - skipped)];
      errors.seek(skipped);
      errors.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8).strip().replaceAll("\\s*\n\\s*", " | ");
    }
  }

  private static void remove(Path place) throws IOException {
    Files.deleteIfExists(place.resolve("password"));
    Files.deleteIfExists(errors(place));
    Files.deleteIfExists(place);
  }
}
