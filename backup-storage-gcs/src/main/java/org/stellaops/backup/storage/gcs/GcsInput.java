package org.stellaops.backup.storage.gcs;

import com.google.cloud.ReadChannel;
import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobId;
import com.google.cloud.storage.Storage.BlobSourceOption;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;

/**
 * A range of an object, streamed; where the stream breaks it goes on by another request.
 *
 * <p>The object is asked for its length and generation before: to the SDK an answer that was cut
 * off is an answer that ends, and every request has to be for the same bytes.
 */
final class GcsInput extends InputStream {
  private static final int BUFFER_BYTES = 256 << 10;

  private final String tried;
  private final BlobId object;
  private final GcsConnection connection;
  private final GcsRequests requests;
  private final ByteBuffer buffer;
  private final long end;
  private long position;
  private @Nullable ReadChannel channel;

  private GcsInput(
      String tried,
      BlobId object,
      GcsConnection connection,
      GcsRequests requests,
      long position,
      long end) {
    this.tried = tried;
    this.object = object;
    this.connection = connection;
    this.requests = requests;
    this.position = position;
    this.end = end;
    this.buffer = ByteBuffer.allocate((int) Math.min(BUFFER_BYTES, end - position)).limit(0);
  }

  /** Reads the first bytes, so that what prevents it is known now. */
  static InputStream open(
      ObjectName name, ByteRange range, GcsConnection connection, GcsRequests requests)
      throws IOException {
    String tried = "open " + name;
    Blob found = requests.get(tried, name);
    return open(tried, found.getBlobId(), found.getSize(), range, connection, requests);
  }

  /** The same of one generation, of which the length is known. */
  static InputStream open(
      String tried,
      BlobId generation,
      long lengthBytes,
      ByteRange range,
      GcsConnection connection,
      GcsRequests requests)
      throws IOException {
    long end = range.endIn(lengthBytes);
    if (end <= range.offset()) {
      return InputStream.nullInputStream();
    }
    var input = new GcsInput(tried, generation, connection, requests, range.offset(), end);
    try {
      input.fill();
      return input;
    } catch (IOException | RuntimeException e) {
      input.close();
      throw e;
    }
  }

  @Override
  public int read() throws IOException {
    return fill() ? buffer.get() & 0xff : -1;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, buffer.remaining());
    buffer.get(bytes, offset, count);
    return count;
  }

  @Override
  public int available() {
    return buffer.remaining();
  }

  /** Ends the request, also in the middle. */
  @Override
  public void close() {
    position = end;
    buffer.limit(0);
    disconnect();
  }

  private boolean fill() throws IOException {
    while (!buffer.hasRemaining() && position < end) {
      position += requests.send(tried, GcsRequests.READ, this::readSome);
    }
    return buffer.hasRemaining();
  }

  /** At least a byte: to the SDK an answer that was cut off before its first is one of none. */
  private int readSome() throws IOException {
    ReadChannel from = connect();
    buffer.clear();
    int count = -1;
    try {
      count = from.read(buffer);
    } finally {
      buffer.flip();
      if (count <= 0) {
        buffer.limit(0);
        disconnect();
      }
    }
    if (count <= 0) {
      throw requests.failures().cut(tried, "%d bytes are missing".formatted(end - position));
    }
    return count;
  }

  private ReadChannel connect() throws IOException {
    ReadChannel open = channel;
    if (open == null) {
      open = connection.storage().reader(object, BlobSourceOption.shouldReturnRawInputStream(true));
      // Without the SDK's buffer: there is one here.
      open.setChunkSize(0);
      open.seek(position);
      open.limit(end);
      channel = open;
    }
    return open;
  }

  private void disconnect() {
    ReadChannel open = channel;
    channel = null;
    if (open != null) {
      open.close();
    }
  }
}
