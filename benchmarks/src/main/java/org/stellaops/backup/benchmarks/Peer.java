package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;

/** A tool that keeps one tree in one repository of its own. */
interface Peer extends AutoCloseable {
  /** As it stands in the table. */
  String name();

  /** Where it stores. */
  Path repository();

  /** Backs the whole tree up, reading every byte whatever the times of its files say. */
  Command.Took backUp(Path tree) throws IOException, InterruptedException;

  /** Restores the newest backup below an empty directory; returns how long it took. */
  Command.Took restoreTo(Path directory) throws IOException, InterruptedException;

  /** Where in that directory the tree is then. */
  default Path restored(Path directory, Path tree) {
    return directory.resolve(tree.getRoot().relativize(tree));
  }

  @Override
  default void close() throws IOException {}
}
