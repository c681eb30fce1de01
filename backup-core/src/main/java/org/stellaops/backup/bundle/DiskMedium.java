package org.stellaops.backup.bundle;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.stellaops.backup.bundle.BundleReport.Reading;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;

/** A medium of the operating system. */
final class DiskMedium implements Medium {
  private static final int BUFFER_BYTES = 1 << 20;
  private static final String NOT_ON_FAT = "\"*:<>?\\|";

  @Override
  public Handle create(Path file) throws IOException {
    try {
      return new Appending(PrivateFiles.create(file));
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException e) {
      throw explained(file, e);
    }
  }

  /** Each driver has its own error for a name that cannot be: EINVAL, ENOENT, EPERM. */
  private static IOException explained(Path file, IOException e) {
    String name = String.valueOf(file.getFileName());
    boolean isRefused =
        isRefused(e)
            || e instanceof NoSuchFileException
            || String.valueOf(e.getMessage()).contains("not permitted");
    if (!isRefused
        || NOT_ON_FAT.chars().noneMatch(c -> name.indexOf(c) >= 0)
        || !Files.isDirectory(PrivateFiles.parent(file))) {
      return e;
    }
    return new BackupException.Sink(
        CoreFailure.NAME_REFUSED,
        Reason.REFUSED,
        "make %s: its file system, like FAT, exFAT and NTFS, takes no name with any of %s"
            .formatted(file, NOT_ON_FAT),
        e);
  }

  @Override
  public Handle append(Path file) throws IOException {
    return new Appending(new FileOutputStream(file.toFile(), true));
  }

  private record Appending(FileOutputStream out) implements Handle {
    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }

    @Override
    public void sync() throws IOException {
      out.getFD().sync();
    }

    @Override
    public void truncate(long bytes) throws IOException {
      out.getChannel().truncate(bytes);
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  @Override
  public boolean exists(Path file) {
    return Files.exists(file, LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * What was just written is in memory still, and would be read from there. Past it there is only
   * O_DIRECT, which not every file system has.
   */
  @Override
  public Reading reread(Path file, Bytes into) throws IOException {
    try (FileChannel direct =
        FileChannel.open(file, StandardOpenOption.READ, ExtendedOpenOption.DIRECT)) {
      int block = Math.toIntExact(Files.getFileStore(file).getBlockSize());
      read(direct, ByteBuffer.allocateDirect(BUFFER_BYTES + block).alignedSlice(block), into);
      return Reading.FROM_MEDIUM;
    } catch (UnsupportedOperationException e) {
      return readCached(file, into);
    } catch (IOException e) {
      if (isRefused(e)) {
        return readCached(file, into);
      }
      throw e;
    }
  }

  /** EINVAL, at the opening: there is no such thing on this file system. */
  private static boolean isRefused(IOException e) {
    return String.valueOf(e.getMessage()).contains("Invalid argument");
  }

  private static Reading readCached(Path file, Bytes into) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      read(channel, ByteBuffer.allocate(BUFFER_BYTES), into);
      return Reading.THROUGH_CACHE;
    }
  }

  /** Reads whole buffers; a short one is the last, behind which no position is aligned. */
  private static void read(FileChannel channel, ByteBuffer buffer, Bytes into) throws IOException {
    int whole = buffer.capacity() - buffer.capacity() % (64 << 10);
    byte[] bytes = new byte[whole];
    long left = channel.size();
    while (left > 0) {
      buffer.clear().limit(whole);
      int n = channel.read(buffer);
      if (n <= 0) {
        return;
      }
      buffer.flip().get(bytes, 0, n);
      into.take(bytes, n);
      left -= n;
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    if (exists(to)) {
      throw new FileAlreadyExistsException(to.toString());
    }
    Files.move(from, to);
  }

  @Override
  public void syncDirectory(Path directory) throws IOException {
    PrivateFiles.syncDirectory(directory);
  }

  @Override
  public void delete(Path file) throws IOException {
    Files.deleteIfExists(file);
  }
}
