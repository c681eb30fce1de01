package org.stellaops.backup.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;
import org.stellaops.backup.spi.RestoreTarget;

/** The contract of targets on a toy that is broken; the directory holds {@code system}. */
final class BrokenTargetContract extends RestoreTargetContract {
  private final Path directory;
  private final Function<ToyTarget, RestoreTarget> breaking;

  BrokenTargetContract(Path directory, Function<ToyTarget, RestoreTarget> breaking) {
    this.directory = directory;
    this.breaking = breaking;
  }

  @Override
  protected Captured captured() throws IOException {
    return CaptureHarness.of(new ToySource(directory.resolve("system"))).capture();
  }

  @Override
  protected RestoreTarget newEmptyTarget() throws IOException {
    return breaking.apply(new ToyTarget(newPlace()));
  }

  @Override
  protected RestoreTarget newOccupiedTarget() throws IOException {
    Path live = Files.createDirectory(newPlace());
    Files.writeString(live.resolve("other"), "somebody's");
    return breaking.apply(new ToyTarget(live));
  }

  @Override
  protected Object live(RestoreTarget target) throws IOException {
    return Trees.digests(Path.of(target.describe().location()));
  }

  @Override
  protected void assertRestored(RestoreTarget target) throws IOException {
    Trees.assertEqual(directory.resolve("system"), Path.of(target.describe().location()));
  }

  private Path newPlace() throws IOException {
    return Files.createTempDirectory(directory, "target").resolve("live");
  }
}
