package org.stellaops.backup.parity;

import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;

/**
 * A file, read once from its beginning to its end in pieces; what cannot be read is damage, unless
 * rights are missing. Closes what it opens.
 */
final class StoredFile implements Closeable {
  static final int BUFFER_BYTES = 1 << 18;

  private final InputStream in;
  private final MessageDigest digest = Digest.sha256();
  private long bytes;

  StoredFile(Path file) throws IOException {
    if (!Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .isRegularFile()) {
      throw new NoSuchFileException(file.toString(), null, "not a file");
    }
    this.in = new FileInputStream(file.toFile());
  }

  /** Reads on until the piece is full or the file ends; what is left of the piece becomes zero. */
  int read(byte[] piece) throws IOException {
    int count = in.readNBytes(piece, 0, piece.length);
    digest.update(piece, 0, count);
    bytes += count;
    Arrays.fill(piece, count, piece.length, (byte) 0);
    return count;
  }

  /** How much was read. */
  long bytes() {
    return bytes;
  }

  /** Of what was read. Once. */
  Digest digest() {
    return Digest.of(digest.digest());
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  /** Size of a regular file; empty if there is none. */
  static OptionalLong size(Path file) throws IOException {
    try {
      var is = Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return is.isRegularFile() ? OptionalLong.of(is.size()) : OptionalLong.empty();
    } catch (NoSuchFileException e) {
      return OptionalLong.empty();
    } catch (IOException e) {
      if (Medium.isDenied(e)) {
        throw e;
      }
      return OptionalLong.empty();
    }
  }

  /**
   * Reads a file to its end.
   *
   * @return what is wrong with it; empty if it is as expected
   */
  static Optional<String> examine(Path file, long expectedBytes, Digest expected, Meter meter)
      throws IOException {
    OptionalLong size = size(file);
    if (size.isEmpty()) {
      return Optional.of("missing; expected were %d bytes".formatted(expectedBytes));
    }
    if (size.getAsLong() != expectedBytes) {
      return Optional.of(
          "has %d bytes, expected were %d".formatted(size.getAsLong(), expectedBytes));
    }
    try (StoredFile stored = new StoredFile(file)) {
      byte[] piece = new byte[BUFFER_BYTES];
      for (int n = stored.read(piece); n > 0; n = stored.read(piece)) {
        meter.add(n, 0);
      }
      Digest found = stored.digest();
      return found.equals(expected)
          ? Optional.empty()
          : Optional.of("has SHA-256 %s, expected was %s".formatted(found, expected));
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      if (Medium.isDenied(e)) {
        throw e;
      }
      return Optional.of("cannot be read: " + e.getMessage());
    }
  }
}
