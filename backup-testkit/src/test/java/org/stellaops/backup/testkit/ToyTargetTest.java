package org.stellaops.backup.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.RestoreTarget;

class ToyTargetTest extends RestoreTargetContract {
  @TempDir Path directory;
  private int targets;

  @BeforeEach
  void write() throws IOException {
    Files.createDirectory(directory.resolve("system"));
    Files.write(directory.resolve("system/large"), SeededBytes.of(1, 100_000));
    Files.write(directory.resolve("system/small"), SeededBytes.of(2, 10));
    Files.createFile(directory.resolve("system/empty"));
  }

  @Override
  protected Captured captured() throws IOException {
    return CaptureHarness.of(new ToySource(directory.resolve("system"))).capture();
  }

  @Override
  protected RestoreTarget newEmptyTarget() {
    return new ToyTarget(directory.resolve("live-" + targets++));
  }

  @Override
  protected RestoreTarget newOccupiedTarget() throws IOException {
    Path live = directory.resolve("live-" + targets++);
    Files.createDirectory(live);
    Files.writeString(live.resolve("other"), "somebody's");
    return new ToyTarget(live);
  }

  @Override
  protected Object live(RestoreTarget target) throws IOException {
    return Trees.digests(((ToyTarget) target).live());
  }

  @Override
  protected void assertRestored(RestoreTarget target) throws IOException {
    Trees.assertEqual(directory.resolve("system"), ((ToyTarget) target).live());
  }
}
