package org.stellaops.backup.postgres.internal.restore;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RunId;

/**
 * A directory that is filled beside its place, and then renamed into it.
 *
 * @param place where it will be; absent or empty until then
 * @param staging its neighbour, on the same file system
 */
record StagedDirectory(Path place, Path staging) {
  static StagedDirectory of(Path place, RunId run) {
    return new StagedDirectory(place, beside(place, run));
  }

  /** Where what belongs to {@code place} is staged by this run. */
  static Path beside(Path place, RunId run) {
    return place.resolveSibling(place.getFileName() + ".staging-" + run);
  }

  /** Begins afresh; what an earlier attempt of the same run left is removed. */
  void begin() throws IOException {
    requireVacant();
    Directories.remove(staging);
    Directories.create(staging);
  }

  /** Whether it is filled, or being filled, and not yet in its place. */
  boolean isStaged() {
    return Files.isDirectory(staging, LinkOption.NOFOLLOW_LINKS);
  }

  /** Moves it into its place. The rename is refused by the file system if something is there. */
  void publish() throws IOException {
    requireVacant();
    try {
      Files.move(staging, place, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw new BackupException.Target(
          CoreFailure.TARGET_FAILED,
          "rename %s to %s: not on one file system".formatted(staging, place),
          e);
    }
    Directories.syncNames(Directories.above(place));
  }

  /** Takes it out of its place and removes it. */
  void unpublish() throws IOException {
    Files.move(place, staging, StandardCopyOption.ATOMIC_MOVE);
    Directories.remove(staging);
  }

  private void requireVacant() throws IOException {
    if (!Directories.isVacant(place)) {
      throw new BackupException.Target(
          CoreFailure.TARGET_NOT_EMPTY, place + " is not empty any more");
    }
  }
}
