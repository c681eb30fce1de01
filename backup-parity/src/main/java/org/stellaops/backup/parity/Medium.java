package org.stellaops.backup.parity;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/**
 * The directory with the repository. Everything that changes it passes here: a file is written
 * under a temporary name in {@code parity/}, becomes durable, and takes its name by {@code rename},
 * which is durable before anything else is done.
 */
final class Medium {
  private static final String TEMPORARY = ".tmp";
  private static final String LOCK = "lock";

  private final Path root;
  private final Path parity;
  private final Steps steps;
  private final SecureRandom random = new SecureRandom();

  Medium(Path root, Steps steps) {
    this.root = root;
    this.parity = root.resolve(FileName.PARITY);
    this.steps = steps;
  }

  Path root() {
    return root;
  }

  Path parity() {
    return parity;
  }

  /** Refuses a directory that holds neither a repository nor parity: it may not be mounted. */
  void requireRepository() throws BackupException {
    if (!Files.isRegularFile(root.resolve("repository.json")) && !Files.isDirectory(parity)) {
      throw new BackupException.Refused(
          CoreFailure.NOT_A_REPOSITORY,
          "%s holds neither repository.json nor parity/. hint: is the medium mounted?"
              .formatted(root));
    }
  }

  /** Where a file of this name is, or would be; on the way there is no symbolic link. */
  Path resolve(String name) throws BackupException.Sink {
    Path at = root;
    for (String segment : name.split("/", -1)) {
      at = at.resolve(segment);
      if (Files.isSymbolicLink(at)) {
        throw new BackupException.Sink(
            CoreFailure.NAME_REFUSED,
            Reason.REFUSED,
            "%s is a symbolic link, which a repository never holds".formatted(at));
      }
    }
    return at;
  }

  /** Makes {@code parity/} and keeps others out of it until the lock is closed. */
  Lock lock() throws IOException {
    try {
      if (!Files.isDirectory(parity, LinkOption.NOFOLLOW_LINKS)) {
        steps.before("make parity/");
        PrivateFiles.createDirectory(parity);
        PrivateFiles.syncDirectory(root);
      }
      Path file = parity.resolve(LOCK);
      if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        PrivateFiles.create(file).close();
      }
      return new Lock(new FileOutputStream(file.toFile(), true));
    } catch (IOException e) {
      throw failure("lock parity/", e);
    }
  }

  /** The files in {@code parity/}, sorted. */
  List<Path> listParity() throws IOException {
    List<Path> files = new ArrayList<>();
    if (Files.isDirectory(parity, LinkOption.NOFOLLOW_LINKS)) {
      try (DirectoryStream<Path> children = Files.newDirectoryStream(parity)) {
        children.forEach(files::add);
      }
    }
    files.sort(null);
    return files;
  }

  /** A new empty file, 0600. */
  Path temporary() throws IOException {
    steps.before("make a temporary file");
    byte[] name = new byte[12];
    random.nextBytes(name);
    Path file = parity.resolve(HexFormat.of().formatHex(name) + TEMPORARY);
    try {
      PrivateFiles.create(file).close();
    } catch (IOException e) {
      throw failure("make " + file.getFileName(), e);
    }
    return file;
  }

  /** Makes the bytes durable. */
  void sync(RandomAccessFile file) throws IOException {
    steps.before("sync a temporary file");
    file.getFD().sync();
  }

  /** Gives a whole and durable file its name, in place of whatever file has it. */
  void publish(Path temporary, Path to) throws IOException {
    try {
      makeDirectory(PrivateFiles.parent(to));
      steps.before("rename to " + to.getFileName());
      Files.move(temporary, to, StandardCopyOption.ATOMIC_MOVE);
      steps.before("sync the directory of " + to.getFileName());
      PrivateFiles.syncDirectory(PrivateFiles.parent(to));
    } catch (IOException e) {
      throw failure("write " + root.relativize(to), e);
    }
  }

  private void makeDirectory(Path directory) throws IOException {
    if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
      makeDirectory(PrivateFiles.parent(directory));
      steps.before("make " + directory.getFileName());
      PrivateFiles.createDirectory(directory);
      PrivateFiles.syncDirectory(PrivateFiles.parent(directory));
    }
  }

  void delete(Path file) throws IOException {
    steps.before("delete " + file.getFileName());
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw failure("delete " + root.relativize(file), e);
    }
  }

  /** After something failed; what is left is removed by the next {@link Lock#tidy}. */
  void discard(List<Path> temporary, Throwable because) {
    for (Path file : temporary) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        because.addSuppressed(e);
      }
    }
  }

  /** What the operating system says, as failures of a store. */
  BackupException failure(String tried, IOException e) {
    if (e instanceof BackupException already) {
      return already;
    }
    String text = String.valueOf(e.getMessage());
    String message = "%s in %s: %s %s".formatted(tried, root, e.getClass().getSimpleName(), text);
    String words = text.toLowerCase(Locale.ROOT);
    if (words.contains("no space left") || words.contains("quota exceeded")) {
      return new BackupException.Sink(CoreFailure.SINK_FULL, Reason.NO_SPACE, message, e);
    }
    if (isDenied(e)) {
      return new BackupException.Sink(CoreFailure.SINK_DENIED, Reason.DENIED, message, e);
    }
    if (e instanceof NoSuchFileException) {
      return new BackupException.Sink(CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, message, e);
    }
    return new BackupException.Sink(CoreFailure.SINK_FAILED, Reason.REFUSED, message, e);
  }

  /** Whether rights are missing, which is no damage and says nothing of the file. */
  static boolean isDenied(IOException e) {
    String words = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    return e instanceof AccessDeniedException
        || words.contains("permission denied")
        || words.contains("read-only file system");
  }

  /** Held by whoever changes {@code parity/}; the system lets it go when the process dies. */
  final class Lock implements AutoCloseable {
    private final FileOutputStream file;

    private Lock(FileOutputStream file) throws IOException {
      this.file = file;
      if (!isTaken(file)) {
        file.close();
        throw new BackupException.Sink(
            ParityFailure.IN_USE,
            Reason.LOCKED,
            "another update or repair holds the lock %s/%s".formatted(FileName.PARITY, LOCK));
      }
    }

    /** Removes what a process left that was killed. */
    void tidy() throws IOException {
      for (Path left : listParity()) {
        if (String.valueOf(left.getFileName()).endsWith(TEMPORARY)) {
          delete(left);
        }
      }
    }

    private boolean isTaken(FileOutputStream file) throws IOException {
      try {
        FileLock lock = file.getChannel().tryLock();
        return lock != null;
      } catch (OverlappingFileLockException e) {
        return false;
      }
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
