package org.stellaops.backup.crypto.internal.age;

import static org.stellaops.backup.crypto.internal.age.Segments.PLAIN_BYTES;
import static org.stellaops.backup.crypto.internal.age.Segments.SEALED_BYTES;
import static org.stellaops.backup.crypto.internal.age.Segments.TAG_BYTES;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException.Corrupt;
import org.stellaops.backup.model.CoreFailure;

/**
 * Reads the payload of an age file, or a range of it. No byte comes out of a segment that does not
 * authenticate, and the end of the stream is reported only when every segment asked for was read; a
 * failure is final and thrown again by every later read.
 */
public final class PayloadStream extends InputStream {
  private final SealedSegments segments;
  private final PayloadKey key;
  private final Lanes lanes;
  private final InFlight<Batch> inFlight;
  private final ArrayDeque<Batch> free = new ArrayDeque<>();
  private long nextIndex;
  private long skipBytes;
  private long leftBytes;
  private boolean isExhausted;
  private boolean isClosed;
  private @Nullable Batch current;
  private @Nullable IOException failure;

  /**
   * Begins at the first of {@code segments}.
   *
   * @param segments closed with this stream
   * @param key wiped with this stream
   * @param skipBytes plain bytes passed over at the beginning
   * @param leftBytes plain bytes that come out after them
   */
  PayloadStream(
      SealedSegments segments,
      PayloadKey key,
      Ciphers ciphers,
      Lanes lanes,
      long skipBytes,
      long leftBytes) {
    this.segments = segments;
    this.key = key;
    this.lanes = lanes;
    this.inFlight = new InFlight<>(lanes.executor());
    this.nextIndex = segments.firstIndex();
    this.skipBytes = skipBytes;
    this.leftBytes = leftBytes;
    for (int i = 0; i < lanes.batches(); i++) {
      free.add(new Batch(new SegmentCipher(ciphers, key)));
    }
  }

  /** The whole payload. */
  public static PayloadStream toTheEnd(
      InputStream stored, PayloadKey key, Ciphers ciphers, Lanes lanes) {
    return new PayloadStream(
        SealedSegments.toTheEnd(stored), key, ciphers, lanes, 0, Long.MAX_VALUE);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    if (isClosed) {
      throw new IOException("the stream is closed");
    }
    if (failure != null) {
      throw failure;
    }
    try {
      return take(into, offset, length);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  @Override
  public int available() {
    return current == null || isClosed || failure != null
        ? 0
        : (int) Math.min(current.available(), leftBytes);
  }

  @Override
  public void close() throws IOException {
    if (!isClosed) {
      isClosed = true;
      inFlight.cancel();
      key.destroy();
      segments.close();
    }
  }

  private int take(byte[] into, int offset, int length) throws IOException {
    while (true) {
      if (current == null && !advance()) {
        return -1;
      }
      Batch batch = Objects.requireNonNull(current);
      skipBytes -= batch.skip(skipBytes);
      int taken = batch.take(into, offset, (int) Math.min(length, leftBytes));
      if (taken > 0) {
        leftBytes -= taken;
        return taken;
      }
      free.add(batch);
      current = null;
    }
  }

  /**
   * @return false at the end
   */
  private boolean advance() throws IOException {
    readAhead();
    if (inFlight.isEmpty()) {
      return false;
    }
    current = inFlight.removeOldest();
    return true;
  }

  private void readAhead() throws IOException {
    while (!isExhausted && !free.isEmpty()) {
      Batch batch = free.remove();
      isExhausted = !batch.fill(segments, nextIndex, lanes.segmentsPerBatch());
      nextIndex += lanes.segmentsPerBatch();
      inFlight.start(batch);
    }
  }

  /** Neighbouring segments: filled and emptied by the caller, opened by whoever calls it. */
  private static final class Batch implements Callable<Batch> {
    private final SegmentCipher cipher;
    private final List<byte[]> sealed = new ArrayList<>();
    private final List<byte[]> plain = new ArrayList<>();
    private long firstIndex;
    private int count;
    private int lastSealedBytes;
    private boolean endsPayload;
    private int plainBytes;
    private int position;

    Batch(SegmentCipher cipher) {
      this.cipher = cipher;
    }

    /**
     * @return false if there is nothing behind this batch
     */
    boolean fill(SealedSegments segments, long index, int most) throws IOException {
      firstIndex = index;
      endsPayload = false;
      for (count = 0; count < most; count++) {
        if (count == sealed.size()) {
          sealed.add(new byte[SEALED_BYTES]);
        }
        int length = segments.next(sealed.get(count));
        if (length < 0) {
          return false;
        }
        lastSealedBytes = length;
        endsPayload = segments.isLast();
      }
      return !endsPayload;
    }

    @Override
    public Batch call() throws IOException {
      position = 0;
      plainBytes = 0;
      for (int i = 0; i < count; i++) {
        if (i == plain.size()) {
          plain.add(new byte[PLAIN_BYTES]);
        }
        boolean isLastHere = i == count - 1;
        int sealedBytes = isLastHere ? lastSealedBytes : SEALED_BYTES;
        plainBytes += open(i, isLastHere && endsPayload, sealedBytes);
      }
      return this;
    }

    int available() {
      return plainBytes - position;
    }

    /**
     * @return how many bytes were passed over
     */
    int skip(long most) {
      int skipped = (int) Math.min(most, available());
      position += skipped;
      return skipped;
    }

    /**
     * @return how many bytes were given: as many as one segment holds
     */
    int take(byte[] into, int offset, int most) {
      int start = position % PLAIN_BYTES;
      int taken = Math.min(Math.min(most, available()), PLAIN_BYTES - start);
      if (taken > 0) {
        System.arraycopy(plain.get(position / PLAIN_BYTES), start, into, offset, taken);
        position += taken;
      }
      return taken;
    }

    private int open(int i, boolean isLast, int sealedBytes) throws IOException {
      long index = firstIndex + i;
      if (sealedBytes < TAG_BYTES) {
        throw new Corrupt(
            CoreFailure.TRUNCATED, "age file ends inside segment %d".formatted(index));
      }
      int opened = cipher.open(index, isLast, sealed.get(i), sealedBytes, plain.get(i));
      if (opened < 0) {
        throw damage(i, isLast, sealedBytes);
      }
      if (opened == 0 && index > 0) {
        throw new Corrupt(
            CoreFailure.MALFORMED,
            "age file has an empty segment %d behind others".formatted(index));
      }
      return opened;
    }

    /**
     * What can be known of a segment that does not authenticate. One that authenticates under the
     * other flag was not altered, only its end is in the wrong place. A last segment that is short
     * is either cut or altered, and no one can say which; behind other segments it was far more
     * likely cut.
     */
    private Corrupt damage(int i, boolean isLast, int sealedBytes) throws IOException {
      long index = firstIndex + i;
      if (cipher.open(index, !isLast, sealed.get(i), sealedBytes, plain.get(i)) >= 0) {
        return isLast
            ? new Corrupt(
                CoreFailure.TRUNCATED,
                "age file ends behind segment %d, which is not its last".formatted(index))
            : new Corrupt(
                CoreFailure.CORRUPT_OBJECT,
                "age file goes on behind segment %d, which is its last".formatted(index));
      }
      if (!isLast) {
        return new Corrupt(
            CoreFailure.CORRUPT_OBJECT,
            "segment %d of an age file does not authenticate".formatted(index));
      }
      boolean wasLikelyCut = index > 0 && sealedBytes < SEALED_BYTES;
      return new Corrupt(
          wasLikelyCut ? CoreFailure.TRUNCATED : CoreFailure.CORRUPT_OBJECT,
          "the last segment of an age file, %d, does not authenticate: the file was cut or altered there"
              .formatted(index));
    }
  }
}
