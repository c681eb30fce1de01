package org.stellaops.backup.bundle;

import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessMode;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Files that are one sequence of bytes, all but the last of which have the same length.
 *
 * @param files in order
 * @param volumeBytes length of all but the last
 */
record Volumes(List<Path> files, long volumeBytes) {
  Volumes {
    files = List.copyOf(files);
  }

  /** The bytes from a position on, at most so many. The caller closes. */
  In open(long position, long lengthBytes) {
    return new In(position, lengthBytes);
  }

  /** Some of the bytes. Not a channel: an interrupt does not close it. */
  final class In extends InputStream {
    private long position;
    private long left;
    private @Nullable FileInputStream file;
    private int number;

    private In(long position, long left) {
      this.position = position;
      this.left = left;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      while (left > 0) {
        long volume = position / volumeBytes;
        if (volume >= files.size()) {
          return -1;
        }
        int wanted = (int) volume;
        long behind = position - volume * volumeBytes;
        int most = (int) Math.min(Math.min(length, left), volumeBytes - behind);
        int n = in(wanted, behind).read(bytes, offset, most);
        if (n < 0) {
          return -1;
        }
        position += n;
        left -= n;
        return n;
      }
      return -1;
    }

    private FileInputStream in(int wanted, long behind) throws IOException {
      FileInputStream now = file;
      if (now == null || number != wanted) {
        close();
        now = opened(files.get(wanted));
        file = now;
        number = wanted;
        now.skipNBytes(Math.min(behind, now.getChannel().size()));
      }
      return now;
    }

    /** A stream does not tell what is not there from what may not be read, in any language. */
    private static FileInputStream opened(Path file) throws IOException {
      try {
        return new FileInputStream(file.toFile());
      } catch (FileNotFoundException e) {
        file.getFileSystem().provider().checkAccess(file, AccessMode.READ);
        throw e;
      }
    }

    /** Goes to another place, forwards, without reading. */
    void skipTo(long target) throws IOException {
      FileInputStream now = file;
      if (now != null && target / volumeBytes == number) {
        now.skipNBytes(target - position);
      } else {
        close();
      }
      left -= target - position;
      position = target;
    }

    @Override
    public void close() throws IOException {
      FileInputStream closing = file;
      file = null;
      if (closing != null) {
        closing.close();
      }
    }
  }
}
