package org.stellaops.backup.internal.cloud;

import java.io.IOException;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;

/**
 * Whether an object was made by us, where the reply to the request that makes it leaves that open:
 * a reply that was lost, or one that says that the object exists, which it also does because of an
 * earlier attempt. Each put has a nonce of its own in the object's metadata; the object is asked
 * for it.
 */
public final class Settlement {
  private final StoreFailures failures;

  /** At one place. */
  public Settlement(StoreFailures failures) {
    this.failures = failures;
  }

  /**
   * Makes the request, and returns if the object is ours.
   *
   * @param isCreating the name must be free; else what another made is what was to be replaced, and
   *     a request of which no reply came was not done
   * @param owner the nonce of whoever made the object; empty if there is no object
   */
  public void settle(
      String tried,
      String nonce,
      boolean isCreating,
      Request<?> making,
      Request<Optional<String>> owner)
      throws IOException {
    try {
      making.send();
    } catch (BackupException.Sink e) {
      boolean isOpen = e.reason() == Reason.TRANSIENT || e.reason() == Reason.ALREADY_EXISTS;
      if (!isOpen) {
        throw e;
      }
      Optional<String> found = asked(owner, e);
      if (found.isEmpty()) {
        throw e.reason() == Reason.TRANSIENT ? e : failures.vanished(tried, e);
      }
      if (!found.get().equals(nonce)) {
        boolean isAsBefore = !isCreating && e.reason() == Reason.TRANSIENT;
        throw isAsBefore ? e : failures.exists(tried, e);
      }
    }
  }

  /** Whoever may not read cannot know; then it stays as open as it was. */
  private static Optional<String> asked(Request<Optional<String>> owner, BackupException.Sink open)
      throws IOException {
    try {
      return owner.send();
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.DENIED) {
        open.addSuppressed(e);
        throw open;
      }
      e.addSuppressed(open);
      throw e;
    }
  }
}
