package org.stellaops.backup.internal.disk;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Files that go when whoever made them is done or dead, in a directory of its own: {@code
 * tmp/<process>-<random>/}. The directory belongs to whoever holds the lock on its file {@code
 * owner}, which the operating system lets go when the process dies, however it dies.
 *
 * <p>POSIX takes a process's lock away when the process closes any descriptor of the file
 * (fcntl(2)). So a sweep must not even open the {@code owner} of others in its own process; that is
 * what the name of the process in the name of the directory is for: its number and its start, since
 * containers that share a volume all have a process 1.
 */
public final class TemporaryFiles {
  /** How the directory of all is called. */
  public static final String DIRECTORY = "tmp";

  private static final String OWNER = "owner";

  private final Path all;
  private final SecureRandom random = new SecureRandom();
  private final AtomicLong files = new AtomicLong();
  private @Nullable Path own;
  private @Nullable FileOutputStream lock;

  /**
   * None yet.
   *
   * @param all the directory of those of every process, made when it is needed
   */
  public TemporaryFiles(Path all) {
    this.all = all;
  }

  /** An empty file, 0600. */
  public Path newFile() throws IOException {
    Path file = newName();
    PrivateFiles.create(file).close();
    return file;
  }

  /** Where a file can be made: there is none yet. */
  public Path newName() throws IOException {
    return directory().resolve(Long.toString(files.incrementAndGet()));
  }

  private synchronized Path directory() throws IOException {
    while (own == null) {
      own = tryToOwn(all.resolve(process() + random()));
    }
    return own;
  }

  /** Null if a sweep of another process came between. */
  private @Nullable Path tryToOwn(Path directory) throws IOException {
    makeIfAbsent(all);
    FileOutputStream owner;
    try {
      PrivateFiles.createDirectory(directory);
      owner = PrivateFiles.create(directory.resolve(OWNER));
    } catch (NoSuchFileException e) {
      return null;
    }
    boolean isOwned = false;
    try {
      isOwned = owner.getChannel().tryLock() != null && Files.exists(directory.resolve(OWNER));
    } catch (IOException e) {
      // Where there are no locks nobody could sweep it either.
      Files.deleteIfExists(directory.resolve(OWNER));
      removeIfEmpty(directory);
      throw e;
    } finally {
      if (!isOwned) {
        owner.close();
      }
    }
    if (!isOwned) {
      return null;
    }
    lock = owner;
    return directory;
  }

  private static void makeIfAbsent(Path directory) throws IOException {
    try {
      PrivateFiles.createDirectory(directory);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
        throw e;
      }
    }
  }

  /** Removes what processes left that are gone; returns how many files. */
  public int sweep() throws IOException {
    if (!Files.isDirectory(all, LinkOption.NOFOLLOW_LINKS)) {
      return 0;
    }
    int removed = 0;
    String self = process();
    try (var directories = Files.newDirectoryStream(all)) {
      for (Path directory : directories) {
        if (!directory.getFileName().toString().startsWith(self)) {
          removed += sweep(directory);
        }
      }
    }
    return removed;
  }

  private static int sweep(Path directory) throws IOException {
    try (FileChannel owner =
        FileChannel.open(
            directory.resolve(OWNER), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      return owner.tryLock() == null ? 0 : remove(directory);
    } catch (NoSuchFileException e) {
      // Its owner was killed between two system calls, or is about to make the file; then the
      // owner notices and takes another directory.
      removeIfEmpty(directory);
      return 0;
    }
  }

  private static int remove(Path directory) throws IOException {
    int removed = 0;
    try (var files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (!file.getFileName().toString().equals(OWNER)) {
          PrivateFiles.deleteTree(file);
          removed++;
        }
      }
    }
    Files.deleteIfExists(directory.resolve(OWNER));
    removeIfEmpty(directory);
    return removed;
  }

  private static void removeIfEmpty(Path directory) throws IOException {
    try {
      Files.deleteIfExists(directory);
    } catch (DirectoryNotEmptyException e) {
      // Somebody else uses it.
    }
  }

  /**
   * Gives the directory up. Where there still is a file it stays, without its lock, for a sweep.
   */
  public synchronized void close() throws IOException {
    if (own == null || lock == null) {
      return;
    }
    try {
      if (isIdle(own)) {
        Files.deleteIfExists(own.resolve(OWNER));
        removeIfEmpty(own);
        removeIfEmpty(all);
      }
    } finally {
      lock.close();
      own = null;
      lock = null;
    }
  }

  private static boolean isIdle(Path directory) throws IOException {
    try (var files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        if (!file.getFileName().toString().equals(OWNER)) {
          return false;
        }
      }
      return true;
    }
  }

  private static String process() {
    ProcessHandle self = ProcessHandle.current();
    long started = self.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    return "%d-%d-".formatted(self.pid(), started);
  }

  private String random() {
    byte[] bytes = new byte[8];
    random.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }
}
