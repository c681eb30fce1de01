package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A peer program on the PATH. Its absence is a failure: these tests run only where it is promised.
 */
public final class Program {
  private static final long LIMIT_SECONDS = 600;

  private Program() {}

  /** Runs it to its end and returns what it printed. */
  public static String run(Path directory, String... command)
      throws IOException, InterruptedException {
    Path printed = Files.createTempFile(directory, "printed", ".txt");
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    try {
      assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), () -> command[0] + " hangs");
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(printed, StandardCharsets.UTF_8);
    assertEquals(0, process.exitValue(), String.join(" ", command) + "\n" + text);
    return text;
  }
}
