package org.stellaops.backup.internal.disk;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file or directory that is being made beside the name that it gets when it is whole. A lock on
 * another file beside it, which goes with the process however that ends, says that somebody works
 * on it: beginning the same once more removes what nobody works on. Closing it removes what did not
 * get its name. One thread.
 *
 * <p>Nothing is removed by who does not hold its lock. Each has a name of its own, so the file of a
 * lock is made once, and who finds it there with the lock held has both.
 */
public final class Unfinished implements AutoCloseable {
  private static final String END = ".incomplete";
  private static final String LOCK = ".lock.incomplete";
  private static final int TOKEN_BYTES = 8;

  /** Sweepers come between twice or more often only if many begin the same at the same time. */
  private static final int MOST_ATTEMPTS = 10;

  private static final SecureRandom RANDOM = new SecureRandom();

  /**
   * Those of this process: it would give up a lock of its own by closing the same file once more.
   */
  private static final Set<String> OURS = ConcurrentHashMap.newKeySet();

  private final String token;
  private final Path path;
  private final Path lock;
  private final FileChannel channel;

  private Unfinished(String token, Path path, Path lock, FileChannel channel) {
    this.token = token;
    this.path = path;
    this.lock = lock;
    this.channel = channel;
  }

  /**
   * Removes what killed processes left of the same, and begins.
   *
   * @param target the name that it gets
   */
  public static Unfinished begin(Path target) throws IOException {
    sweep(target);
    for (int attempt = 1; ; attempt++) {
      String token = token();
      OURS.add(token);
      boolean isBegun = false;
      try {
        Unfinished begun = begin(target, token);
        isBegun = true;
        return begun;
      } catch (NoSuchFileException e) {
        // Another process swept it before the lock was held.
        if (attempt == MOST_ATTEMPTS || !Files.isDirectory(PrivateFiles.parent(target))) {
          throw e;
        }
      } finally {
        if (!isBegun) {
          OURS.remove(token);
        }
      }
    }
  }

  private static String token() {
    byte[] random = new byte[TOKEN_BYTES];
    RANDOM.nextBytes(random);
    return HexFormat.of().formatHex(random);
  }

  private static Unfinished begin(Path target, String token) throws IOException {
    Path lock = target.resolveSibling(target.getFileName() + "." + token + LOCK);
    PrivateFiles.create(lock).close();
    FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
    boolean isHeld = false;
    try {
      if (!canHold(channel) || !Files.exists(lock, LinkOption.NOFOLLOW_LINKS)) {
        throw new NoSuchFileException(lock.toString());
      }
      isHeld = true;
      Path path = target.resolveSibling(target.getFileName() + "." + token + END);
      return new Unfinished(token, path, lock, channel);
    } finally {
      if (!isHeld) {
        channel.close();
      }
    }
  }

  private static boolean canHold(FileChannel channel) {
    try {
      FileLock held = channel.tryLock();
      return held != null;
    } catch (IOException e) {
      // Where there are no locks, none is free: what is left there stays.
      return true;
    }
  }

  /** What to make; nothing is there yet. */
  public Path path() {
    return path;
  }

  private static void sweep(Path target) throws IOException {
    Pattern ours =
        Pattern.compile(
            "(%s\\.([0-9a-f]{%d}))\\.lock\\.incomplete"
                .formatted(Pattern.quote(String.valueOf(target.getFileName())), 2 * TOKEN_BYTES));
    List<Matcher> found = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(PrivateFiles.parent(target))) {
      for (Path file : files) {
        Matcher match = ours.matcher(String.valueOf(file.getFileName()));
        if (match.matches()
            && !OURS.contains(match.group(2))
            && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          found.add(match);
        }
      }
    } catch (AccessDeniedException e) {
      return; // A directory that takes files and shows none.
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    for (Matcher match : found) {
      sweep(target.resolveSibling(match.group()), target.resolveSibling(match.group(1) + END));
    }
  }

  private static void sweep(Path lock, Path left) throws IOException {
    try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE)) {
      if (isFree(channel)) {
        PrivateFiles.deleteTree(left);
        Files.deleteIfExists(lock);
      }
    } catch (NoSuchFileException e) {
      // Whoever made it has finished, or another removed it.
    } catch (AccessDeniedException e) {
      // Another user's.
    }
  }

  private static boolean isFree(FileChannel channel) {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (IOException | OverlappingFileLockException e) {
      return false;
    }
  }

  /** Removes what is still called unfinished, as far as the medium allows, and then the lock. */
  @Override
  public void close() {
    try (channel) {
      PrivateFiles.deleteTree(path);
      Files.deleteIfExists(lock);
    } catch (IOException e) {
      // Where the medium is gone nothing can be removed; the next one does, once it is back.
    } finally {
      OURS.remove(token);
    }
  }
}
