package org.stellaops.backup.crypto.internal.age;

import static org.stellaops.backup.crypto.internal.age.Segments.PLAIN_BYTES;

import java.io.IOException;
import java.io.InputStream;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.spi.Decryptor;

/**
 * Reads an age file at any place: a range costs one request for the segments that it touches. A
 * range that reaches the end, even with no bytes, includes the last segment and so authenticates
 * the length.
 */
public final class SegmentReader implements Decryptor.SealedReader {
  private final Decryptor.RangeReader stored;
  private final Segments segments;
  private final PayloadKey key;
  private final Ciphers ciphers;
  private final Lanes lanes;

  /**
   * Knows the plain length from the stored one, and reads nothing yet.
   *
   * @param headerBytes stored bytes before the first segment
   * @param key wiped with this reader
   */
  public SegmentReader(
      Decryptor.RangeReader stored,
      long headerBytes,
      long storedBytes,
      PayloadKey key,
      Ciphers ciphers,
      Lanes lanes)
      throws IOException {
    this.stored = stored;
    this.segments = Segments.of(headerBytes, storedBytes - headerBytes);
    this.key = key;
    this.ciphers = ciphers;
    this.lanes = lanes;
  }

  @Override
  public long plainBytes() {
    return segments.plainBytes();
  }

  @Override
  public InputStream read(ByteRange plain) throws IOException {
    if (key.isDestroyed()) {
      throw new IllegalStateException("the reader is closed");
    }
    long end = plain.endIn(plainBytes());
    long start = Math.min(plain.offset(), end);
    if (start == end && end < plainBytes()) {
      return InputStream.nullInputStream();
    }
    long first = segments.indexOf(start);
    long last = segments.indexOf(end == plainBytes() ? end : end - 1);
    var range = new ByteRange(segments.storedOffset(first), segments.storedBytes(first, last));
    // A stream of its own key, so that closing the reader does not look like damage to it.
    return new PayloadStream(
        SealedSegments.range(stored.open(range), segments, first, last),
        key.copy(),
        ciphers,
        lanes,
        start - first * PLAIN_BYTES,
        end - start);
  }

  @Override
  public void close() {
    key.destroy();
  }
}
