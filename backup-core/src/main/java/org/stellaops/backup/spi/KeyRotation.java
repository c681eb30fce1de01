package org.stellaops.backup.spi;

import java.io.IOException;
import java.util.Optional;

/**
 * How a writer's signing key gives way to the next, while what names chunks and reads the writer's
 * own state stays: an ability of {@link WriterKeys}. From any thread.
 */
public interface KeyRotation {
  /**
   * Public half of the next key. Made the first time, and durable on return: the same again in any
   * process until it takes over.
   */
  String nextKey() throws IOException;

  /**
   * Public half of the next key, if one was made that did not take over yet: after a crash. Makes
   * none.
   */
  default Optional<String> waitingKey() throws IOException {
    return Optional.empty();
  }

  /**
   * From now on the next key signs, durably; the one before is among the former ones, and its
   * private half is gone.
   *
   * @throws IllegalStateException if there is no next key
   */
  void takeOver() throws IOException;
}
