package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.internal.disk.PrivateFiles;

/**
 * Takes back what the journal of a restore says was done, by this process or one that was killed.
 */
final class FileRollBack {
  private final Path root;
  private final StagingPlaces places;
  private final Destination destination;

  FileRollBack(Path root, StagingPlaces places) {
    this.root = root;
    this.places = places;
    this.destination = new Destination(root);
  }

  /** Nothing happens where nothing was staged, or all of it has been taken back. */
  void run() throws IOException {
    if (!places.isThere()) {
      return;
    }
    List<Path> made = new ArrayList<>();
    RestoreJournal.read(places.journal(), entry -> undo(entry, made));
    for (int i = made.size() - 1; i >= 0; i--) {
      deleteIfEmpty(made.get(i));
    }
    boolean isRootMade = Files.exists(places.rootMade(), LinkOption.NOFOLLOW_LINKS);
    PrivateFiles.deleteTree(places.directory());
    if (isRootMade) {
      deleteIfEmpty(root);
    }
  }

  private void undo(RestoreJournal.Entry entry, List<Path> made) throws IOException {
    Path place = destination.resolve(entry.name());
    switch (entry.act()) {
      case DIRECTORY -> {
        openUp(place);
        made.add(place);
      }
      case MADE -> {
        if (isOurs(place, places.staged(entry.number()))) {
          Files.deleteIfExists(place);
        }
      }
      case KEPT -> {
        if (Files.exists(places.kept(entry.number()), LinkOption.NOFOLLOW_LINKS)) {
          PrivateFiles.moveOver(places.kept(entry.number()), place, places.suffix());
        }
      }
    }
  }

  /**
   * A directory that was made without the right to write gets it back, so that it can be emptied.
   */
  private static void openUp(Path directory) throws IOException {
    if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
        && directory.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      Files.setAttribute(directory, "unix:mode", 0700);
    }
  }

  /** What is still staged was not put there, unless it has both names. */
  private static boolean isOurs(Path place, Path staged) throws IOException {
    if (!Files.exists(staged, LinkOption.NOFOLLOW_LINKS)) {
      return true;
    }
    try {
      var here = Files.readAttributes(place, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      var there =
          Files.readAttributes(staged, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return here.fileKey() != null && here.fileKey().equals(there.fileKey());
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static void deleteIfEmpty(Path directory) throws IOException {
    try {
      Files.deleteIfExists(directory);
    } catch (DirectoryNotEmptyException e) {
      // Somebody else put something there meanwhile; that is not ours to remove.
    }
  }
}
