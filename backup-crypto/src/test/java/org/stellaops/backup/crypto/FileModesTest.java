package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileModesTest {
  @TempDir Path directory;
  @TempDir Path outside;

  @Test
  void what_holds_secrets_is_its_owners_alone_whatever_the_umask() throws Exception {
    // a newer JVM warns on its standard error of libraries with native code
    Path errors = outside.resolve("errors");
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "umask 000; exec \"$0\" \"$@\"",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                UnderUmaskZero.class.getName(),
                directory.toString())
            .redirectError(errors.toFile())
            .start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertEquals(0, process.waitFor(), () -> output + read(errors));
    assertEquals(
        List.of(
            "temporary rw-------",
            "a-usual-file rw-rw-rw-",
            "again rw-------",
            "identity.age rw-------",
            "identity.txt rw-------",
            "plain rw-rw-rw-",
            "sealed.age rw-------",
            "writer.key rw-------"),
        output.lines().toList());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
