package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What has to be closed, newest first: each of it, whatever becomes of the others. The first
 * failure is thrown at the end, with the others suppressed in it. One thread.
 */
public final class Closing implements Closeable {
  private final Deque<Closeable> open = new ArrayDeque<>();

  /** Nothing yet. */
  public Closing() {}

  /** Will be closed before all that was added earlier. */
  public <T extends Closeable> T add(T opened) {
    open.push(opened);
    return opened;
  }

  /** From now on somebody else closes what was added. */
  public void handOver() {
    open.clear();
  }

  @Override
  public void close() throws IOException {
    closeRest();
  }

  private void closeRest() throws IOException {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (IOException | RuntimeException e) {
        closeAfter(e);
        throw e;
      }
    }
  }

  private void closeAfter(Exception failure) {
    try {
      closeRest();
    } catch (IOException | RuntimeException more) {
      failure.addSuppressed(more);
    }
  }
}
