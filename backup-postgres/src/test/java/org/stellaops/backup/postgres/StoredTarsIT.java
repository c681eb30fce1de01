package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.fixture.PostgresTools;
import org.stellaops.backup.testkit.CaptureHarness;

/** {@code pg_verifybackup} 18 reads tars, and so what we store as it lies there. */
@Tag("interop")
class StoredTarsIT {
  private static final int MAJOR = 18;

  @TempDir Path directory;

  private final PostgresTools tools = new PostgresTools(MAJOR);
  private Path stored;

  @BeforeEach
  void capture() throws Exception {
    stored = directory.resolve("captured");
    Path space = Files.createDirectory(directory.resolve("space"));
    try (PostgresServer server = PostgresServer.start(MAJOR, directory.resolve("data"))) {
      Clusters.execute(
          server,
          "CREATE TABLESPACE far LOCATION '" + space + "'",
          "CREATE TABLE t TABLESPACE far AS SELECT 'a needle in a page' AS what");
      CaptureHarness.of(PostgresSource.physical(server.connection())).spoolTo(stored).capture();
      Files.writeString(directory.resolve("oid"), tablespace(server));
    }
  }

  @Test
  void pg_verifybackup_accepts_the_tars_as_they_are_stored() throws Exception {
    assertEquals("backup successfully verified", verify().text());
  }

  @Test
  void pg_verifybackup_finds_what_was_changed_in_a_tar() throws Exception {
    Path tar = stored.resolve(Files.readString(directory.resolve("oid")) + ".tar");
    long at = Clusters.find(tar, "a needle".getBytes(StandardCharsets.US_ASCII));
    try (FileChannel file = FileChannel.open(tar, StandardOpenOption.WRITE)) {
      file.write(ByteBuffer.wrap(new byte[] {'A'}), at);
    }

    PostgresTools.Result result = verify();

    assertEquals(1, result.exit());
    assertTrue(result.text().contains("checksum mismatch"), result::text);
  }

  /** WAL in tars is nothing that it parses. */
  private PostgresTools.Result verify() throws Exception {
    return tools.attempt("pg_verifybackup", "--format=tar", "--no-parse-wal", stored);
  }

  private static String tablespace(PostgresServer server) throws Exception {
    return Clusters.single(server, "SELECT oid FROM pg_tablespace WHERE spcname = 'far'");
  }
}
