package org.stellaops.backup.evidence;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestoreTargetContract;

class EvidenceTargetContractTest extends RestoreTargetContract {
  @TempDir Path temp;

  private Locker locker;
  private Captured captured;
  private int targets;

  @BeforeEach
  void fill() throws IOException {
    locker = new Locker(temp.resolve("locker"), 4).add(10);
    captured = CaptureHarness.of(EvidenceSource.directory(locker.root())).capture();
  }

  @Override
  protected Captured captured() {
    return captured;
  }

  private Path place() {
    return temp.resolve("target-" + targets++);
  }

  @Override
  protected RestoreTarget newEmptyTarget() {
    return EvidenceTarget.directory(place());
  }

  @Override
  protected RestoreTarget newOccupiedTarget() throws IOException {
    Path place = place();
    new Locker(place, 4).write(locker.name(locker.objects().get(3)), "other bytes");
    return EvidenceTarget.directory(place);
  }

  @Override
  protected Object live(RestoreTarget target) throws IOException {
    Path place = Path.of(target.describe().location());
    return Files.exists(place) ? Locker.contents(place) : Map.of();
  }

  @Override
  protected void assertRestored(RestoreTarget target) throws IOException {
    assertEquals(Locker.contents(locker.root()), live(target));
  }

  @Override
  protected RestoreHarness harness(RestoreTarget target) {
    return RestoreHarness.of(target, captured);
  }
}
