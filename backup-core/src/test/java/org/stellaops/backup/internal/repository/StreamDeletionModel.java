package org.stellaops.backup.internal.repository;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The protocol of recording and deletion with everything else left out: a writer that has recorded
 * one stream for long and begins another, of which two processes record the first range; a janitor;
 * a store of objects that each hold that range; the logs. Every step is one operation on the store,
 * all of them in any order, and everybody may die before any of them.
 */
final class StreamDeletionModel {
  private static final int MOST_ENTRIES = 2;

  private static final int DOOM = 0;
  private static final int SWEEP = 16;
  private static final int RECALL = 32;

  private final int mostObjects;
  private final int mostSaid;
  private final boolean isLookedAtAgain;
  private final boolean isDoubted;
  private final Set<State> known = new HashSet<>();
  private final Deque<State> open = new ArrayDeque<>();

  /**
   * @param mostObjects are stored, and {@code mostSaid} entries are in the log of deletions
   * @param isLookedAtAgain whether a recorder looks at what its first entry names when it is there
   * @param isDoubted whether one that goes on behind a first entry looks at what that names
   */
  StreamDeletionModel(int mostObjects, int mostSaid, boolean isLookedAtAgain, boolean isDoubted) {
    this.mostObjects = mostObjects;
    this.mostSaid = mostSaid;
    this.isLookedAtAgain = isLookedAtAgain;
    this.isDoubted = isDoubted;
  }

  /** What a recorder is about to do. */
  enum Phase {
    CLOSED,
    OPENED,
    STORED,
    CHECKED,
    COMMITTED
  }

  /**
   * A recorder at work.
   *
   * @param head of the new stream's log, as it read it
   * @param object that its entry will name
   * @param seen how much of the log of deletions it has read
   */
  record Recorder(Phase phase, int head, int object, int seen) {
    static final Recorder CLOSED = new Recorder(Phase.CLOSED, 0, 0, 0);
  }

  /**
   * A janitor at work.
   *
   * @param listed objects that it saw, or none: -1
   * @param entries of the new stream's log that it read after that, or none: -1
   * @param old what the old stream's log knew then of the log of deletions
   */
  record Sweeper(int listed, int entries, int old) {
    static final Sweeper IDLE = new Sweeper(-1, -1, 0);
  }

  /** An entry of the new stream: its object, and how much of the log of deletions it has seen. */
  record Named(int object, int seen) {}

  /**
   * Everything there is.
   *
   * @param old how much of the log of deletions the old stream's log has seen
   * @param isTold whether the source was told that the range is durable
   */
  record State(
      int store,
      int made,
      int old,
      List<Named> log,
      List<Integer> said,
      Recorder a,
      Recorder b,
      Sweeper janitor,
      boolean isTold) {
    State with(Recorder recorder, boolean isA) {
      return new State(
          store, made, old, log, said, isA ? recorder : a, isA ? b : recorder, janitor, isTold);
    }

    State with(Sweeper next) {
      return new State(store, made, old, log, said, a, b, next, isTold);
    }

    State storing(int objects, int count) {
      return new State(objects, count, old, log, said, a, b, janitor, isTold);
    }

    State knowing() {
      return new State(store, made, said.size(), log, said, a, b, janitor, isTold);
    }

    State telling() {
      return new State(store, made, old, log, said, a, b, janitor, true);
    }

    State saying(int what) {
      List<Integer> more = new ArrayList<>(said);
      more.add(what);
      return new State(store, made, old, log, List.copyOf(more), a, b, janitor, isTold);
    }

    State naming(Named entry) {
      List<Named> more = new ArrayList<>(log);
      more.add(entry);
      return new State(store, made, old, List.copyOf(more), said, a, b, janitor, isTold);
    }

    boolean holds(int object) {
      return (store & (1 << object)) != 0;
    }

    boolean isRecalled(int doom) {
      return said.contains(RECALL + doom);
    }

    boolean isDoomed(int object) {
      for (int i = 0; i < said.size(); i++) {
        if (said.get(i) == DOOM + object && !isRecalled(i)) {
          return true;
        }
      }
      return false;
    }

    /** Whether one of the first entries names an object. */
    boolean isNamed(int object, int entries) {
      return log.subList(0, entries).stream().anyMatch(e -> e.object() == object);
    }

    /** The source may have forgotten the range, and nothing that is named holds it. */
    boolean isViolated() {
      return isTold && log.stream().noneMatch(e -> holds(e.object()));
    }
  }

  /** Looks at every state that can be reached; the first in which the range is lost. */
  Optional<State> search() {
    reach(
        new State(
            0, 0, 0, List.of(), List.of(), Recorder.CLOSED, Recorder.CLOSED, Sweeper.IDLE, false));
    while (!open.isEmpty()) {
      State state = open.remove();
      if (state.isViolated()) {
        return Optional.of(state);
      }
      step(state, state.a(), true);
      step(state, state.b(), false);
      reach(state.knowing());
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

  private void step(State state, Recorder recorder, boolean isA) {
    if (recorder.phase() != Phase.CLOSED) {
      reach(state.with(Recorder.CLOSED, isA));
    }
    switch (recorder.phase()) {
      case CLOSED -> open(state, isA);
      case OPENED -> store(state, recorder, isA);
      case STORED -> check(state, recorder, isA);
      case CHECKED -> commit(state, recorder, isA);
      case COMMITTED -> tell(state, isA);
    }
  }

  /** What is recorded is not sent again: the source is told so. */
  private void open(State state, boolean isA) {
    int head = state.log().size();
    boolean isInDoubt = isDoubted && head == 1 && state.isDoomed(state.log().get(0).object());
    if (head > 0 && !isInDoubt) {
      reach(state.telling());
    } else {
      reach(state.with(new Recorder(Phase.OPENED, head, 0, 0), isA));
    }
  }

  private void store(State state, Recorder recorder, boolean isA) {
    int object = state.made();
    if (object < mostObjects) {
      reach(
          state
              .storing(state.store() | (1 << object), object + 1)
              .with(new Recorder(Phase.STORED, recorder.head(), object, 0), isA));
    }
  }

  private void check(State state, Recorder recorder, boolean isA) {
    if (!state.isDoomed(recorder.object())) {
      reach(
          state.with(
              new Recorder(Phase.CHECKED, recorder.head(), recorder.object(), state.said().size()),
              isA));
    }
  }

  /** Create-if-absent of the next slot. */
  private void commit(State state, Recorder recorder, boolean isA) {
    int before = state.log().isEmpty() ? 0 : state.log().get(state.log().size() - 1).seen();
    boolean isFree = state.log().size() == recorder.head() && recorder.head() < MOST_ENTRIES;
    if (isFree && recorder.seen() >= before) {
      reach(
          state
              .naming(new Named(recorder.object(), recorder.seen()))
              .with(new Recorder(Phase.COMMITTED, recorder.head(), recorder.object(), 0), isA));
    }
  }

  private void tell(State state, boolean isA) {
    Recorder recorder = isA ? state.a() : state.b();
    boolean isDoomed = isLookedAtAgain && recorder.head() == 0 && state.isDoomed(recorder.object());
    if (!isDoomed) {
      reach(state.telling().with(Recorder.CLOSED, isA));
    }
  }

  private void sweep(State state) {
    Sweeper janitor = state.janitor();
    if (janitor.listed() < 0) {
      reach(state.with(new Sweeper(state.store(), -1, 0)));
      return;
    }
    reach(state.with(Sweeper.IDLE));
    if (janitor.entries() < 0) {
      reach(state.with(new Sweeper(janitor.listed(), state.log().size(), state.old())));
      return;
    }
    for (int object = 0; object < state.made(); object++) {
      boolean isListed = (janitor.listed() & (1 << object)) != 0;
      if (isListed && !state.isNamed(object, janitor.entries()) && !state.isDoomed(object)) {
        say(state, DOOM + object);
      }
    }
    for (int i = 0; i < state.said().size(); i++) {
      if (state.said().get(i) < SWEEP && !state.isRecalled(i)) {
        finish(state, i, state.said().get(i) - DOOM);
      }
    }
  }

  private void say(State state, int what) {
    if (state.said().size() < mostSaid) {
      reach(state.saying(what));
    }
  }

  /** What the janitor does about one doom. */
  private void finish(State state, int doom, int object) {
    Sweeper janitor = state.janitor();
    boolean isSwept = state.said().contains(SWEEP + doom);
    if (state.isNamed(object, janitor.entries())) {
      if (!isSwept) {
        say(state, RECALL + doom);
      }
    } else if (isSwept) {
      reach(state.storing(state.store() & ~(1 << object), state.made()));
    } else if (janitor.old() > doom && isKnown(state, doom, janitor.entries())) {
      say(state, SWEEP + doom);
    }
  }

  /** A log without an entry knows nothing, and is not seen. */
  private static boolean isKnown(State state, int doom, int entries) {
    return entries == 0 || state.log().get(entries - 1).seen() > doom;
  }
}
