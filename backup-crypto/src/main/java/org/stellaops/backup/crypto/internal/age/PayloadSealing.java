package org.stellaops.backup.crypto.internal.age;

import static org.stellaops.backup.crypto.internal.age.Segments.PLAIN_BYTES;
import static org.stellaops.backup.crypto.internal.age.Segments.SEALED_BYTES;
import static org.stellaops.backup.crypto.internal.age.Segments.TAG_BYTES;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.stellaops.backup.spi.Encryptor;

/**
 * Writes the payload of an age file.
 *
 * <p>Invariant: a full batch is handed over only when another byte follows it. So the last segment
 * is never empty unless the payload is, and {@link #finish} always has one to mark as last.
 */
public final class PayloadSealing extends Encryptor.Sealing {
  private enum State {
    OPEN,
    BROKEN,
    FINISHED,
    CLOSED
  }

  private final OutputStream stored;
  private final PayloadKey key;
  private final Ciphers ciphers;
  private final Lanes lanes;
  private final InFlight<Batch> inFlight;
  private int batches;
  private long nextIndex;
  private Batch filling;
  private State state = State.OPEN;

  /**
   * Begins a payload.
   *
   * @param stored the header is already in it; not closed
   * @param key wiped when finished or closed
   */
  public PayloadSealing(OutputStream stored, PayloadKey key, Ciphers ciphers, Lanes lanes) {
    this.stored = stored;
    this.key = key;
    this.ciphers = ciphers;
    this.lanes = lanes;
    this.inFlight = new InFlight<>(lanes.executor());
    this.filling = begin(newBatch());
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    requireOpen();
    state = State.BROKEN; // until all went well
    int end = offset + length;
    for (int at = offset; at < end; ) {
      if (filling.isFull(lanes)) {
        handOver();
      }
      at += filling.put(bytes, at, end - at);
    }
    state = State.OPEN;
  }

  /** Does nothing: what is full was written, and what is not cannot be. */
  @Override
  public void flush() {}

  @Override
  public void finish() throws IOException {
    requireOpen();
    state = State.BROKEN;
    filling.endsPayload = true;
    inFlight.start(filling);
    while (!inFlight.isEmpty()) {
      inFlight.removeOldest().writeTo(stored);
    }
    stored.flush();
    state = State.FINISHED;
    key.destroy();
  }

  @Override
  public void close() {
    state = State.CLOSED;
    inFlight.cancel();
    key.destroy();
  }

  private void requireOpen() throws IOException {
    switch (state) {
      case OPEN -> {}
      case BROKEN ->
          throw new IOException("an earlier write failed; this age file cannot be finished");
      case FINISHED -> throw new IllegalStateException("the age file is finished");
      case CLOSED -> throw new IllegalStateException("the age file is closed");
    }
  }

  private void handOver() throws IOException {
    inFlight.start(filling);
    filling = begin(batches < lanes.batches() ? newBatch() : written(inFlight.removeOldest()));
  }

  private Batch newBatch() {
    batches++;
    return new Batch(new SegmentCipher(ciphers, key));
  }

  private Batch written(Batch sealed) throws IOException {
    sealed.writeTo(stored);
    return sealed;
  }

  private Batch begin(Batch batch) {
    batch.firstIndex = nextIndex;
    batch.plainBytes = 0;
    nextIndex += lanes.segmentsPerBatch();
    return batch;
  }

  /** Neighbouring segments: filled and written by the caller, sealed by whoever calls it. */
  private static final class Batch implements Callable<Batch> {
    private final SegmentCipher cipher;
    private final List<byte[]> plain = new ArrayList<>();
    private final List<byte[]> sealed = new ArrayList<>();
    private long firstIndex;
    private int plainBytes;
    private boolean endsPayload;

    Batch(SegmentCipher cipher) {
      this.cipher = cipher;
    }

    boolean isFull(Lanes lanes) {
      return plainBytes == lanes.segmentsPerBatch() * PLAIN_BYTES;
    }

    /**
     * @return how many bytes were taken: as many as fit into one segment
     */
    int put(byte[] bytes, int offset, int length) {
      int segment = plainBytes / PLAIN_BYTES;
      if (segment == plain.size()) {
        plain.add(new byte[PLAIN_BYTES]);
      }
      int start = plainBytes % PLAIN_BYTES;
      int taken = Math.min(length, PLAIN_BYTES - start);
      System.arraycopy(bytes, offset, plain.get(segment), start, taken);
      plainBytes += taken;
      return taken;
    }

    @Override
    public Batch call() throws IOException {
      int segments = segments();
      for (int i = 0; i < segments; i++) {
        if (i == sealed.size()) {
          sealed.add(new byte[SEALED_BYTES]);
        }
        byte[] from = i < plain.size() ? plain.get(i) : new byte[0];
        boolean isLast = endsPayload && i == segments - 1;
        cipher.seal(firstIndex + i, isLast, from, plainBytes(i), sealed.get(i));
      }
      return this;
    }

    void writeTo(OutputStream stored) throws IOException {
      for (int i = 0; i < segments(); i++) {
        stored.write(sealed.get(i), 0, plainBytes(i) + TAG_BYTES);
      }
    }

    /** At least one: an empty payload has an empty segment. */
    private int segments() {
      return Math.max(1, (plainBytes + PLAIN_BYTES - 1) / PLAIN_BYTES);
    }

    private int plainBytes(int segment) {
      return Math.min(PLAIN_BYTES, plainBytes - segment * PLAIN_BYTES);
    }
  }
}
