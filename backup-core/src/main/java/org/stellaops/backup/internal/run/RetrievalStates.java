package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility.Retrieval;
import org.stellaops.backup.spi.StoreAbility.Retrieval.State;

/**
 * How far objects of a cold tier are, by few requests: a few of each kind are asked for one by one,
 * and if more are wanted, all of that kind are listed, where listings tell. A request for a page of
 * a listing tells of a thousand. What was told is remembered in 16 bytes for each object, and not
 * asked for again. One thread.
 */
final class RetrievalStates {
  /** So many of a kind are asked for one by one: a small restore lists no large repository. */
  static final int SINGLY = 20;

  private static final Pattern KIND = Pattern.compile("w/[^/]+/[^/]+/");

  private final Retrieval store;
  private final Map<State, DigestSet> told = new EnumMap<>(State.class);
  private final Map<String, Integer> asked = new HashMap<>();

  RetrievalStates(Retrieval store) {
    this.store = store;
  }

  /** How far it is. What is missing is readable: that is told by whoever reads it. */
  State of(ObjectName name) throws IOException {
    Optional<State> known = known(name);
    Matcher kind = KIND.matcher(name.value());
    if (known.isEmpty() && kind.lookingAt()) {
      if (asked.merge(kind.group(), 1, Integer::sum) == SINGLY + 1) {
        store.states(kind.group(), this::remember);
        known = known(name);
      }
    }
    return known.isPresent() ? known.get() : ask(name);
  }

  private Optional<State> known(ObjectName name) throws IOException {
    Digest digest = digestOf(name);
    for (Map.Entry<State, DigestSet> state : told.entrySet()) {
      if (state.getValue().contains(digest)) {
        return Optional.of(state.getKey());
      }
    }
    return Optional.empty();
  }

  private State ask(ObjectName name) throws IOException {
    State state = State.READABLE;
    try {
      state = store.stateOf(name);
    } catch (BackupException.Sink e) {
      if (e.reason() != BackupException.Sink.Reason.NOT_FOUND) {
        throw e;
      }
    }
    remember(name, state);
    return state;
  }

  private void remember(ObjectName name, State state) throws IOException {
    told.computeIfAbsent(state, s -> new DigestSet()).add(digestOf(name));
  }

  private static Digest digestOf(ObjectName name) {
    return Digest.ofContent(name.value().getBytes(StandardCharsets.UTF_8));
  }
}
