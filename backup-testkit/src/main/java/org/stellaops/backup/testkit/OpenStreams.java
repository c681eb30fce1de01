package org.stellaops.backup.testkit;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/** The streams that were handed out and are not closed yet. All methods from any thread. */
final class OpenStreams {
  private final IdentityHashMap<InputStream, String> open = new IdentityHashMap<>();

  /** {@code stream}, remembered as {@code what} until it is closed, and of no use afterwards. */
  InputStream track(String what, InputStream stream) {
    InputStream tracked = new Tracked(what, stream);
    synchronized (this) {
      open.put(tracked, what);
    }
    return tracked;
  }

  /** What is still open. */
  synchronized List<String> names() {
    return new ArrayList<>(open.values());
  }

  private synchronized void forget(InputStream stream) {
    open.remove(stream);
  }

  private final class Tracked extends FilterInputStream {
    private final String what;
    private volatile boolean isClosed;

    Tracked(String what, InputStream in) {
      super(in);
      this.what = what;
    }

    @Override
    public int read() throws IOException {
      requireOpen();
      return super.read();
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      requireOpen();
      return super.read(buffer, offset, length);
    }

    /** Reads what it skips, so that nothing escapes a check further in. */
    @Override
    public long skip(long count) throws IOException {
      requireOpen();
      byte[] waste = new byte[(int) Math.max(0, Math.min(count, 8192))];
      long skipped = 0;
      while (skipped < count) {
        int n = super.read(waste, 0, (int) Math.min(waste.length, count - skipped));
        if (n < 0) {
          break;
        }
        skipped += n;
      }
      return skipped;
    }

    @Override
    public int available() throws IOException {
      requireOpen();
      return super.available();
    }

    @Override
    public boolean markSupported() {
      return false;
    }

    @Override
    public void close() throws IOException {
      isClosed = true;
      forget(this);
      super.close();
    }

    private void requireOpen() throws IOException {
      if (isClosed) {
        throw new IOException("stream of " + what + " is closed");
      }
    }
  }
}
