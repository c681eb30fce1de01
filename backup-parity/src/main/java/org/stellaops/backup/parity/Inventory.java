package org.stellaops.backup.parity;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.stellaops.backup.model.Finding;

/**
 * The files of the repository that are there.
 *
 * @param sizes size of each, by name
 * @param ignored what stands among them and is none of them
 */
record Inventory(NavigableMap<String, Long> sizes, List<Finding> ignored) {
  private static final List<String> FOLDERS = List.of("keys", "log", "w");
  private static final List<String> FILES = List.of("FORMAT.txt", "recover.sh", "repository.json");

  static Inventory of(Medium medium) throws IOException {
    Inventory inventory = new Inventory(new TreeMap<>(), new ArrayList<>());
    for (String name : FILES) {
      Path file = medium.root().resolve(name);
      if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
        inventory.add(name, Files.size(file), true);
      }
    }
    for (String folder : FOLDERS) {
      Path start = medium.root().resolve(folder);
      if (Files.isDirectory(start, LinkOption.NOFOLLOW_LINKS)) {
        inventory.walk(medium, start);
      }
    }
    return inventory;
  }

  private void walk(Medium medium, Path start) throws IOException {
    try {
      Files.walkFileTree(
          start,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes is) {
              String name = medium.root().relativize(file).toString().replace('\\', '/');
              add(name, is.size(), is.isRegularFile());
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
              if (e instanceof NoSuchFileException || !Medium.isDenied(e)) {
                return FileVisitResult.CONTINUE;
              }
              throw e;
            }
          });
    } catch (IOException e) {
      throw medium.failure("list " + medium.root().relativize(start), e);
    }
  }

  private void add(String name, long bytes, boolean isFile) {
    if (isFile && FileName.isProtected(name)) {
      sizes.put(name, bytes);
    } else {
      ignored.add(
          new Finding(
              ParityFailure.IGNORED,
              name,
              isFile ? "has no name of a repository's file" : "is not a regular file"));
    }
  }
}
