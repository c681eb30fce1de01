package org.stellaops.backup.store;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
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
    super(inner);
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

  /**
   * What only asks, or may be done twice, is tried again. To set an object aside, to copy inside
   * the store, to sweep and to look at a store's settings is passed on as it is: after a lost reply
   * nobody can tell what a second attempt would find.
   */
  @Override
  public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
    Optional<A> given = inner().ability(type);
    Optional<? extends StoreAbility> tried = given;
    if (type == StoreAbility.Capacity.class) {
      tried = inner().ability(StoreAbility.Capacity.class).map(this::trying);
    } else if (type == StoreAbility.Times.class) {
      tried = inner().ability(StoreAbility.Times.class).map(this::trying);
    } else if (type == StoreAbility.Digests.class) {
      tried = inner().ability(StoreAbility.Digests.class).map(this::asking);
    } else if (type == StoreAbility.Locking.class) {
      tried = inner().ability(StoreAbility.Locking.class).map(TryingLocks::new);
    } else if (type == StoreAbility.Retrieval.class) {
      tried = inner().ability(StoreAbility.Retrieval.class).map(TryingRetrieval::new);
    }
    return tried.map(type::cast);
  }

  private StoreAbility.Capacity trying(StoreAbility.Capacity capacity) {
    return () -> retrying(capacity::freeBytes);
  }

  private StoreAbility.Times trying(StoreAbility.Times times) {
    return name -> retrying(() -> times.storedAt(name));
  }

  private StoreAbility.Digests asking(StoreAbility.Digests digests) {
    return name -> retrying(() -> digests.digest(name));
  }

  private final class TryingLocks implements StoreAbility.Locking {
    private final StoreAbility.Locking locks;

    TryingLocks(StoreAbility.Locking locks) {
      this.locks = locks;
    }

    @Override
    public Optional<Instant> lockedUntil(ObjectName name) throws IOException {
      return retrying(() -> locks.lockedUntil(name));
    }

    @Override
    public void lock(ObjectName name, Instant until) throws IOException {
      retrying(
          () -> {
            locks.lock(name, until);
            return name;
          });
    }
  }

  private final class TryingRetrieval implements StoreAbility.Retrieval {
    private final StoreAbility.Retrieval retrieval;

    TryingRetrieval(StoreAbility.Retrieval retrieval) {
      this.retrieval = retrieval;
    }

    @Override
    public State stateOf(ObjectName name) throws IOException {
      return retrying(() -> retrieval.stateOf(name));
    }

    @Override
    public void states(String prefix, Each each) throws IOException {
      retrying(
          () -> {
            retrieval.states(prefix, each);
            return prefix;
          });
    }

    @Override
    public void request(ObjectName name, Duration readable) throws IOException {
      retrying(
          () -> {
            retrieval.request(name, readable);
            return name;
          });
    }
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
