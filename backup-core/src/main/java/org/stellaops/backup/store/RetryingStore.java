package org.stellaops.backup.store;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;

/**
 * Tries again what failed with {@link Reason#TRANSIENT}, and nothing else.
 *
 * <p>A put whose reply was lost is met again as "exists" by the next attempt. Then, and only then,
 * the object is read back: if it is the body, byte for byte, it was ours. A stream that breaks
 * after it was opened is not resumed; whoever reads it knows whether to begin again.
 */
public final class RetryingStore extends ForwardingStore {
  private static final int BUFFER_BYTES = 1 << 16;

  private final RetryPolicy policy;
  private final Sleeper sleeper;
  private final RandomGenerator random;

  /**
   * Wraps a store.
   *
   * @param inner closed with this store
   * @param random used by several threads, one at a time
   */
  public RetryingStore(
      ObjectStore inner, RetryPolicy policy, Sleeper sleeper, RandomGenerator random) {
    super(inner, Set.of(StoreAbility.Capacity.class, StoreAbility.Strays.class));
    this.policy = policy;
    this.sleeper = sleeper;
    this.random = random;
  }

  /** For {@link org.stellaops.backup.spi.BackupSink#with}. */
  public static UnaryOperator<ObjectStore> wrapping(RetryPolicy policy) {
    return inner -> new RetryingStore(inner, policy, RetryingStore::sleep, new SplittableRandom());
  }

  /** Waits. */
  @FunctionalInterface
  public interface Sleeper {
    /**
     * Returns after about that time.
     *
     * @throws BackupException.Stopped if the thread was interrupted; the flag stays set
     */
    void sleep(Duration time) throws BackupException.Stopped;
  }

  @Override
  public void put(ObjectName name, ObjectBody body) throws IOException {
    int failed = 0;
    while (true) {
      try {
        inner().put(name, body);
        return;
      } catch (BackupException.Sink e) {
        if (e.reason() == Reason.ALREADY_EXISTS && failed > 0 && holds(name, body)) {
          return;
        }
        failed++;
        waitOrThrow(e, failed);
      }
    }
  }

  private boolean holds(ObjectName name, ObjectBody body) throws IOException {
    MessageDigest digest = Digest.sha256();
    long length = 0;
    try (InputStream stored = open(name, new ByteRange(0, body.lengthBytes() + 1))) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = stored.read(buffer); n >= 0; n = stored.read(buffer)) {
        digest.update(buffer, 0, n);
        length += n;
      }
    }
    return length == body.lengthBytes() && Digest.of(digest.digest()).equals(body.digest());
  }

  @Override
  public void delete(ObjectName name) throws IOException {
    retrying(
        () -> {
          inner().delete(name);
          return name;
        });
  }

  @Override
  public InputStream open(ObjectName name, ByteRange range) throws IOException {
    return retrying(() -> inner().open(name, range));
  }

  @Override
  public ObjectPage list(String prefix, PageToken from) throws IOException {
    return retrying(() -> inner().list(prefix, from));
  }

  private <T> T retrying(Attempt<T> attempt) throws IOException {
    int failed = 0;
    while (true) {
      try {
        return attempt.make();
      } catch (BackupException.Sink e) {
        failed++;
        waitOrThrow(e, failed);
      }
    }
  }

  private void waitOrThrow(BackupException.Sink e, int failed) throws BackupException {
    if (e.reason() != Reason.TRANSIENT || failed >= policy.attempts()) {
      throw e;
    }
    Duration delay;
    synchronized (random) {
      delay = policy.delayAfter(failed, random);
    }
    sleeper.sleep(delay);
  }

  private static void sleep(Duration time) throws BackupException.Stopped {
    long until = System.nanoTime() + time.toNanos();
    for (long left = time.toNanos(); left > 0; left = until - System.nanoTime()) {
      LockSupport.parkNanos(left);
      if (Thread.currentThread().isInterrupted()) {
        throw new BackupException.Stopped(
            CoreFailure.CANCELLED, "interrupted while waiting to try a store again");
      }
    }
  }

  @FunctionalInterface
  private interface Attempt<T> {
    T make() throws IOException;
  }
}
