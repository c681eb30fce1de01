package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.store.ForwardingStore;

/** A tier of a store in which objects cannot be read before they were asked for and time passed. */
final class ColdTier {
  private final Predicate<ObjectName> isCold;
  final Set<ObjectName> requested = new TreeSet<>();
  private final Set<ObjectName> retrieved = new TreeSet<>();

  ColdTier(Predicate<ObjectName> isCold) {
    this.isCold = isCold;
  }

  BackupSink on(BackupSink sink) {
    return sink.with(Store::new);
  }

  /** Hours pass. */
  void hoursPass() {
    retrieved.addAll(requested);
    requested.clear();
  }

  private final class Store extends ForwardingStore implements StoreAbility.Retrieval {
    Store(ObjectStore inner) {
      super(inner);
    }

    @Override
    public InputStream open(ObjectName name, ByteRange range) throws IOException {
      if (stateOf(name) != State.READABLE) {
        throw new BackupException.Sink(
            CoreFailure.NOT_RETRIEVED,
            BackupException.Sink.Reason.NOT_YET_RETRIEVED,
            name + " is cold");
      }
      return super.open(name, range);
    }

    @Override
    public State stateOf(ObjectName name) {
      if (!isCold.test(name) || retrieved.contains(name)) {
        return State.READABLE;
      }
      return requested.contains(name) ? State.UNDER_WAY : State.COLD;
    }

    @Override
    public void request(ObjectName name, Duration readable) {
      requested.add(name);
    }

    @Override
    public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
      return Stream.of(this).filter(type::isInstance).<A>map(type::cast).findFirst();
    }
  }
}
