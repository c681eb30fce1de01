package org.stellaops.backup.retention;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;

/**
 * Times that cannot be true, found without believing any one clock: nothing is deleted on the word
 * of a clock that contradicts the order of commits, the store, or whoever deletes.
 *
 * <p>Within a log captures of different sources may overlap: a long run commits after a short one
 * that began later. Only more than a week between them is taken for a clock that jumped.
 */
final class Clocks {
  private static final Duration TOLERANCE = Duration.ofMinutes(15);
  private static final Duration LONGEST_RUN = Duration.ofDays(7);

  private final History history;
  private final List<Finding> blockers = new ArrayList<>();

  private Clocks(History history) {
    this.history = history;
  }

  /** What has to be mended before anything may be deleted. */
  static List<Finding> blockers(History history, Captures captures) {
    Clocks clocks = new Clocks(history);
    history.storeTime().ifPresent(clocks::compareWithStore);
    List<Capture> inOrder = new ArrayList<>(captures.counted());
    inOrder.sort(
        Comparator.comparing(Capture::log)
            .thenComparing(Capture::sequence)
            .thenComparing(c -> c.header().source()));
    inOrder.forEach(clocks::compareWithNow);
    clocks.compareWithOrder(inOrder);
    return List.copyOf(clocks.blockers);
  }

  private void compareWithStore(Instant store) {
    if (Duration.between(store, history.clock()).abs().compareTo(TOLERANCE) > 0) {
      blockers.add(
          new Finding(
              CoreFailure.CLOCK_UNSOUND,
              "clock",
              "the clock here says %s, the store's %s".formatted(history.clock(), store)));
    }
  }

  private void compareWithNow(Capture capture) {
    Instant now = history.clock();
    Optional<Instant> store = history.storeTime();
    Instant earliest = store.isPresent() && store.get().isBefore(now) ? store.get() : now;
    if (isBehind(earliest, capture.time(), TOLERANCE)) {
      // Without what it is now: consent is to what the blockers say, and is given later.
      report(capture, "began at %s, which is yet to come".formatted(capture.time()));
    }
  }

  private void compareWithOrder(List<Capture> inOrder) {
    Map<Series, Capture> ofSeries = new HashMap<>();
    Map<String, Capture> ofLog = new HashMap<>();
    for (Capture capture : inOrder) {
      Capture own = ofSeries.get(Series.of(capture));
      Capture any = ofLog.get(capture.log());
      if (isBehind(capture, own, TOLERANCE)) {
        reportOrder(capture, own);
      } else if (isBehind(capture, any, LONGEST_RUN)) {
        reportOrder(capture, any);
      }
      ofSeries.merge(Series.of(capture), capture, Clocks::later);
      ofLog.merge(capture.log(), capture, Clocks::later);
    }
  }

  private static boolean isBehind(Capture capture, @Nullable Capture before, Duration tolerated) {
    return before != null && isBehind(capture.time(), before.time(), tolerated);
  }

  /** Whatever the two say, nothing overflows. */
  private static boolean isBehind(Instant time, Instant other, Duration tolerated) {
    return Duration.between(time, other).compareTo(tolerated) > 0;
  }

  private static Capture later(Capture a, Capture b) {
    return a.time().isBefore(b.time()) ? b : a;
  }

  private void reportOrder(Capture capture, @Nullable Capture before) {
    if (before != null) {
      report(
          capture,
          "began at %s, though it was committed after %s, which began at %s"
              .formatted(capture.time(), before, before.time()));
    }
  }

  private void report(Capture capture, String found) {
    blockers.add(new Finding(CoreFailure.CLOCK_UNSOUND, capture.toString(), found));
  }
}
