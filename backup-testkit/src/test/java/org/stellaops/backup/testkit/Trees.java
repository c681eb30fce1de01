package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.stellaops.backup.model.Digest;

/** Compares directories. */
final class Trees {
  private Trees() {}

  static void assertEqual(Path expected, Path found) throws IOException {
    assertEquals(digests(expected), digests(found));
  }

  /** Digest of each file by its path; empty where nothing is. */
  static Map<String, Digest> digests(Path directory) throws IOException {
    Map<String, Digest> digests = new TreeMap<>();
    if (Files.exists(directory)) {
      try (Stream<Path> paths = Files.walk(directory)) {
        for (Path path : paths.filter(Files::isRegularFile).toList()) {
          String name = directory.relativize(path).toString();
          digests.put(name, Digest.ofContent(Files.readAllBytes(path)));
        }
      }
    }
    return digests;
  }
}
