package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.internal.repository.RetentionEntry.Doom;
import org.stellaops.backup.internal.repository.RetentionEntry.EntryRef;
import org.stellaops.backup.internal.repository.RetentionEntry.Released;
import org.stellaops.backup.internal.repository.RetentionEntry.Swept;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SourceName;

/**
 * What the log {@code retention} says, as far as it can be believed: where a reader has pinned
 * anybody, only what a key says that is pinned for this log. From any thread.
 */
public final class RetentionLog {
  private final LogView view;
  private final DoomLists lists;
  private final NavigableMap<Long, Head> understood = new TreeMap<>();
  private final Map<EntryRef, NavigableMap<Long, Released>> retired = new HashMap<>();
  private final Map<EntryRef, RetentionEntry.Hold> holds = new HashMap<>();
  private final NavigableMap<Long, Doom> dooms = new TreeMap<>();
  private final Set<Long> sweptDooms = new HashSet<>();
  private final List<Removal> removals = new ArrayList<>();
  private final Map<String, NavigableMap<Long, Swept>> slots = new HashMap<>();
  private final Map<String, DigestSet> doomed = Collections.synchronizedMap(DoomLists.remembered());
  private final Map<String, DigestSet> swept = Collections.synchronizedMap(DoomLists.remembered());
  private final List<Finding> damage = new ArrayList<>();

  private RetentionLog(LogView view, DoomLists lists) {
    this.view = view;
    this.lists = lists;
  }

  /**
   * Reads what stands in the log.
   *
   * @param isPinned whether the reader trusts anybody, and therefore nobody else
   */
  static RetentionLog of(LogView view, boolean isPinned, DoomLists lists) {
    RetentionLog log = new RetentionLog(view, lists);
    view.damage().stream()
        .filter(f -> f.code() != CoreFailure.UNTRUSTED_WRITER)
        .forEach(log.damage::add);
    for (Standing standing : view.entries()) {
      if (standing.isTrusted() || !isPinned) {
        log.add(standing.entry());
      }
    }
    return log;
  }

  /** Whether it was made of this. */
  boolean isOf(LogView now) {
    return view.head().equals(now.head()) && view.damage().equals(now.damage());
  }

  private void add(Entry entry) {
    try {
      apply(entry, RetentionEntry.of(entry));
      understood.put(entry.sequence(), new Head(entry.sequence(), entry.digest()));
    } catch (BackupException e) {
      damage.add(new Finding(e.code(), entry.objectName(), e.detail()));
    }
  }

  private void apply(Entry entry, RetentionEntry content) {
    if (content instanceof RetentionEntry.Retire retire) {
      for (Released one : retire.released()) {
        // One entry may release some sources for one reason, and others for another.
        retired
            .computeIfAbsent(one.snapshot(), s -> new TreeMap<>())
            .merge(entry.sequence(), one, RetentionLog::both);
      }
    } else if (content instanceof RetentionEntry.Hold hold) {
      holds.put(hold.snapshot(), hold);
    } else if (content instanceof RetentionEntry.Release release) {
      holds.remove(release.snapshot());
    } else if (content instanceof Doom doom) {
      dooms.put(entry.sequence(), doom);
    } else if (content instanceof RetentionEntry.Sweep sweep) {
      for (long doom : sweep.dooms()) {
        Doom named = dooms.get(doom);
        if (named != null && sweptDooms.add(doom)) {
          removals.add(new Removal(entry.time(), named));
        }
      }
      for (Swept range : sweep.slots()) {
        slots
            .computeIfAbsent(range.log(), l -> new TreeMap<>())
            .put(range.last().sequence(), range);
      }
    } else if (content instanceof RetentionEntry.Recall recall) {
      recall.entries().forEach(this::recall);
    }
  }

  private static Released both(Released one, Released other) {
    SortedSet<SourceName> sources = new TreeSet<>(one.sources());
    sources.addAll(other.sources());
    boolean isAll = one.sources().isEmpty() || other.sources().isEmpty();
    return new Released(
        one.snapshot(),
        isAll ? Collections.emptySortedSet() : sources,
        one.reason().equals(other.reason()) ? one.reason() : one.reason() + "; " + other.reason());
  }

  /** Nothing is taken back that was swept. */
  private void recall(long sequence) {
    if (!sweptDooms.contains(sequence)) {
      dooms.remove(sequence);
      retired.values().forEach(r -> r.remove(sequence));
    }
  }

  /**
   * The newest entry that was understood, with everything before it that can be believed: up to
   * there a writer may say that it has read.
   */
  public Optional<Head> seen() {
    return Optional.ofNullable(understood.lowerEntry(firstDamaged())).map(Map.Entry::getValue);
  }

  private long firstDamaged() {
    return damage.stream()
        .mapToLong(f -> Names.slot(f.subject()).orElse(Long.MAX_VALUE))
        .min()
        .orElse(Long.MAX_VALUE);
  }

  /** Whether this entry is one of those that were read. */
  public boolean holds(Head seen) {
    return seen.equals(understood.get(seen.sequence()));
  }

  /** What is wrong with it. */
  public List<Finding> damage() {
    return List.copyOf(damage);
  }

  /** The newest slot, whoever filled it. */
  public Optional<Head> head() {
    return view.head();
  }

  /** The sources of a snapshot that were let go, each with the reason. */
  public Map<SourceName, String> retired(Entry entry, Iterable<SourceName> sources) {
    NavigableMap<Long, Released> released =
        retired.getOrDefault(
            new EntryRef(entry.log(), entry.sequence(), entry.digest()),
            Collections.emptyNavigableMap());
    Map<SourceName, String> reasons = new TreeMap<>();
    for (Released one : released.values()) {
      for (SourceName source : sources) {
        if (one.sources().isEmpty() || one.sources().contains(source)) {
          reasons.put(source, one.reason());
        }
      }
    }
    return reasons;
  }

  /** The entries that let go of a snapshot, or of some of its sources. */
  public Set<Long> retirements(EntryRef snapshot) {
    return Set.copyOf(retired.getOrDefault(snapshot, Collections.emptyNavigableMap()).keySet());
  }

  /** What the same entries let go of besides this snapshot. */
  public List<Released> releasedWith(EntryRef snapshot) {
    Set<Long> entries = retirements(snapshot);
    List<Released> others = new ArrayList<>();
    retired.forEach(
        (other, released) -> {
          if (!other.equals(snapshot)) {
            released.forEach(
                (sequence, one) -> {
                  if (entries.contains(sequence)) {
                    others.add(one);
                  }
                });
          }
        });
    return others;
  }

  /** What nobody may let go at this time. */
  public List<RetentionEntry.Hold> holds(Instant now) {
    return holds.values().stream()
        .filter(h -> h.until().isEmpty() || h.until().get().isAfter(now))
        .toList();
  }

  /** What is doomed, and was not taken back, by the slot that says so. */
  public NavigableMap<Long, Doom> dooms() {
    return Collections.unmodifiableNavigableMap(dooms);
  }

  /** Whether what a doom names is gone, or going. */
  public boolean isSwept(long doom) {
    return sweptDooms.contains(doom);
  }

  /** What was removed, or is being removed, oldest first. */
  public List<Removal> removals() {
    return List.copyOf(removals);
  }

  /**
   * That what a doom names may be removed.
   *
   * @param time when that was signed
   */
  public record Removal(Instant time, Doom doom) {}

  /** What a doom names. */
  public void objects(Doom doom, PackLists.Named objects) throws IOException {
    lists.forEach(doom, objects);
  }

  /** Whether no entry may name an object any more. */
  public boolean isDoomed(ObjectRef object) throws IOException {
    return doomed(object.writer()).contains(object.stored());
  }

  /** Whether an object is gone, or going, and nobody is to miss it. */
  public boolean isSwept(ObjectRef object) throws IOException {
    return swept(object.writer()).contains(object.stored());
  }

  /** Everything of a writer that no entry may name any more. */
  public DigestSet doomed(String writer) throws IOException {
    DigestSet known = doomed.get(writer);
    if (known == null) {
      Map<Doom, Boolean> of = dooms(writer);
      known = lists.doomed(writer, of.keySet(), doom -> of.getOrDefault(doom, false));
      doomed.put(writer, known);
    }
    return known;
  }

  /** Everything of a writer that is gone, or going. */
  public DigestSet swept(String writer) throws IOException {
    DigestSet known = swept.get(writer);
    if (known == null) {
      Map<Doom, Boolean> of = dooms(writer);
      known = lists.swept(writer, of.keySet().stream().filter(of::get).toList());
      swept.put(writer, known);
    }
    return known;
  }

  /** The dooms of a writer, oldest first, and whether they were swept. */
  private Map<Doom, Boolean> dooms(String writer) {
    Map<Doom, Boolean> of = new LinkedHashMap<>();
    dooms.forEach(
        (sequence, doom) -> {
          if (doom.writer().equals(writer)) {
            of.merge(doom, sweptDooms.contains(sequence), Boolean::logicalOr);
          }
        });
    return of;
  }

  /** The slots of a log that are gone, or going, by the last of each range. */
  NavigableMap<Long, Swept> slots(String log) {
    return slots.getOrDefault(log, Collections.emptyNavigableMap());
  }

  /** Whether a slot of a log is gone, or going. */
  public boolean isGone(String log, long slot) {
    // What replaced more than a range is swept with it: ranges may lie within others.
    return slots(log).tailMap(slot, true).values().stream().anyMatch(r -> r.first() <= slot);
  }

  /**
   * Refuses an entry that names what is doomed.
   *
   * @throws BackupException.Refused OBJECT_DOOMED
   */
  void requireAlive(Iterable<ObjectRef> objects) throws IOException {
    for (ObjectRef object : objects) {
      if (isDoomed(object)) {
        throw new BackupException.Refused(
            CoreFailure.OBJECT_DOOMED,
            "%s was doomed while the run went on; it has to be stored again".formatted(object));
      }
    }
  }

  /**
   * What an entry may say that its writer has read, never less than the entry before it says; but
   * what was lost with a former primary says nothing any more, and nobody takes its slot.
   *
   * @throws BackupException.Corrupt WENT_BACKWARDS if less is there than was read before
   */
  String seenAfter(String log, Optional<Head> before) throws BackupException {
    Optional<Head> now = seen();
    boolean isThere = before.isEmpty() || holds(before.get());
    if (!isThere && !Names.isWriter(log) && !Names.isStream(log)) {
      // Many write there, who need not trust the same ones, and it names nothing that could go.
      return text(before);
    }
    if (!isThere && !isLost(before.get().sequence())) {
      throw new BackupException.Corrupt(
          CoreFailure.WENT_BACKWARDS,
          "log %s says that entry %d of log retention was read, which is not there, or not believed; hint: pin the key that signs retention"
              .formatted(log, before.get().sequence()));
    }
    long least = before.map(Head::sequence).orElse(0L);
    // Of what is lost nothing can be read; what is left below it all has to be.
    boolean isLess = isThere ? now.map(Head::sequence).orElse(0L) < least : firstDamaged() < least;
    if (isLess) {
      throw new BackupException.Corrupt(
          CoreFailure.CHAIN_BROKEN,
          "log retention is damaged below what log %s says was read of it: %s"
              .formatted(log, damage),
          damage);
    }
    return text(now);
  }

  /** Whether a copy that became the primary never had what stood in this slot. */
  private boolean isLost(long slot) {
    return view.notHeld().stream().anyMatch(r -> r.first() <= slot && slot <= r.last());
  }

  private static String text(Optional<Head> seen) {
    return seen.map(h -> "retention/%d %s".formatted(h.sequence(), h.digest()))
        .orElse("retention/0 none");
  }
}
