package org.stellaops.backup.secrets;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreTargetContract;

class SecretTargetContractTest extends RestoreTargetContract {
  private static final String TEXT = "A='x y'\nB=z\n";

  @TempDir Path temp;

  private Captured captured;
  private int targets;

  @BeforeEach
  void fill() throws IOException {
    Path file = Files.writeString(temp.resolve("source.env"), TEXT);
    captured = CaptureHarness.of(SecretSource.dotenv(file)).capture();
  }

  @Override
  protected Captured captured() {
    return captured;
  }

  private Path place() throws IOException {
    return Files.createDirectory(temp.resolve("target-" + targets++)).resolve(".env");
  }

  @Override
  protected RestoreTarget newEmptyTarget() throws IOException {
    return SecretTarget.dotenv(place());
  }

  /** Other names in the file are kept beside ours; what is no dotenv file is refused. */
  @Override
  protected RestoreTarget newOccupiedTarget() throws IOException {
    return SecretTarget.dotenv(Files.writeString(place(), "no dotenv file"));
  }

  @Override
  protected Object live(RestoreTarget target) throws IOException {
    Path file = Path.of(target.describe().location());
    return Files.exists(file) ? Files.readString(file) : "absent";
  }

  @Override
  protected void assertRestored(RestoreTarget target) throws IOException {
    assertEquals(TEXT, live(target));
  }
}
