package org.stellaops.backup.internal.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamEntry.Companion;
import org.stellaops.backup.internal.repository.StreamEntry.Replaced;
import org.stellaops.backup.internal.repository.StreamEntry.Slice;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;

/** What the log of a stream holds, in memory, as far as who goes on recording has to know it. */
final class StreamLedger {
  private final List<StreamLog.Standing> entries = new ArrayList<>();
  private final Map<Long, Position> ends = new HashMap<>();
  private final Map<String, Companion> companions = new HashMap<>();
  private final List<StreamGap> gaps = new ArrayList<>();
  private final Set<String> keys = new LinkedHashSet<>();
  private Optional<Head> head;
  private Optional<Position> durable = Optional.empty();

  StreamLedger(StreamLog log) {
    this.head = log.head();
    log.entries().forEach(this::add);
  }

  private void add(StreamLog.Standing standing) {
    StreamEntry entry = standing.entry();
    entries.add(standing);
    entry.companions().forEach(c -> companions.put(c.name(), c));
    gaps.addAll(entry.gaps());
    keys.addAll(entry.about().keys());
    for (Slice slice : entry.slices()) {
      Position to = slice.span().to();
      ends.merge(to.branch(), to, (a, b) -> isLess(a, b) ? b : a);
    }
    int last = entry.slices().size() - 1;
    if (last >= 0 && entry.replaced().isEmpty()) {
      Position to = entry.slices().get(last).span().to();
      durable = durable.filter(d -> isBefore(to, d)).or(() -> Optional.of(to));
    } else if (last >= 0 && durable.isEmpty()) {
      durable = newest(entry.slices());
    }
  }

  /** Whether something older was recorded later: an archive may be sent once more. */
  private static boolean isBefore(Position to, Position durable) {
    return to.branch() == durable.branch() ? isLess(to, durable) : to.branch() < durable.branch();
  }

  /** Of the branch that was begun last, the farthest. */
  private static Optional<Position> newest(List<Slice> slices) {
    Position newest = slices.get(0).span().to();
    for (Slice slice : slices) {
      Position to = slice.span().to();
      boolean isFarther =
          to.branch() > newest.branch() || (to.branch() == newest.branch() && isLess(newest, to));
      newest = isFarther ? to : newest;
    }
    return Optional.of(newest);
  }

  /** An entry was committed in the place of those from {@code from} on. */
  void committed(Head place, StreamEntry entry, int from) {
    head = Optional.of(place);
    entries.subList(from, entries.size()).clear();
    add(new StreamLog.Standing(place, entry));
  }

  Optional<Head> head() {
    return head;
  }

  int size() {
    return entries.size();
  }

  /** Behind the last byte of the newest branch. */
  Optional<Position> durable() {
    return durable;
  }

  /** Whose history it is; empty where nothing is recorded. */
  Optional<String> lineage() {
    return entries.isEmpty()
        ? Optional.empty()
        : Optional.of(entries.get(entries.size() - 1).entry().about().lineage());
  }

  boolean knowsKey(String keyField) {
    return keys.contains(keyField);
  }

  Optional<Companion> companion(String name) {
    return Optional.ofNullable(companions.get(name));
  }

  /** How far a branch was recorded. */
  Optional<Position> end(long branch) {
    return Optional.ofNullable(ends.get(branch));
  }

  /** Whether it was recorded that something is lost between these two, or more. */
  boolean isGap(Position end, Position from) {
    return gaps.stream().anyMatch(g -> g.to().isAt(from) && !isLess(end, g.from()));
  }

  /** The slice of exactly this range. */
  Optional<Slice> slice(SliceSpan span) {
    Optional<Position> end = end(span.to().branch());
    if (end.isEmpty() || isLess(end.get(), span.to())) {
      return Optional.empty();
    }
    return entries.stream()
        .flatMap(e -> e.entry().slices().stream())
        .filter(s -> s.span().from().isAt(span.from()) && s.span().to().isAt(span.to()))
        .findFirst();
  }

  static boolean isLess(Position one, Position other) {
    return Long.compareUnsigned(one.offset(), other.offset()) < 0;
  }

  /** Where the entries below this tier begin that nothing of it or above follows. */
  int tail(int tier) {
    int from = entries.size();
    while (from > 0 && entries.get(from - 1).entry().tier() < tier) {
      from--;
    }
    return from;
  }

  /** Slices, marks and the like in the entries from here on. */
  int lines(int from) {
    int lines = 0;
    for (StreamLog.Standing standing : entries.subList(from, entries.size())) {
      StreamEntry entry = standing.entry();
      lines += entry.slices().size() + entry.companions().size();
      lines += entry.marks().size() + entry.gaps().size();
    }
    return lines;
  }

  /** Slices in the entries from here on. */
  List<Slice> slices(int from) {
    List<Slice> slices = new ArrayList<>();
    entries.subList(from, entries.size()).forEach(e -> slices.addAll(e.entry().slices()));
    return slices;
  }

  /**
   * One entry for those from here on, which repeats what they say.
   *
   * @param kept which of their slices still count
   * @param more slices to add
   * @param key of the epoch that these are encrypted to
   */
  StreamEntry joined(int from, int tier, Predicate<Slice> kept, List<Slice> more, String key) {
    List<Slice> slices = new ArrayList<>(slices(from).stream().filter(kept).toList());
    slices.addAll(more);
    Map<String, Companion> files = new LinkedHashMap<>();
    List<StreamMark> marks = new ArrayList<>();
    List<StreamGap> lost = new ArrayList<>();
    Set<String> allKeys = new LinkedHashSet<>();
    for (StreamLog.Standing standing : entries.subList(from, entries.size())) {
      StreamEntry entry = standing.entry();
      entry.companions().forEach(c -> files.put(c.name(), c));
      marks.addAll(entry.marks());
      lost.addAll(entry.gaps());
      allKeys.addAll(entry.about().keys());
    }
    allKeys.add(key);
    StreamEntry.About last = entries.get(entries.size() - 1).entry().about();
    return new StreamEntry(
        new StreamEntry.About(last.stream(), last.kind(), last.lineage(), List.copyOf(allKeys)),
        tier,
        slices,
        List.copyOf(files.values()),
        marks,
        lost,
        Optional.of(replaced(from)));
  }

  /** Slots, not entries: everything behind the entry before, up to the head. */
  private Replaced replaced(int from) {
    Optional<Head> before =
        from == 0 ? Optional.empty() : Optional.of(entries.get(from - 1).place());
    long first = before.map(Head::sequence).orElse(0L) + 1;
    return new Replaced(first, head.map(Head::sequence).orElse(0L), before);
  }
}
