package org.stellaops.backup.secrets;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.testkit.BackupSourceContract;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

class SecretSourceContractTest extends BackupSourceContract {
  private static final String TEXT = "export A='x y'\nB=\"z\"\n";

  @TempDir Path temp;

  private Path file;

  @BeforeEach
  void fill() throws IOException {
    file = Files.writeString(temp.resolve(".env"), TEXT);
  }

  @Override
  protected BackupSource newSource() {
    return SecretSource.dotenv(file, "A", "B");
  }

  @Override
  protected BackupSource newSourceOfNothing() {
    return SecretSource.dotenv(temp.resolve("absent"), "A", "B");
  }

  @Override
  protected void assertRestores(Captured captured) throws Exception {
    Path out = Files.createTempDirectory(temp, "out").resolve(".env");
    RestoreHarness.of(SecretTarget.dotenv(out), captured).restore();
    assertEquals(TEXT, Files.readString(out));
  }
}
