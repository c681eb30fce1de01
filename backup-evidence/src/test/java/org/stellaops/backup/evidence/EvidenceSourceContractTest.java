package org.stellaops.backup.evidence;

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

class EvidenceSourceContractTest extends BackupSourceContract {
  @TempDir Path temp;

  private Path locker;

  @BeforeEach
  void fill() throws IOException {
    locker = new Locker(temp.resolve("locker"), 3).add(20).root();
  }

  @Override
  protected BackupSource newSource() {
    return EvidenceSource.directory(locker);
  }

  @Override
  protected BackupSource newSourceOfNothing() {
    return EvidenceSource.directory(temp.resolve("absent"));
  }

  @Override
  protected void assertRestores(Captured captured) throws Exception {
    Path out = Files.createTempDirectory(temp, "out");
    RestoreHarness.of(EvidenceTarget.directory(out), captured).restore();
    assertEquals(Locker.contents(locker), Locker.contents(out));
  }
}
