package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
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

  /** Of one directory, kept from its listing until their turn comes: some 2 MB. */
  private static final int MOST_STATES = 5000;

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

    /** Whether nothing more need be visited. */
    default boolean hasEnough() {
      return false;
    }
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
    if (visitor.hasEnough() || selection.isExcluded(found.name())) {
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
      if (visitor.hasEnough()) {
        return;
      }
      visitChild(directory, child);
    }
    if (directory.equals(pending.peekLast())) {
      pending.removeLast();
    }
  }

  private static boolean isStaging(Found directory) {
    return String.valueOf(directory.path().getFileName()).startsWith(STAGING);
  }

  private void visitChild(Found directory, Child child) throws IOException {
    Path path = directory.path().resolve(child.fileName());
    String name =
        directory.name().isEmpty() ? child.fileName() : directory.name() + "/" + child.fileName();
    try {
      FileState known = child.state();
      visit(new Found(name, path, known == null ? inspector.look(path) : known));
    } catch (NoSuchFileException e) {
      requireNotRequired(selection, name, path, e);
      visitor.passedOver(wentAway(name));
    } catch (AccessDeniedException e) {
      throw denied(path, e);
    }
  }

  /**
   * Something is not there any more.
   *
   * @throws BackupException.Source REQUIRED_MISSING if it must be
   */
  static void requireNotRequired(
      FileSelection selection, String name, Path path, NoSuchFileException e)
      throws BackupException.Source {
    if (selection.required().contains(name)) {
      throw new BackupException.Source(
          CoreFailure.REQUIRED_MISSING, path + " went away while it was captured", e);
    }
  }

  static Finding wentAway(String name) {
    return new Finding(CoreFailure.NOT_CAPTURED, name, "went away while it was captured");
  }

  static BackupException.Source denied(Path path, AccessDeniedException e) {
    return new BackupException.Source(
        CoreFailure.SOURCE_FAILED,
        "%s cannot be read by this process. hint: give it the right, or exclude the file"
            .formatted(path),
        e);
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

  /**
   * A name in a directory.
   *
   * @param state what stands there, where the directory is small enough to keep it; else it is
   *     looked at again when its turn comes
   */
  private record Child(String fileName, boolean isDirectory, @Nullable FileState state) {
    /** As it is in order: a directory's name ends in a slash. */
    String sortKey() {
      return isDirectory ? fileName + "/" : fileName;
    }
  }

  private List<Child> children(Found directory) throws IOException {
    List<Child> children = new ArrayList<>();
    try (var paths = Files.newDirectoryStream(directory.path())) {
      for (Path path : paths) {
        child(directory, path, children);
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    children.sort((a, b) -> TarMember.BY_BYTES.compare(a.sortKey(), b.sortKey()));
    return children;
  }

  private void child(Found directory, Path path, List<Child> children) throws IOException {
    String fileName = String.valueOf(path.getFileName());
    if (fileName.indexOf('\uFFFD') >= 0) {
      String name = directory.name().isEmpty() ? fileName : directory.name() + "/" + fileName;
      passOver(CoreFailure.LESS_THAN_EXPECTED, name, "not captured, its name is not UTF-8");
      return;
    }
    try {
      FileState state = inspector.look(path);
      boolean isDirectory = state.type() == FileState.Type.DIRECTORY;
      children.add(new Child(fileName, isDirectory, children.size() < MOST_STATES ? state : null));
    } catch (NoSuchFileException | AccessDeniedException e) {
      children.add(new Child(fileName, false, null));
    }
  }
}
