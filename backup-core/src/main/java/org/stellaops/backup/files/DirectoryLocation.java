package org.stellaops.backup.files;

import java.nio.file.Path;
import java.util.Set;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreContext;

/** Any directory as a place of objects that are only read; its files need not be a repository. */
public final class DirectoryLocation implements ObjectLocation {
  private final Path root;

  private DirectoryLocation(Path root) {
    this.root = root;
  }

  /** The files below {@code directory}. */
  public static DirectoryLocation at(Path directory) {
    return new DirectoryLocation(directory.toAbsolutePath().normalize());
  }

  @Override
  public String describe() {
    return root.toString();
  }

  @Override
  public ReadableStore open(StoreContext context) {
    return new DirectoryReader(root, Set.of());
  }

  @Override
  public String toString() {
    return "DirectoryLocation " + root;
  }
}
