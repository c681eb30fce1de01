package org.stellaops.backup.crypto.internal.files;

import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;

/**
 * A file that its owner alone may read, from its first byte on (mode 0600, where there are modes),
 * and that appears under its name whole or not at all. Closing is not publishing: it removes what
 * was not published.
 */
public final class NewFile implements Closeable {
  private final Path target;
  private final Path temporary;
  private final FileChannel channel;

  private NewFile(Path target, Path temporary, FileChannel channel) {
    this.target = target;
    this.temporary = temporary;
    this.channel = channel;
  }

  /**
   * Begins a file in the target's directory, which must be there.
   *
   * @throws IOException as the file system says it
   */
  public static NewFile beside(Path target) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path temporary = absolute.resolveSibling(temporaryName(absolute));
    var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    return new NewFile(
        absolute, temporary, FileChannel.open(temporary, options, ownerOnly(absolute)));
  }

  /** Writes; closing it does nothing. */
  public OutputStream stream() {
    OutputStream stream = Channels.newOutputStream(channel);
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        stream.write(b);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        stream.write(bytes, offset, length);
      }
    };
  }

  /**
   * Gives the durable file its name, unless there is one of that name already. Exclusive through
   * {@code link}: a move that does not replace looks first and then moves, and two can do that at
   * once. Where the file system has no links, the name is made exclusively and then filled, so that
   * a crash in between leaves a part, which readers refuse.
   *
   * @throws FileAlreadyExistsException and leaves what is there
   */
  public void publishAsNew() throws IOException {
    channel.force(true);
    try {
      Files.createLink(target, temporary);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (FileSystemException | UnsupportedOperationException e) {
      copyToTarget();
    }
    forceDirectory();
  }

  /** Gives the durable file its name in place of what has it. */
  public void publishInPlace() throws IOException {
    channel.force(true);
    Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    forceDirectory();
  }

  @Override
  public void close() throws IOException {
    try {
      channel.close();
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private void copyToTarget() throws IOException {
    var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try (var from = FileChannel.open(temporary, StandardOpenOption.READ);
        var to = FileChannel.open(target, options, ownerOnly(target))) {
      for (long at = 0; at < from.size(); ) {
        at += from.transferTo(at, from.size() - at, to);
      }
      to.force(true);
    }
  }

  /** A name is durable when its directory is. Windows has no such call and needs none. */
  private void forceDirectory() throws IOException {
    if (hasModes(target)) {
      try (var directory = FileChannel.open(parent(target), StandardOpenOption.READ)) {
        directory.force(true);
      }
    }
  }

  private static Path parent(Path absolute) {
    Path parent = absolute.getParent();
    if (parent == null) {
      throw new IllegalArgumentException("not a file name: " + absolute);
    }
    return parent;
  }

  private static String temporaryName(Path target) {
    byte[] random = new byte[8];
    new SecureRandom().nextBytes(random);
    return ".%s.%s.tmp".formatted(target.getFileName(), HexFormat.of().formatHex(random));
  }

  private static FileAttribute<?>[] ownerOnly(Path path) {
    return hasModes(path)
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  static boolean hasModes(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix");
  }
}
