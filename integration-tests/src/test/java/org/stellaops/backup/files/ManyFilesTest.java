package org.stellaops.backup.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** As many files as a busy system has. */
@Tag("soak")
class ManyFilesTest {
  private static final int DIRECTORIES = 100;
  private static final int FILES = 1000;

  @TempDir Path temp;

  @Test
  void a_hundred_thousand_files_come_back() throws Exception {
    Path tree = fill(temp.resolve("tree"));
    Path artifacts = Files.createDirectory(temp.resolve("artifacts"));
    Captured captured = CaptureHarness.of(FileSource.in(tree)).spoolTo(artifacts).capture();
    RestoreHarness.of(FileTarget.at(temp.resolve("out")), captured).restore();

    assertEquals(DIRECTORIES * FILES, captured.source().inventory().get(0).count());
    Tree.assertEqual(Tree.of(tree), Tree.of(temp.resolve("out")));
  }

  private static Path fill(Path tree) throws IOException {
    for (int d = 0; d < DIRECTORIES; d++) {
      Path directory = Files.createDirectories(tree.resolve("d" + d));
      for (int f = 0; f < FILES; f++) {
        Files.writeString(directory.resolve("f" + f), d + "/" + f);
      }
    }
    return tree;
  }
}
