package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class OpenFilesTest {
  @TempDir Path directory;

  @Test
  void an_open_file_is_named_until_it_is_closed() throws IOException {
    Path file = Files.createFile(directory.resolve("f"));
    try (InputStream in = Files.newInputStream(file)) {
      assertEquals(-1, in.read());
      assertEquals(List.of(file.toRealPath()), OpenFiles.below(directory));
      assertThrows(AssertionError.class, () -> OpenFiles.assertNoneBelow(directory));
    }
    OpenFiles.assertNoneBelow(directory);
  }
}
