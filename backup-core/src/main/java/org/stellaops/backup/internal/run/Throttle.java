package org.stellaops.backup.internal.run;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.function.LongSupplier;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;

/**
 * Lets so many bytes pass in a second, by all who share it: each takes its turn on a line that is
 * busy until everybody's bytes are through. From any thread.
 */
public final class Throttle {
  private static final long NANOS = 1_000_000_000L;

  /** In a second: so often a wait can be stopped, and so evenly the bytes pass. */
  private static final int TURNS = 8;

  private static final int LARGEST_TURN = 64 << 10;

  private final long bytesPerSecond;
  private final LongSupplier nanos;
  private long freeAt;

  /**
   * @param bytesPerSecond at least 1; {@link Long#MAX_VALUE} for as many as come
   * @param nanos a clock that never jumps, in nanoseconds
   */
  public Throttle(long bytesPerSecond, LongSupplier nanos) {
    this.bytesPerSecond = bytesPerSecond;
    this.nanos = nanos;
    this.freeAt = nanos.getAsLong();
  }

  /** Waits. */
  @FunctionalInterface
  interface Waiting {
    /** Returns after that time; throws if the run is stopped meanwhile. */
    void await(Duration time) throws BackupException.Stopped;
  }

  /** The same bytes, which pass in their turn whenever they are read. */
  ObjectBody paced(ObjectBody body, Waiting waiting) {
    if (bytesPerSecond == Long.MAX_VALUE) {
      return body;
    }
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return body.lengthBytes();
      }

      @Override
      public Digest digest() {
        return body.digest();
      }

      @Override
      public InputStream open() throws IOException {
        return new Paced(body.open(), waiting);
      }
    };
  }

  private final class Paced extends FilterInputStream {
    private final Waiting waiting;
    private final int turn = (int) Math.max(1, Math.min(LARGEST_TURN, bytesPerSecond / TURNS));

    Paced(InputStream in, Waiting waiting) {
      super(in);
      this.waiting = waiting;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int n = in.read(into, offset, Math.min(length, turn));
      if (n > 0) {
        pass(n, waiting);
      }
      return n;
    }

    @Override
    public long skip(long count) throws IOException {
      return Math.max(0, read(new byte[(int) Math.min(turn, Math.max(0, count))]));
    }

    @Override
    public boolean markSupported() {
      return false;
    }
  }

  /** Returns when these bytes are through. */
  void pass(int bytes, Waiting waiting) throws BackupException.Stopped {
    long wait = turn(bytes);
    if (wait > 0) {
      waiting.await(Duration.ofNanos(wait));
    }
  }

  /** How long the caller has to wait; what was not used is lost. */
  private synchronized long turn(int bytes) {
    long now = nanos.getAsLong();
    long begins = freeAt - now > 0 ? freeAt : now;
    freeAt = begins + bytes * NANOS / bytesPerSecond;
    return freeAt - now;
  }
}
