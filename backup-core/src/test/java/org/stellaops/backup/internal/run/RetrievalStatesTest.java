package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;

/** How many requests it takes to know how far thousands of objects are. */
class RetrievalStatesTest {
  private static final int PACKS = 3000;
  private static final int PAGE = 1000;

  /** Counts requests; every third object is cold, every seventh asked for. */
  private static class Tier implements StoreAbility.Retrieval {
    final Map<ObjectName, State> states = new TreeMap<>();
    int requests;

    Tier() {
      for (int i = 0; i < PACKS; i++) {
        State state = i % 3 == 0 ? State.COLD : i % 7 == 0 ? State.UNDER_WAY : State.READABLE;
        states.put(ObjectName.of("w/host-a/packs/%02x/%d".formatted(i % 256, i)), state);
      }
    }

    @Override
    public State stateOf(ObjectName name) throws IOException {
      requests++;
      State state = states.get(name);
      if (state == null) {
        throw new BackupException.Sink(
            CoreFailure.OBJECT_NOT_FOUND, BackupException.Sink.Reason.NOT_FOUND, "none");
      }
      return state;
    }

    @Override
    public void request(ObjectName name, Duration readable) {
      throw new AssertionError("nobody asked for that");
    }
  }

  private static final class ListingTier extends Tier {
    @Override
    public void states(String prefix, Each each) throws IOException {
      int told = 0;
      for (Map.Entry<ObjectName, State> object : states.entrySet()) {
        if (object.getKey().value().startsWith(prefix)) {
          requests += told++ % PAGE == 0 ? 1 : 0;
          each.take(object.getKey(), object.getValue());
        }
      }
    }
  }

  private static int requestsForAll(Tier tier) throws IOException {
    RetrievalStates states = new RetrievalStates(tier);
    for (int round = 0; round < 2; round++) {
      for (Map.Entry<ObjectName, StoreAbility.Retrieval.State> object : tier.states.entrySet()) {
        assertEquals(object.getValue(), states.of(object.getKey()));
      }
    }
    return tier.requests;
  }

  @Test
  void three_thousand_objects_take_three_pages_where_listings_tell() throws IOException {
    assertEquals(RetrievalStates.SINGLY + PACKS / PAGE, requestsForAll(new ListingTier()));
  }

  @Test
  void each_is_asked_for_once_where_they_do_not() throws IOException {
    assertEquals(PACKS, requestsForAll(new Tier()));
  }

  @Test
  void a_few_objects_are_not_worth_a_listing() throws IOException {
    ListingTier tier = new ListingTier();
    RetrievalStates states = new RetrievalStates(tier);
    int wanted = 0;
    for (ObjectName name : tier.states.keySet()) {
      if (wanted++ < RetrievalStates.SINGLY) {
        states.of(name);
      }
    }

    assertEquals(RetrievalStates.SINGLY, tier.requests);
  }

  @Test
  void what_is_missing_is_left_to_whoever_reads_it() throws IOException {
    RetrievalStates states = new RetrievalStates(new ListingTier());

    for (int i = 0; i <= RetrievalStates.SINGLY; i++) {
      ObjectName absent = ObjectName.of("w/host-a/packs/00/absent-" + i);
      assertEquals(StoreAbility.Retrieval.State.READABLE, states.of(absent));
    }
  }
}
