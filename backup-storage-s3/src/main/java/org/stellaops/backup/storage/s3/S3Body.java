package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.Stopping;
import software.amazon.awssdk.http.ContentStreamProvider;

/**
 * A body as the SDK reads it: as often as it needs, and each time only to the end if it is what it
 * says. The last byte is not handed out before length and digest are right, so that no server ever
 * has a whole request with the wrong bytes. Closing it closes all streams, which the SDK does not.
 */
final class S3Body implements ContentStreamProvider, AutoCloseable {
  private final ObjectBody body;
  private final Stopping stopping;
  private final List<InputStream> opened = new ArrayList<>();
  private @Nullable Exception failure;

  S3Body(ObjectBody body, Stopping stopping) {
    this.body = body;
    this.stopping = stopping;
  }

  @Override
  public synchronized InputStream newStream() {
    try {
      InputStream in = body.open();
      opened.add(in);
      return new Checked(in);
    } catch (IOException | RuntimeException e) {
      throw failed(e);
    }
  }

  /** Reads a body without bytes, since the SDK would not. */
  void requireEmpty() throws IOException {
    try (InputStream in = newStream()) {
      in.read();
    } catch (BodyFailed e) {
      rethrow();
      throw e;
    }
  }

  /** Throws what the body itself failed with; returns if it did not. */
  synchronized void rethrow() throws IOException {
    if (failure instanceof IOException io) {
      throw io;
    }
    if (failure instanceof RuntimeException bug) {
      throw bug;
    }
  }

  @Override
  public synchronized void close() throws IOException {
    for (InputStream in : opened) {
      in.close();
    }
    opened.clear();
  }

  private synchronized BodyFailed failed(Exception e) {
    failure = e;
    return new BodyFailed();
  }

  /** No IOException, which the SDK would take for the network's and try again. */
  static final class BodyFailed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BodyFailed() {
      super("the body could not be read", null, false, false);
    }
  }

  /** One reading. */
  private final class Checked extends InputStream {
    private final InputStream in;
    private final MessageDigest digest = Digest.sha256();
    private long count;

    Checked(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) {
      try {
        stopping.check();
        int read = in.read(bytes, offset, length);
        if (read > 0) {
          digest.update(bytes, offset, read);
          count += read;
        }
        if (read < 0 && count < body.lengthBytes()) {
          throw mismatch("ends after %d bytes".formatted(count));
        }
        if (read >= 0 && count >= body.lengthBytes()) {
          requireEnd();
        }
        return read;
      } catch (IOException | RuntimeException e) {
        throw failed(e);
      }
    }

    private void requireEnd() throws IOException {
      if (count > body.lengthBytes() || in.read() >= 0) {
        throw mismatch("has more bytes");
      }
      requireDigest();
    }

    private void requireDigest() throws IOException {
      MessageDigest copy;
      try {
        copy = (MessageDigest) digest.clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError("the JDK's SHA-256 can be cloned", e);
      }
      Digest found = Digest.of(copy.digest());
      if (!found.equals(body.digest())) {
        throw mismatch("has SHA-256 " + found);
      }
    }

    private IOException mismatch(String found) {
      return new Mismatch(
          "the body %s, announced were %d with SHA-256 %s"
              .formatted(found, body.lengthBytes(), body.digest()));
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  /** A body is not what it says. */
  static final class Mismatch extends IOException {
    private static final long serialVersionUID = 1L;

    Mismatch(String message) {
      super(message);
    }
  }
}
