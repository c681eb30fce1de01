package org.stellaops.backup.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The files that this process has open, as Linux shows them in {@code /proc/self/fd} (proc(5)).
 * Elsewhere nothing is known, and nothing is found.
 */
public final class OpenFiles {
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

  private OpenFiles() {}

  /**
   * Fails if a file at any depth below {@code directory} is open, deleted or not.
   *
   * @throws AssertionError that names each of them
   */
  public static void assertNoneBelow(Path directory) throws IOException {
    List<Path> open = below(directory);
    if (!open.isEmpty()) {
      throw new AssertionError("left open: " + open);
    }
  }

  /** The open files below {@code directory}. */
  public static List<Path> below(Path directory) throws IOException {
    Path real = directory.toRealPath();
    List<Path> found = new ArrayList<>();
    for (Path link : descriptors()) {
      Path file = target(link);
      if (file.startsWith(real)) {
        found.add(file);
      }
    }
    return found;
  }

  private static List<Path> descriptors() throws IOException {
    if (!Files.isDirectory(DESCRIPTORS)) {
      return List.of();
    }
    try (Stream<Path> links = Files.list(DESCRIPTORS)) {
      return links.toList();
    }
  }

  /** Where a descriptor leads; to itself once it is closed, as the one that listed them is. */
  private static Path target(Path link) {
    try {
      return Files.readSymbolicLink(link);
    } catch (IOException e) {
      return link;
    }
  }
}
