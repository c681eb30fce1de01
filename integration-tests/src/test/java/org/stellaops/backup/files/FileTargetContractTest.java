package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreTargetContract;

class FileTargetContractTest extends RestoreTargetContract {
  @TempDir Path temp;

  private Path tree;
  private Captured captured;
  private int targets;

  @BeforeEach
  void fill() throws IOException {
    tree = Files.createDirectory(temp.resolve("tree"));
    Tree.awkward(tree);
    captured = CaptureHarness.of(FileSource.in(tree)).capture();
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
    return FileTarget.at(place());
  }

  @Override
  protected RestoreTarget newOccupiedTarget() throws IOException {
    Path place = place();
    Tree.file(place.resolve("etc/a.yaml"), "live");
    return FileTarget.at(place);
  }

  @Override
  protected Object live(RestoreTarget target) throws IOException {
    Path place = Path.of(target.describe().location());
    if (!Files.exists(place)) {
      return Map.of();
    }
    Map<String, String> live = Tree.of(place);
    live.keySet().removeIf(name -> name.startsWith(FileWalk.STAGING));
    return live;
  }

  @Override
  protected void assertRestored(RestoreTarget target) throws IOException {
    Path place = Path.of(target.describe().location());
    Map<String, String> found = Tree.of(place);
    found.keySet().removeIf(name -> name.startsWith(FileWalk.STAGING));
    Tree.assertEqual(Tree.of(tree), found);
  }
}
