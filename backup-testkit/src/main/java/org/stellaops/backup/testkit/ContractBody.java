package org.stellaops.backup.testkit;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;

/**
 * A body that says one thing and may deliver another, and knows which of its streams are still
 * open.
 */
final class ContractBody implements ObjectBody {
  private final byte[] delivered;
  private final long lengthBytes;
  private final Digest digest;
  private final @Nullable Throwable failure;
  private final OpenStreams streams = new OpenStreams();

  private ContractBody(
      byte[] delivered, long lengthBytes, Digest digest, @Nullable Throwable failure) {
    this.delivered = delivered;
    this.lengthBytes = lengthBytes;
    this.digest = digest;
    this.failure = failure;
  }

  /** Delivers what it says. */
  static ContractBody honest(byte[] bytes) {
    return new ContractBody(bytes, bytes.length, Digest.ofContent(bytes), null);
  }

  /** Delivers the first {@code count} bytes, then fails: an IOException, or unchecked. */
  static ContractBody failing(byte[] bytes, int count, Throwable failure) {
    byte[] head = Arrays.copyOf(bytes, count);
    return new ContractBody(head, bytes.length, Digest.ofContent(bytes), failure);
  }

  /** Delivers {@code delivered} where {@code announced} was announced. */
  static ContractBody lying(byte[] announced, byte[] delivered) {
    return new ContractBody(delivered, announced.length, Digest.ofContent(announced), null);
  }

  /** Says the digest of {@code announced} and the length of what it delivers. */
  static ContractBody ofWrongDigest(byte[] announced, byte[] delivered) {
    return new ContractBody(delivered, delivered.length, Digest.ofContent(announced), null);
  }

  /** Streams that the store has opened and not closed. */
  List<String> openStreams() {
    return streams.names();
  }

  @Override
  public long lengthBytes() {
    return lengthBytes;
  }

  @Override
  public Digest digest() {
    return digest;
  }

  @Override
  public InputStream open() {
    InputStream bytes = new ByteArrayInputStream(delivered);
    if (failure == null) {
      return streams.track("body", bytes);
    }
    return streams.track("body", new SequenceInputStream(bytes, new FailingStream(failure)));
  }

  private static final class FailingStream extends InputStream {
    private final Throwable failure;

    FailingStream(Throwable failure) {
      this.failure = failure;
    }

    @Override
    public int read() throws IOException {
      return read(new byte[1], 0, 1);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      if (failure instanceof IOException e) {
        throw e;
      }
      if (failure instanceof RuntimeException e) {
        throw e;
      }
      throw new AssertionError("a body fails with an IOException or unchecked", failure);
    }
  }
}
