package org.stellaops.backup.engine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a process makes is its owner's alone from the first moment, even under umask 000; but for
 * the directory that files are restored into, which others may list.
 */
class UmaskIT {
  @TempDir Path directory;

  @Test
  void no_file_is_ever_open_to_others() throws Exception {
    Path root = Files.createDirectory(directory.resolve("root"));
    Path tree = Files.createDirectory(root.resolve("tree"));
    Files.writeString(tree.resolve(".env"), "PASSWORD=secret\n");
    Files.writeString(tree.resolve("app.yaml"), "a: 1\n");
    Files.write(tree.resolve("gone"), Fixture.random(2, 100));
    Files.write(tree.resolve("large"), Fixture.random(1, 5 << 20));
    Path evidence = Files.createDirectory(root.resolve("evidence"));
    Files.writeString(evidence.resolve("statement.json"), "{}");
    makePrivate(root);
    Path errors = directory.resolve("errors");

    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "umask 000; exec \"$0\" \"$@\"",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=off",
                "-cp",
                System.getProperty("java.class.path"),
                UnderUmaskZero.class.getName(),
                root.toString())
            .redirectError(errors.toFile())
            .start();
    String open = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertEquals(0, process.waitFor(), Files.readString(errors));
    assertEquals("restored rwxr-xr-x", open.strip());
    for (String made :
        List.of(
            "owner.txt",
            "writer.key",
            "repository/log",
            "workspace",
            "restored/large",
            "restored.env",
            "locker/statement.json")) {
      assertTrue(Files.exists(root.resolve(made)), made);
    }
  }

  private static void makePrivate(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.toList()) {
        String mode = Files.isDirectory(path) ? "rwx------" : "rw-------";
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
      }
    }
  }
}
