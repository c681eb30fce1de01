package org.stellaops.backup.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job in a JVM of its own: back up, verify, destroy, restore in yet another, compare. */
class QuickstartIT {
  private static final long LIMIT_MINUTES = 10;
  private static final int COMPARED = 11;

  @TempDir Path directory;

  @Test
  void everything_that_was_destroyed_comes_back_and_nothing_is_left_behind() throws Exception {
    Path temporary = Files.createDirectory(directory.resolve("tmp"));
    Path printed = directory.resolve("printed.txt");
    Path errors = directory.resolve("errors.txt");

    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+IgnoreUnrecognizedVMOptions",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.io.tmpdir=" + temporary,
                "-classpath",
                System.getProperty("java.class.path"),
                Quickstart.class.getName())
            .redirectOutput(printed.toFile())
            .redirectError(errors.toFile())
            .start();
    try {
      assertTrue(process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES), "the quickstart hangs");
    } finally {
      process.destroy();
    }

    List<String> lines = Files.readAllLines(printed);
    String all = String.join("\n", lines) + "\n" + Files.readString(errors);
    assertEquals(0, process.exitValue(), all);
    assertEquals("OK: everything came back", lines.get(lines.size() - 1), all);
    assertEquals(COMPARED, lines.stream().filter(line -> line.endsWith("  equal")).count(), all);
    assertEquals("", Files.readString(errors), "what a person should not have to read");
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList());
    }
  }
}
