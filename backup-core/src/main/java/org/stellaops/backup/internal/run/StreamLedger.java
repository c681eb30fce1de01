package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.repository.IoPredicate;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.ObjectRef;
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
  private final Set<StreamGap> gaps = new LinkedHashSet<>();
  private final Set<StreamMark> marks = new HashSet<>();
  private final Set<String> keys = new LinkedHashSet<>();
  private Optional<Head> head;
  private Optional<Position> durable = Optional.empty();

  private Optional<Head> seen;
  private IoPredicate<ObjectRef> doomed = object -> false;

  StreamLedger(StreamLog log) {
    this.head = log.head();
    this.seen = log.seen();
    log.entries().forEach(this::add);
  }

  private void add(StreamLog.Standing standing) {
    StreamEntry entry = standing.entry();
    entries.add(standing);
    entry.companions().forEach(c -> companions.put(c.name(), c));
    gaps.addAll(entry.gaps());
    marks.addAll(entry.marks());
    keys.addAll(entry.about().keys());
    for (Slice slice : entry.slices()) {
      Position to = slice.span().to();
      ends.merge(to.branch(), to, (a, b) -> isLess(a, b) ? b : a);
    }
    int last = entry.slices().size() - 1;
    if (last >= 0) {
      durable = end(entry.slices().get(last).span().to().branch());
    }
  }

  /** An entry was committed in the place of those from {@code from} on. */
  void committed(Head place, StreamEntry entry, int from, StreamLog.Signed signed) {
    head = Optional.of(place);
    seen = signed.seen();
    entries.subList(from, entries.size()).clear();
    add(new StreamLog.Standing(place, entry, signed));
  }

  /** What the newest entry says that was read of the retention log. */
  Optional<Head> seen() {
    return seen;
  }

  /** From now on what takes the place of others names none of these. */
  void leaveOut(IoPredicate<ObjectRef> objects) {
    doomed = objects;
  }

  Optional<Head> head() {
    return head;
  }

  int size() {
    return entries.size();
  }

  /** Behind the farthest byte of the branch that was recorded last. */
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

  /** Whether a named place was recorded. */
  boolean knows(StreamMark mark) {
    return marks.contains(mark);
  }

  /** Whether it was recorded that something is lost there. */
  boolean knows(StreamGap gap) {
    return gaps.stream().anyMatch(g -> g.from().isAt(gap.from()) && g.to().isAt(gap.to()));
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

  /** How long what the entries from here on say is, as it is written. */
  int lengthBytes(int from) {
    return entries.subList(from, entries.size()).stream()
        .mapToInt(e -> e.entry().lengthBytes())
        .sum();
  }

  /** Slices in the entries from here on. */
  List<Slice> slices(int from) {
    List<Slice> slices = new ArrayList<>();
    entries.subList(from, entries.size()).forEach(e -> slices.addAll(e.entry().slices()));
    return slices;
  }

  /** One entry for those from here on, which lists what they say together. */
  StreamEntry listed(int from) throws IOException {
    return joined(from, StreamEntry.TOP_TIER, slices(from), List.of());
  }

  /**
   * One entry for those from here on, with one slice in the place of those that it covers. The
   * order of recording stays, since it tells where to go on.
   *
   * @param epoch the sealed keys of the epoch that the slice is encrypted to
   */
  StreamEntry merged(int from, Slice whole, List<String> epoch) throws IOException {
    List<Slice> kept = new ArrayList<>();
    int place = 0;
    for (Slice slice : slices(from)) {
      if (whole.span().covers(slice.span())) {
        place = kept.size();
      } else {
        kept.add(slice);
      }
    }
    kept.add(place, whole);
    return joined(from, 1, kept, epoch);
  }

  private StreamEntry joined(int from, int tier, List<Slice> slices, List<String> more)
      throws IOException {
    List<Slice> alive = new ArrayList<>();
    for (Slice slice : slices) {
      if (!doomed.test(slice.object())) {
        alive.add(slice);
      }
    }
    Map<String, Companion> files = new LinkedHashMap<>();
    Set<StreamMark> named = new LinkedHashSet<>();
    Set<StreamGap> lost = new LinkedHashSet<>();
    Set<String> allKeys = new LinkedHashSet<>();
    for (StreamLog.Standing standing : entries.subList(from, entries.size())) {
      StreamEntry entry = standing.entry();
      entry.companions().forEach(c -> files.put(c.name(), c));
      named.addAll(entry.marks());
      lost.addAll(entry.gaps());
      allKeys.addAll(entry.about().keys());
    }
    allKeys.addAll(more);
    StreamEntry.About last = entries.get(entries.size() - 1).entry().about();
    return new StreamEntry(
        new StreamEntry.About(last.stream(), last.kind(), last.lineage(), List.copyOf(allKeys)),
        tier,
        alive,
        List.copyOf(files.values()),
        List.copyOf(named),
        List.copyOf(lost),
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
