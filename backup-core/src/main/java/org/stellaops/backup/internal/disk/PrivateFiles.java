package org.stellaops.backup.internal.disk;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * Files 0600 and directories 0700 from the instant they exist: the mode is an argument of {@code
 * open} and {@code mkdir}, not a later {@code chmod}. Where the file system knows no modes, its own
 * defaults apply.
 *
 * <p>Writing goes through {@link FileOutputStream}: an interrupt closes a {@link FileChannel} in
 * the middle of a write, but leaves a stream alone.
 */
public final class PrivateFiles {
  private PrivateFiles() {}

  /**
   * Makes one directory.
   *
   * @throws java.nio.file.FileAlreadyExistsException if there is something of this name
   */
  public static void createDirectory(Path directory) throws IOException {
    Files.createDirectory(directory, mode(directory, "rwx------"));
  }

  /**
   * Makes a directory, and those above it of which it is part, unless they are there.
   *
   * @param most how many may be made; what lies above has to be there: whoever took it away may
   *     have had a reason
   */
  public static void createDirectories(Path directory, int most) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    if (most > 1) {
      createDirectories(parent(directory), most - 1);
    }
    try {
      createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      // Another process was first.
    }
  }

  /**
   * Makes one directory for something that is restored into it and says nothing of it: others may
   * look into it as far as the umask allows, and never change what is there.
   *
   * @throws java.nio.file.FileAlreadyExistsException if there is something of this name, also a
   *     symbolic link to a directory
   */
  public static void createShared(Path directory) throws IOException {
    Files.createDirectory(directory, mode(directory, "rwxr-xr-x"));
  }

  /**
   * Makes such a directory and those above it, unless it is there; a symbolic link to one counts.
   */
  public static void createAllShared(Path directory) throws IOException {
    // On its own createDirectories refuses such a link before Java 20, and follows it since.
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory, mode(directory, "rwxr-xr-x"));
    }
  }

  /**
   * Makes a file and opens it for writing. The caller closes; {@code getFD().sync()} makes the
   * bytes durable, {@link #syncDirectory} the name.
   *
   * @throws java.nio.file.FileAlreadyExistsException if there is something of this name, also a
   *     symbolic link to nowhere
   */
  public static FileOutputStream create(Path file) throws IOException {
    Files.createFile(file, mode(file, "rw-------"));
    // Appending: what stands there is ours and empty; nothing may be truncated by mistake.
    return new FileOutputStream(file.toFile(), true);
  }

  /** Makes a whole small file durable under a name that did not exist. */
  public static void create(Path file, byte[] content) throws IOException {
    try (FileOutputStream out = create(file)) {
      out.write(content);
      out.getFD().sync();
    }
    syncDirectory(parent(file));
  }

  /** Makes the names in a directory durable. */
  public static void syncDirectory(Path directory) throws IOException {
    boolean wasInterrupted = Thread.interrupted();
    try {
      while (!force(directory)) {
        wasInterrupted |= Thread.interrupted();
      }
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static boolean force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
      return true;
    } catch (ClosedByInterruptException e) {
      return false;
    }
  }

  /**
   * Moves a file or symbolic link over whatever file has the other name, so that this name never
   * stands for nothing or for half a file; between two file systems by way of a copy beside it.
   *
   * @param unique end of the copy's name
   */
  public static void moveOver(Path from, Path to, String unique) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      Path beside = to.resolveSibling("." + to.getFileName() + unique);
      copy(from, beside);
      Files.move(beside, to, StandardCopyOption.ATOMIC_MOVE);
      Files.delete(from);
    }
  }

  /** Copies a file or symbolic link with its attributes, durably; the copy is private at first. */
  public static void copy(Path from, Path to) throws IOException {
    Files.deleteIfExists(to);
    if (Files.isSymbolicLink(from)) {
      Files.createSymbolicLink(to, Files.readSymbolicLink(from));
      return;
    }
    copyBytes(from, to);
    new AttributeWriter().write(to, new Inspector().inspect(from).attributes());
  }

  /** Copies the bytes of a file to a private one that did not exist, durably. */
  public static void copyBytes(Path from, Path to) throws IOException {
    try (FileOutputStream out = create(to)) {
      Files.copy(from, out);
      out.getFD().sync();
    }
  }

  /**
   * Keeps what stands there under a second name, as it is, for the time when the first name is
   * given to something else: a hard link, or where there are none a copy.
   */
  public static void keep(Path file, Path secondName) throws IOException {
    try {
      Files.createLink(secondName, file);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | IOException e) {
      copy(file, secondName);
    }
  }

  /** Deletes a file, or a directory with everything in it. Follows no link. Absent: nothing. */
  public static void deleteTree(Path path) throws IOException {
    if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      try (var children = Files.newDirectoryStream(path)) {
        for (Path child : children) {
          deleteTree(child);
        }
      }
    }
    try {
      Files.delete(path);
    } catch (NoSuchFileException e) {
      // Somebody else was quicker, which is just as well.
    }
  }

  /**
   * Whether nobody but its owner may read it or look into it. FAT and exFAT keep no modes: there
   * the mount decides. True where there is no telling.
   */
  public static boolean isPrivate(Path path) throws IOException {
    if (!path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      return true;
    }
    Set<PosixFilePermission> others =
        EnumSet.complementOf(
            EnumSet.of(
                PosixFilePermission.OWNER_READ,
                PosixFilePermission.OWNER_WRITE,
                PosixFilePermission.OWNER_EXECUTE));
    others.retainAll(Files.getPosixFilePermissions(path));
    return others.isEmpty();
  }

  /** The directory a path stands in. */
  public static Path parent(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    return parent == null ? path.toAbsolutePath() : parent;
  }

  private static FileAttribute<?>[] mode(Path path, String permissions) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }
}
