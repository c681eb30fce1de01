package org.stellaops.backup.files;

import java.nio.file.Path;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

/**
 * A directory as a store of objects; the name of an object is its path below the directory.
 *
 * <p>Files are created 0600 and directories 0700. An object is written to {@code tmp/}, made
 * durable, and then linked to its name with {@code link(2)}, which exactly one of several processes
 * can do; so the file system must know hard links. The first put makes the directory, but not the
 * one it stands in: a volume that is not mounted is an error, not an empty store.
 */
public final class DirectorySink implements BackupSink {
  private final Path root;

  private DirectorySink(Path root) {
    this.root = root;
  }

  /** The store in {@code directory}, which need not exist yet; what it stands in must. */
  public static DirectorySink at(Path directory) {
    return new DirectorySink(directory.toAbsolutePath().normalize());
  }

  @Override
  public String describe() {
    return root.toString();
  }

  @Override
  public ObjectStore open(StoreContext context) {
    return new DirectoryStore(root, context.stopping());
  }

  @Override
  public String toString() {
    return "DirectorySink " + root;
  }
}
