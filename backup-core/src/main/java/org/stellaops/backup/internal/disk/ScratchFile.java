package org.stellaops.backup.internal.disk;

import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Bytes that do not fit memory, in a file that has no name any more: whatever ends the process,
 * nothing of it stays. Where names of open files cannot be taken away, it goes when it is closed.
 * Written at its end, read anywhere. From any thread.
 *
 * <p>Whoever cannot tell when it is needed no longer need not close it: the JVM closes a {@link
 * RandomAccessFile} that nobody can reach. Not a channel, which an interrupt would close for all,
 * and not a mapping, which may tell of a read that failed only after it returned something.
 */
public final class ScratchFile implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ScratchFile.class);

  private final RandomAccessFile file;
  private final Optional<Path> name;
  private long length;

  private ScratchFile(RandomAccessFile file, Optional<Path> name) {
    this.file = file;
    this.name = name;
  }

  /** Takes an empty file, and its name away. */
  static ScratchFile of(Path path) throws IOException {
    RandomAccessFile file = open(path);
    try {
      Files.delete(path);
      return new ScratchFile(file, Optional.empty());
    } catch (IOException e) {
      LOG.debug("{} keeps its name until it is closed: {}", path, e.toString());
      return new ScratchFile(file, Optional.of(path));
    }
  }

  private static RandomAccessFile open(Path path) throws IOException {
    try {
      return new RandomAccessFile(path.toFile(), "rw");
    } catch (IOException e) {
      Files.deleteIfExists(path);
      throw e;
    }
  }

  /** How many bytes were appended. */
  public synchronized long lengthBytes() {
    return length;
  }

  /**
   * Appends bytes.
   *
   * @throws BackupException.Refused WORKSPACE_FAILED if there is no room
   */
  public synchronized void append(byte[] bytes, int offset, int count) throws IOException {
    try {
      file.seek(length);
      file.write(bytes, offset, count);
      length += count;
    } catch (IOException e) {
      throw failed("write " + count + " bytes behind " + length, e);
    }
  }

  /**
   * Reads bytes that were appended.
   *
   * @throws BackupException.Refused WORKSPACE_FAILED if they cannot be had any more
   */
  public synchronized void read(long at, byte[] into, int count) throws IOException {
    try {
      file.seek(at);
      file.readFully(into, 0, count);
    } catch (IOException e) {
      throw failed("read " + count + " bytes at " + at, e);
    }
  }

  /**
   * That what does not fit memory cannot be used.
   *
   * @param what was tried
   */
  public static BackupException.Refused failed(String what, IOException e) {
    BackupException.Refused failed =
        new BackupException.Refused(
            CoreFailure.WORKSPACE_FAILED,
            "cannot %s of what does not fit memory: %s; hint: free space where the workspace is, or give the engine another one"
                .formatted(what, e));
    failed.addSuppressed(e);
    return failed;
  }

  @Override
  public synchronized void close() throws IOException {
    file.close();
    if (name.isPresent()) {
      Files.deleteIfExists(name.get());
    }
  }
}
