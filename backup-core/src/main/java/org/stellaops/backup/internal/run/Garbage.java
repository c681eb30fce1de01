package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.IndexEntry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;

/**
 * What of one writer has to stay: everything that can be reached from what was not let go. Only its
 * own logs can name its objects, so they alone decide. One thread.
 */
final class Garbage {
  private static final Logger LOG = LoggerFactory.getLogger(Garbage.class);

  private final StoreAccess store;
  private final RetentionLog retention;
  private final LogView log;
  private final List<StreamLog> streams;
  private final Map<String, Long> floors;
  private final Instant settled;

  /**
   * @param streams all of the writer's
   * @param floors by lineage where the history begins that some snapshot needs
   * @param settled what was recorded later stays, whatever it is
   */
  Garbage(
      StoreAccess store,
      RetentionLog retention,
      LogView log,
      List<StreamLog> streams,
      Map<String, Long> floors,
      Instant settled) {
    this.store = store;
    this.retention = retention;
    this.log = log;
    this.streams = streams;
    this.floors = floors;
    this.settled = settled;
  }

  /**
   * Where the history of each lineage begins that a snapshot needs which was not let go, or which
   * another one builds on. What nobody pinned needs of it stays, too, but makes no beginning where
   * there was none.
   *
   * @param logs of all writers
   * @param isBelieved which of these logs count; what cannot be read of another one needs nothing
   */
  static Map<String, Long> floors(
      Collection<LogView> logs, RetentionLog retention, Predicate<String> isBelieved)
      throws BackupException {
    Map<String, Long> floors = new HashMap<>();
    Map<String, Long> others = new HashMap<>();
    for (LogView log : logs) {
      if (isBelieved.test(log.log())) {
        addFloors(log, retention, floors);
      } else {
        addFloorsOfOther(log, retention, others);
      }
    }
    others.forEach((lineage, start) -> floors.computeIfPresent(lineage, (l, f) -> less(f, start)));
    return floors;
  }

  private static void addFloorsOfOther(
      LogView log, RetentionLog retention, Map<String, Long> floors) {
    try {
      addFloors(log, retention, floors);
    } catch (BackupException e) {
      LOG.debug("log {} is taken to need no history: {}", log.log(), e.getMessage());
    }
  }

  private static void addFloors(LogView log, RetentionLog retention, Map<String, Long> floors)
      throws BackupException {
    addFloors(needed(log, retention), floors);
  }

  private static void addFloors(Map<SnapshotEntry, Set<SourceName>> all, Map<String, Long> floors) {
    for (Map.Entry<SnapshotEntry, Set<SourceName>> needed : all.entrySet()) {
      needed.getKey().parts().stream()
          .map(SnapshotEntry.Part::header)
          .filter(h -> needed.getValue().contains(h.source()))
          .flatMap(h -> h.span().stream())
          .map(CaptureSpan::start)
          .forEach(s -> floors.merge(s.lineage(), s.offset(), Garbage::less));
    }
  }

  private static long less(long one, long other) {
    return Long.compareUnsigned(one, other) < 0 ? one : other;
  }

  /** The sources of each snapshot that have to stay; none of one that goes as a whole. */
  private static Map<SnapshotEntry, Set<SourceName>> needed(LogView log, RetentionLog retention)
      throws BackupException {
    Map<SnapshotEntry, Set<SourceName>> needed = new LinkedHashMap<>();
    Map<SnapshotId, SnapshotEntry> byId = new HashMap<>();
    for (Standing standing : log.entries()) {
      if (SnapshotEntry.isSnapshot(standing.entry())) {
        SnapshotEntry snapshot = SnapshotEntry.of(standing.entry());
        Set<SourceName> sources = new HashSet<>();
        snapshot.parts().forEach(p -> sources.add(p.header().source()));
        sources.removeAll(retention.retired(standing.entry(), List.copyOf(sources)).keySet());
        byId.put(snapshot.id(), snapshot);
        needed.put(snapshot, sources);
      }
    }
    for (SnapshotEntry snapshot : List.copyOf(needed.keySet())) {
      for (SourceName source : List.copyOf(needed.getOrDefault(snapshot, Set.of()))) {
        addParents(snapshot, source, byId, needed);
      }
    }
    return needed;
  }

  private static void addParents(
      SnapshotEntry snapshot,
      SourceName source,
      Map<SnapshotId, SnapshotEntry> byId,
      Map<SnapshotEntry, Set<SourceName>> needed)
      throws BackupException {
    for (SnapshotEntry.Part part : snapshot.parts()) {
      for (SnapshotId id : part.header().parents()) {
        SnapshotEntry parent = byId.get(id);
        if (!part.header().source().equals(source)) {
          continue;
        }
        if (parent == null) {
          throw new BackupException.Corrupt(
              CoreFailure.CHAIN_BROKEN,
              "snapshot %s builds on %s, which is not in its log".formatted(snapshot.name(), id));
        }
        if (needed.computeIfAbsent(parent, p -> new HashSet<>()).add(source)) {
          addParents(parent, source, byId, needed);
        }
      }
    }
  }

  /** Everything that has to stay, some of it more than once. */
  void live(PackLists.Named live) throws IOException {
    DigestSet read = new DigestSet();
    for (Map.Entry<SnapshotEntry, Set<SourceName>> needed : needed(log, retention).entrySet()) {
      if (!needed.getValue().isEmpty()) {
        snapshot(needed.getKey(), needed.getValue(), read, live);
      }
    }
    state(live);
    unfinished(read, live);
    for (StreamLog stream : streams) {
      for (StreamLog.Standing standing : stream.entries()) {
        stream(standing, live);
      }
    }
  }

  private void stream(StreamLog.Standing standing, PackLists.Named live) throws IOException {
    for (StreamEntry.Companion companion : standing.entry().companions()) {
      live.accept(companion.object());
    }
    for (StreamEntry.Slice slice : standing.entry().slices()) {
      if (isNeeded(standing, slice.span())) {
        live.accept(slice.object());
      }
    }
  }

  /** The writer's state of each epoch, as the newest entry that speaks of it names it. */
  private void state(PackLists.Named live) throws IOException {
    Map<String, List<StateRef>> newest = new HashMap<>();
    for (Standing standing : log.entries()) {
      Entry entry = standing.entry();
      if (IndexEntry.isIndex(entry)) {
        newest.put(IndexEntry.epochOf(entry), IndexEntry.state(entry));
      } else if (SnapshotEntry.isSnapshot(entry)) {
        SnapshotEntry snapshot = SnapshotEntry.of(entry);
        newest.put(String.join(" ", snapshot.epochs()), snapshot.state());
      }
    }
    for (List<StateRef> refs : newest.values()) {
      for (StateRef ref : refs) {
        live.accept(ref.object());
      }
    }
  }

  /** What it takes to restore one snapshot as a whole, with what it builds on. */
  static void closure(
      StoreAccess store,
      LogView log,
      SnapshotId id,
      RetentionLog retention,
      PackLists.Named objects)
      throws IOException {
    Garbage garbage = new Garbage(store, retention, log, List.of(), Map.of(), Instant.MIN);
    DigestSet read = new DigestSet();
    for (Map.Entry<SnapshotEntry, Set<SourceName>> one : needed(log, id, retention).entrySet()) {
      garbage.snapshot(one.getKey(), one.getValue(), read, objects);
    }
  }

  /** By lineage where the history begins that one snapshot needs, with what it builds on. */
  static Map<String, Long> floors(LogView log, SnapshotId id, RetentionLog retention)
      throws BackupException {
    Map<String, Long> floors = new HashMap<>();
    addFloors(needed(log, id, retention), floors);
    return floors;
  }

  /** One snapshot as a whole, and the sources of others that it builds on. */
  private static Map<SnapshotEntry, Set<SourceName>> needed(
      LogView log, SnapshotId id, RetentionLog retention) throws BackupException {
    Map<SnapshotId, SnapshotEntry> byId = new HashMap<>();
    for (SnapshotEntry snapshot : needed(log, retention).keySet()) {
      byId.put(snapshot.id(), snapshot);
    }
    Map<SnapshotEntry, Set<SourceName>> all = new LinkedHashMap<>();
    SnapshotEntry wanted = byId.get(id);
    if (wanted == null) {
      return all;
    }
    Set<SourceName> sources = new HashSet<>();
    wanted.parts().forEach(p -> sources.add(p.header().source()));
    all.put(wanted, sources);
    for (SourceName source : sources) {
      addParents(wanted, source, byId, all);
    }
    return all;
  }

  /** Lists stay until the whole snapshot goes, so that its entry can be checked by hand. */
  private void snapshot(
      SnapshotEntry snapshot, Set<SourceName> sources, DigestSet read, PackLists.Named live)
      throws IOException {
    live.accept(snapshot.manifest());
    for (SnapshotEntry.Part part : snapshot.parts()) {
      for (ObjectRef list : part.lists()) {
        live.accept(list);
        if (sources.contains(part.header().source()) && read.add(list.stored())) {
          PackLists.read(store, list, live);
        }
      }
    }
  }

  /** What a run that has not ended has said so far. */
  private void unfinished(DigestSet read, PackLists.Named live) throws IOException {
    Set<String> ended = new HashSet<>();
    for (Standing standing : log.entries()) {
      Entry entry = standing.entry();
      entry.field("snapshot").ifPresent(ended::add);
      if (entry.kind().equals("failed") || entry.kind().equals("abandon")) {
        entry.field("run").ifPresent(ended::add);
      }
    }
    for (Standing standing : log.entries()) {
      Entry entry = standing.entry();
      boolean isOpen =
          !SnapshotEntry.isSnapshot(entry)
              && !IndexEntry.isIndex(entry)
              && !ended.contains(entry.field("run").orElse(""));
      for (Entry.Line line : isOpen ? entry.lines() : List.<Entry.Line>of()) {
        if (line.path().startsWith("w/")) {
          ObjectRef object = ObjectRef.parse(line.path());
          live.accept(object);
          if (object.isList() && read.add(object.stored())) {
            PackLists.read(store, object, live);
          }
        }
      }
    }
  }

  private boolean isNeeded(StreamLog.Standing standing, SliceSpan span) {
    return !floors.containsKey(span.to().lineage())
        || standing.signed().time().isAfter(settled)
        || isBehind(span.to(), floors);
  }

  /** Whether what ends there ends behind where the history begins that is needed. */
  static boolean isBehind(Position end, Map<String, Long> floors) {
    Long floor = floors.get(end.lineage());
    return floor != null && Long.compareUnsigned(end.offset(), floor) > 0;
  }

  /** Why nothing of this writer's can be told to be garbage; empty if it can. */
  static Optional<String> blocked(LogView log, boolean isPinned) {
    if (!log.damage().isEmpty()) {
      return Optional.of("log %s is damaged: %s".formatted(log.log(), log.damage()));
    }
    return isPinned && !log.entries().stream().allMatch(Standing::isTrusted)
        ? Optional.of("no key is pinned for log " + log.log())
        : Optional.empty();
  }

  /** Why nothing of this writer's streams can be told to be garbage; empty if it can. */
  Optional<String> streamsBlocked(boolean isPinned) {
    for (StreamLog stream : streams) {
      if (!stream.damage().isEmpty() || !stream.isHeadSound()) {
        return Optional.of("log %s is damaged: %s".formatted(stream.log(), stream.damage()));
      }
      if (isPinned && !stream.isTrusted()) {
        return Optional.of("no key is pinned for log " + stream.log());
      }
    }
    return Optional.empty();
  }

  /**
   * Why a writer may still name what is doomed there; empty if it cannot.
   *
   * @param isStream whether some of it belongs to a stream
   * @param isOther whether some of it does not
   */
  Optional<String> mayBeNamed(long doom, boolean isStream, boolean isOther) {
    if (isOther && !isSealed(log) && log.entries().stream().noneMatch(s -> knows(s, doom))) {
      return Optional.of("log %s has no entry since it was doomed".formatted(log.log()));
    }
    // Nothing counts of its streams either that stands behind where the seal ended them.
    boolean mayName = isStream && !isSealed(log);
    for (StreamLog stream : streams) {
      if (mayName && !knows(stream.seen(), doom)) {
        return Optional.of("log %s has no entry since it was doomed".formatted(stream.log()));
      }
    }
    return mayName && streams.isEmpty()
        ? Optional.of("writer %s has no stream that could know".formatted(log.log()))
        : Optional.empty();
  }

  /** Nothing that follows a seal is valid, so nothing can be named any more. */
  private static boolean isSealed(LogView log) {
    return log.seal().isPresent();
  }

  private boolean knows(Standing standing, long doom) {
    return knows(standing.entry().seen(), doom);
  }

  private boolean knows(Optional<Head> seen, long doom) {
    return seen.isPresent() && seen.get().sequence() >= doom && retention.holds(seen.get());
  }

  /** Ranges of a stream's slots in which nothing stands that is needed, oldest first. */
  List<List<StreamLog.Standing>> sweepable(StreamLog stream, DigestSet swept) throws IOException {
    List<List<StreamLog.Standing>> ranges = new ArrayList<>();
    List<StreamLog.Standing> range = new ArrayList<>();
    List<StreamLog.Standing> entries = stream.entries();
    boolean isEverythingBelow = true;
    // The newest entry is where the recorder goes on.
    for (StreamLog.Standing standing : entries.subList(0, Math.max(0, entries.size() - 1))) {
      // A gap or mark of its own goes last: a slice below it without the gap would look lost.
      boolean isNext = isEverythingBelow || !standing.entry().slices().isEmpty();
      boolean isGone = isNext && isGone(standing, swept);
      isEverythingBelow &= isGone;
      if (isGone) {
        range.add(standing);
      } else if (!range.isEmpty()) {
        ranges.add(range);
        range = new ArrayList<>();
      }
    }
    if (!range.isEmpty()) {
      ranges.add(range);
    }
    return ranges;
  }

  /** Whether everything that an entry says has gone, or is behind what anybody needs. */
  private boolean isGone(StreamLog.Standing standing, DigestSet swept) throws IOException {
    StreamEntry entry = standing.entry();
    for (StreamEntry.Slice slice : entry.slices()) {
      if (!swept.contains(slice.object().stored())) {
        return false;
      }
    }
    return entry.companions().isEmpty()
        && !standing.signed().time().isAfter(settled)
        && (!entry.slices().isEmpty() || !entry.gaps().isEmpty() || !entry.marks().isEmpty())
        && entry.gaps().stream().allMatch(g -> isBehindFloor(g.to()))
        && entry.marks().stream().allMatch(m -> isBehindFloor(m.at()));
  }

  private boolean isBehindFloor(Position position) {
    Long floor = floors.get(position.lineage());
    return floor != null && Long.compareUnsigned(position.offset(), floor) <= 0;
  }

  /** The head of the log below an entry. */
  static Optional<Head> before(StreamLog.Standing entry) {
    Optional<StreamEntry.Replaced> replaced = entry.entry().replaced();
    return replaced.isPresent()
        ? replaced.get().before()
        : entry.signed().previous().map(p -> new Head(entry.place().sequence() - 1, p));
  }
}
