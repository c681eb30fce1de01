package org.stellaops.backup.internal.repository;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The protocol of commit and deletion with everything else left out: two engines of one writer,
 * whose every run needs one and the same chunk; a janitor; a store of packs that each hold it; two
 * logs. Every step is one operation on the store, all of them in any order, and everybody may die
 * before any of them.
 */
final class DeletionModel {
  private static final int MOST_PACKS = 2;
  private static final int MOST_ENTRIES = 2;
  private static final int MOST_SAID = 4;

  private static final int DOOM = 0;
  private static final int RETIRE = 16;
  private static final int SWEEP = 32;
  private static final int RECALL = 48;

  private final boolean isAcknowledged;
  private final boolean isCheckedAgain;
  private final Set<State> known = new HashSet<>();
  private final Deque<State> open = new ArrayDeque<>();

  /**
   * @param isAcknowledged whether the janitor waits until the writer's log knows of a doom
   * @param isCheckedAgain whether a commit looks at the log of deletions once more
   */
  DeletionModel(boolean isAcknowledged, boolean isCheckedAgain) {
    this.isAcknowledged = isAcknowledged;
    this.isCheckedAgain = isCheckedAgain;
  }

  /** What an engine is about to do. */
  enum Phase {
    IDLE,
    STORED,
    HEAD_READ,
    CHECKED
  }

  /**
   * An engine in a run.
   *
   * @param pack that its entry will name
   * @param head of the writer's log, as it read it
   * @param seen how much of the log of deletions it has read
   */
  record Engine(Phase phase, int pack, int head, int seen) {
    static final Engine IDLE = new Engine(Phase.IDLE, 0, 0, 0);

    Engine in(Phase next) {
      return new Engine(next, pack, head, seen);
    }
  }

  /**
   * A janitor at work.
   *
   * @param listed packs that it saw, or none: -1
   * @param entries of the writer's log that it read after that, or none: -1
   */
  record Sweeper(int listed, int entries) {
    static final Sweeper IDLE = new Sweeper(-1, -1);
  }

  /** An entry of the writer's log: its pack, and how much of the log of deletions it has seen. */
  record Named(int pack, int seen) {}

  /** Everything there is. */
  record State(
      int store,
      int made,
      List<Named> log,
      List<Integer> said,
      Engine a,
      Engine b,
      Sweeper janitor) {
    State with(Engine engine, boolean isA) {
      return new State(store, made, log, said, isA ? engine : a, isA ? b : engine, janitor);
    }

    State with(Sweeper next) {
      return new State(store, made, log, said, a, b, next);
    }

    State storing(int packs, int count) {
      return new State(packs, count, log, said, a, b, janitor);
    }

    State saying(int what) {
      List<Integer> more = new ArrayList<>(said);
      more.add(what);
      return new State(store, made, log, List.copyOf(more), a, b, janitor);
    }

    State naming(Named entry) {
      List<Named> more = new ArrayList<>(log);
      more.add(entry);
      return new State(store, made, List.copyOf(more), said, a, b, janitor);
    }

    boolean holds(int pack) {
      return (store & (1 << pack)) != 0;
    }

    /** Up to there the pack is doomed, and that was not taken back. */
    boolean isDoomed(int pack, int upTo) {
      boolean isDoomed = false;
      for (int i = 0; i < upTo; i++) {
        isDoomed |= said.get(i) == DOOM + pack && !isRecalled(i, upTo);
      }
      return isDoomed;
    }

    boolean isRecalled(int doom, int upTo) {
      return said.subList(0, upTo).contains(RECALL + doom);
    }

    boolean isRetired(int entry) {
      return said.contains(RETIRE + entry);
    }

    /** Whether an entry among the first ones needs a pack. */
    boolean isLive(int pack, int entries) {
      boolean isLive = false;
      for (int i = 0; i < entries; i++) {
        isLive |= log.get(i).pack() == pack && !isRetired(i);
      }
      return isLive;
    }

    /** A snapshot that was not let go needs a pack that is gone. */
    boolean isViolated() {
      for (int i = 0; i < log.size(); i++) {
        if (!isRetired(i) && !holds(log.get(i).pack())) {
          return true;
        }
      }
      return false;
    }
  }

  /** Looks at every state that can be reached; the first in which a snapshot is lost. */
  Optional<State> search() {
    reach(new State(0, 0, List.of(), List.of(), Engine.IDLE, Engine.IDLE, Sweeper.IDLE));
    while (!open.isEmpty()) {
      State state = open.remove();
      if (state.isViolated()) {
        return Optional.of(state);
      }
      step(state, state.a(), true);
      step(state, state.b(), false);
      sweep(state);
    }
    return Optional.empty();
  }

  /** How many states were looked at. */
  int states() {
    return known.size();
  }

  private void reach(State state) {
    if (known.add(state)) {
      open.add(state);
    }
  }

  private void step(State state, Engine engine, boolean isA) {
    if (engine.phase() != Phase.IDLE) {
      reach(state.with(Engine.IDLE, isA));
    }
    switch (engine.phase()) {
      case IDLE -> begin(state, isA);
      case STORED ->
          reach(state.with(new Engine(Phase.HEAD_READ, engine.pack(), state.log().size(), 0), isA));
      case HEAD_READ -> check(state, engine, isA);
      case CHECKED -> commit(state, engine, isA);
    }
  }

  /** Uses a pack that is there and not doomed, or stores another. */
  private void begin(State state, boolean isA) {
    if (state.log().size() == MOST_ENTRIES) {
      return;
    }
    for (int pack = 0; pack < state.made(); pack++) {
      if (state.holds(pack) && !state.isDoomed(pack, state.said().size())) {
        reach(state.with(new Engine(Phase.STORED, pack, 0, 0), isA));
      }
    }
    store(state, isA);
  }

  private void store(State state, boolean isA) {
    if (state.made() < MOST_PACKS) {
      int pack = state.made();
      reach(
          state
              .storing(state.store() | (1 << pack), pack + 1)
              .with(new Engine(Phase.STORED, pack, 0, 0), isA));
    }
  }

  private void check(State state, Engine engine, boolean isA) {
    int seen = state.said().size();
    if (isCheckedAgain && state.isDoomed(engine.pack(), seen)) {
      store(state, isA);
    } else {
      reach(state.with(new Engine(Phase.CHECKED, engine.pack(), engine.head(), seen), isA));
    }
  }

  /** Create-if-absent of the next slot. */
  private void commit(State state, Engine engine, boolean isA) {
    if (state.log().size() != engine.head()) {
      reach(state.with(engine.in(Phase.STORED), isA));
      return;
    }
    int before = state.log().isEmpty() ? 0 : state.log().get(state.log().size() - 1).seen();
    if (engine.seen() >= before && state.log().size() < MOST_ENTRIES) {
      reach(state.naming(new Named(engine.pack(), engine.seen())).with(Engine.IDLE, isA));
    }
  }

  private void sweep(State state) {
    Sweeper janitor = state.janitor();
    if (janitor.listed() < 0) {
      reach(state.with(new Sweeper(state.store(), -1)));
      for (int i = 0; i < state.log().size(); i++) {
        if (!state.isRetired(i)) {
          say(state, RETIRE + i);
        }
      }
      return;
    }
    reach(state.with(Sweeper.IDLE));
    if (janitor.entries() < 0) {
      reach(state.with(new Sweeper(janitor.listed(), state.log().size())));
      return;
    }
    for (int pack = 0; pack < state.made(); pack++) {
      boolean isListed = (janitor.listed() & (1 << pack)) != 0;
      if (isListed
          && !state.isLive(pack, janitor.entries())
          && !state.isDoomed(pack, state.said().size())) {
        say(state, DOOM + pack);
      }
    }
    for (int i = 0; i < state.said().size(); i++) {
      if (state.said().get(i) < RETIRE && !state.isRecalled(i, state.said().size())) {
        finish(state, i, state.said().get(i) - DOOM);
      }
    }
  }

  private void say(State state, int what) {
    if (state.said().size() < MOST_SAID) {
      reach(state.saying(what));
    }
  }

  /** What the janitor does about one doom. */
  private void finish(State state, int doom, int pack) {
    int entries = state.janitor().entries();
    boolean isSwept = state.said().contains(SWEEP + doom);
    if (state.isLive(pack, entries)) {
      if (!isSwept) {
        say(state, RECALL + doom);
      }
    } else if (isSwept) {
      reach(state.storing(state.store() & ~(1 << pack), state.made()));
    } else if (!isAcknowledged || isKnown(state, doom, entries)) {
      say(state, SWEEP + doom);
    }
  }

  private static boolean isKnown(State state, int doom, int entries) {
    return state.log().subList(0, entries).stream().anyMatch(e -> e.seen() > doom);
  }
}
