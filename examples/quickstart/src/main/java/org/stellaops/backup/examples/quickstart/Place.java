package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Where everything of one installation lies, below one directory.
 *
 * @param root the directory
 */
record Place(Path root) {
  /** An installation that does not exist yet. */
  static Place in(Path root) throws IOException {
    Files.createDirectories(root);
    return new Place(root);
  }

  Path database() {
    return root.resolve("postgres");
  }

  Path locker() {
    return root.resolve("evidence");
  }

  Path etc() {
    return root.resolve("etc");
  }

  Path configuration() {
    return etc().resolve(Settings.CONFIGURATION);
  }

  Path secrets() {
    return root.resolve(".env");
  }

  /** What the backup itself keeps on the host: a key that signs, and a cache. */
  Path writerKey() {
    return root.resolve("writer.key");
  }

  Path workspace() {
    return root.resolve("backup-workspace");
  }

  List<Path> everything() {
    return List.of(database(), locker(), etc(), secrets(), writerKey(), workspace());
  }
}
