package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.stellaops.backup.internal.disk.FileState;
import org.stellaops.backup.internal.disk.Inspector;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.Stopping;

/**
 * Visits what a selection selects, in the order of the bytes of the names, directories before what
 * is in them. Holds the names of one directory per level. Follows no link, except the one that a
 * start of the selection may be: who names a file wants its bytes.
 */
final class FileWalk {
  /** What {@link FileTarget} stages into; what a crash left of it is no configuration. */
  static final String STAGING = ".stella-restore-";

  private final FileSelection selection;
  private final Stopping stopping;
  private final Visitor visitor;
  private final Inspector inspector = new Inspector();

  /** Directories on the way that are visited once something in them is. */
  private final Deque<Found> pending = new ArrayDeque<>();

  FileWalk(FileSelection selection, Stopping stopping, Visitor visitor) {
    this.selection = selection;
    this.stopping = stopping;
    this.visitor = visitor;
  }

  /** Hears what is there. */
  interface Visitor {
    /** A directory, file or symbolic link. */
    void found(Found it) throws IOException;

    /** Something that is selected and cannot be captured. */
    void passedOver(Finding why) throws IOException;
  }

  /**
   * Something that stands there.
   *
   * @param name in the archive
   * @param path where it is read
   * @param state as it was looked at; without extended attributes
   */
  record Found(String name, Path path, FileState state) {}

  void run() throws IOException {
    List<Found> starts = new ArrayList<>();
    for (String name : selection.starts()) {
      start(name, starts);
    }
    starts.sort((a, b) -> TarMember.BY_BYTES.compare(sortKey(a), sortKey(b)));
    for (Found start : starts) {
      visit(start);
    }
  }

  private void start(String name, List<Found> starts) throws IOException {
    Path path = selection.base().resolve(name);
    try {
      Path followed = Files.isSymbolicLink(path) ? path.toRealPath() : path;
      starts.add(new Found(name, followed, inspector.look(followed)));
    } catch (NoSuchFileException e) {
      // Optional, or the check of the selection has already failed.
    }
  }

  private static String sortKey(Found found) {
    return found.state().type() == FileState.Type.DIRECTORY ? found.name() + "/" : found.name();
  }

  private void visit(Found found) throws IOException {
    stopping.check();
    if (selection.isExcluded(found.name())) {
      return;
    }
    if (found.state().type() == FileState.Type.DIRECTORY) {
      visitDirectory(found);
    } else if (selection.isIncluded(found.name())) {
      if (found.state().type() == FileState.Type.OTHER) {
        passOver(CoreFailure.NOT_CAPTURED, found.name(), "a socket, pipe or device");
      } else {
        reach(found);
      }
    }
  }

  private void visitDirectory(Found directory) throws IOException {
    if (isStaging(directory)) {
      passOver(CoreFailure.NOT_CAPTURED, directory.name(), "what an unfinished restore staged");
      return;
    }
    if (!directory.name().isEmpty()) {
      pending.addLast(directory);
    }
    if (selection.isIncluded(directory.name())) {
      reachPending();
    }
    for (Child child : children(directory)) {
      visitChild(child);
    }
    if (directory.equals(pending.peekLast())) {
      pending.removeLast();
    }
  }

  private static boolean isStaging(Found directory) {
    return String.valueOf(directory.path().getFileName()).startsWith(STAGING);
  }

  private void visitChild(Child child) throws IOException {
    try {
      visit(new Found(child.name(), child.path(), inspector.look(child.path())));
    } catch (NoSuchFileException e) {
      if (selection.required().contains(child.name())) {
        throw new BackupException.Source(
            CoreFailure.REQUIRED_MISSING, child.path() + " went away while it was captured", e);
      }
      passOver(CoreFailure.NOT_CAPTURED, child.name(), "went away while it was captured");
    } catch (AccessDeniedException e) {
      throw new BackupException.Source(
          CoreFailure.SOURCE_FAILED,
          "%s cannot be read by this process. hint: give it the right, or exclude the file"
              .formatted(child.path()),
          e);
    }
  }

  private void passOver(FailureCode code, String name, String why) throws IOException {
    visitor.passedOver(new Finding(code, name, why));
  }

  private void reach(Found found) throws IOException {
    reachPending();
    visitor.found(found);
  }

  private void reachPending() throws IOException {
    for (Found directory = pending.pollFirst();
        directory != null;
        directory = pending.pollFirst()) {
      visitor.found(directory);
    }
  }

  /** A name in a directory; what stands there is looked at when its turn comes. */
  private record Child(String name, Path path, String sortKey) {}

  private List<Child> children(Found directory) throws IOException {
    List<Child> children = new ArrayList<>();
    String before = directory.name().isEmpty() ? "" : directory.name() + "/";
    try (var paths = Files.newDirectoryStream(directory.path())) {
      for (Path path : paths) {
        String name = before + path.getFileName();
        if (name.indexOf('\uFFFD') >= 0) {
          passOver(CoreFailure.LESS_THAN_EXPECTED, name, "not captured, its name is not UTF-8");
        } else {
          boolean isDirectory = Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
          children.add(new Child(name, path, isDirectory ? name + "/" : name));
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    children.sort((a, b) -> TarMember.BY_BYTES.compare(a.sortKey(), b.sortKey()));
    return children;
  }
}
