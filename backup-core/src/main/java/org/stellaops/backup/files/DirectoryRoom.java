package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.spi.StoreAbility;

/** How full the file system is that a directory is on, or will be. */
record DirectoryRoom(Path root) implements StoreAbility.Capacity {
  @Override
  public OptionalLong freeBytes() throws IOException {
    return asked(FileStore::getUsableSpace);
  }

  @Override
  public OptionalLong totalBytes() throws IOException {
    return asked(FileStore::getTotalSpace);
  }

  /** What a file system can be asked. */
  @FunctionalInterface
  private interface Question {
    long of(FileStore files) throws IOException;
  }

  private OptionalLong asked(Question question) throws IOException {
    Path there = Files.isDirectory(root) ? root : PrivateFiles.parent(root);
    try {
      return OptionalLong.of(question.of(Files.getFileStore(there)));
    } catch (NoSuchFileException e) {
      return OptionalLong.empty();
    }
  }
}
