package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;

/**
 * Stored bytes in a file without a name: it is unlinked as soon as it is open. One writer, then
 * readers.
 */
final class Spool extends OutputStream {
  private final FileChannel channel;
  private final MessageDigest digest = Digest.sha256();
  private long length;

  private Spool(FileChannel channel) {
    this.channel = channel;
  }

  /** Takes an empty file, and its name away. */
  static Spool open(Path file) throws IOException {
    return new Spool(
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE));
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int count) throws IOException {
    ByteBuffer from = ByteBuffer.wrap(bytes, offset, count);
    while (from.hasRemaining()) {
      channel.write(from);
    }
    digest.update(bytes, offset, count);
    length += count;
  }

  /** What was written. Ends the digest; call once. Valid until this is closed. */
  ObjectBody body() {
    Digest stored = Digest.of(digest.digest());
    long bytes = length;
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return bytes;
      }

      @Override
      public Digest digest() {
        return stored;
      }

      @Override
      public InputStream open() {
        return new Reader();
      }
    };
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  private final class Reader extends InputStream {
    private long position;

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int count) throws IOException {
      if (count == 0) {
        return 0;
      }
      int n = channel.read(ByteBuffer.wrap(into, offset, count), position);
      position += Math.max(0, n);
      return n;
    }
  }
}
