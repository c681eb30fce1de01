package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.IndexEntry;
import org.stellaops.backup.internal.repository.IoPredicate;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionEntry.EntryRef;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StoreRole;

/**
 * Everything that chosen snapshots need elsewhere, but for the fixed files: keys, the logs that all
 * share, the recorded histories they lead into, what they build on, and their own objects. Packs
 * are read from their lists each time, so that memory does not grow with them. One thread.
 */
public final class SnapshotClosure {
  private static final String ROTATE = "rotate";
  private static final String SEAL = "seal";

  private final Repository repository;
  private final RetentionLog retention;
  private final StoreRole role;
  private final List<LogView> logs;
  private final List<Piece> pieces;
  private final Map<String, Map<Long, Long>> lengths = new HashMap<>();
  private Predicate<Piece> isThere = piece -> false;
  private IoPredicate<ObjectName> names = name -> false;
  private List<SentRetention.Recall> recalls = List.of();
  private List<SnapshotList.Known> others = List.of();

  private SnapshotClosure(
      Repository repository,
      RetentionLog retention,
      StoreRole role,
      List<LogView> logs,
      List<Piece> pieces) {
    this.repository = repository;
    this.retention = retention;
    this.role = role;
    this.logs = logs;
    this.pieces = pieces;
  }

  /**
   * One object.
   *
   * @param name where it is, in every store of the repository
   * @param stored digest of its bytes
   * @param lengthBytes of it
   * @param kind of object
   */
  public record Item(ObjectName name, Digest stored, long lengthBytes, Kind kind) {}

  /** Kinds of objects, by how they are recognized elsewhere. */
  public enum Kind {
    /** A sealed key of an epoch. */
    KEY,
    /** Named by its content. */
    CONTENT,
    /** An entry of a log: what it names has to be there before it. */
    ENTRY
  }

  /** Takes the objects. */
  @FunctionalInterface
  public interface Taking {
    /** Takes one. */
    void take(Item item) throws IOException;
  }

  /** Takes objects together with the entry that names them. */
  @FunctionalInterface
  interface TakingGroups {
    /**
     * Takes one group.
     *
     * @param group the entry last; a key by itself
     */
    void take(List<Item> group) throws IOException;
  }

  /** Collects what comes before each entry. */
  static Taking inGroups(TakingGroups taking) {
    List<Item> group = new ArrayList<>();
    return item -> {
      group.add(item);
      if (item.kind() != Kind.CONTENT) {
        List<Item> whole = List.copyOf(group);
        group.clear();
        taking.take(whole);
      }
    };
  }

  /**
   * A snapshot of the closure.
   *
   * @param snapshot which
   * @param isChosen whether it was asked for, and is not here only since another one builds on it
   * @param sources of which packs are needed
   */
  public record Piece(SnapshotList.Known snapshot, boolean isChosen, Set<SourceName> sources) {
    public Piece {
      sources = Set.copyOf(sources);
    }

    SnapshotId id() {
      return snapshot.summary().id();
    }

    /** What it builds on, as far as that is needed. */
    Set<SnapshotId> parents() {
      Set<SnapshotId> parents = new LinkedHashSet<>();
      for (SnapshotEntry.Part part : snapshot.entry().parts()) {
        if (sources.contains(part.header().source())) {
          parents.addAll(part.header().parents());
        }
      }
      return parents;
    }
  }

  /** The same, for a copy or a bundle. */
  public static SnapshotClosure of(
      Repository repository, SnapshotList list, Collection<SnapshotList.Known> chosen)
      throws IOException {
    return of(repository, list, chosen, StoreRole.COPY);
  }

  /**
   * Follows chosen snapshots to what they build on. Of each that was not let go all sources are
   * needed; of one that was, those that others build on.
   *
   * @param role of the store that it is for
   * @throws BackupException.Refused NOT_FOUND if a snapshot that another one builds on is missing
   */
  public static SnapshotClosure of(
      Repository repository,
      SnapshotList list,
      Collection<SnapshotList.Known> chosen,
      StoreRole role)
      throws IOException {
    Map<SnapshotId, SnapshotList.Known> known = new LinkedHashMap<>();
    Map<SnapshotId, Set<SourceName>> sources = new LinkedHashMap<>();
    Set<SnapshotId> asked = new LinkedHashSet<>();
    for (SnapshotList.Known one : chosen) {
      asked.add(one.summary().id());
      add(one, sourcesOf(one), true, list, known, sources);
    }
    return of(repository, list, role, asked, known, sources);
  }

  /**
   * What it takes to restore some sources of a snapshot, and nothing else of what they build on.
   */
  static SnapshotClosure ofSources(
      Repository repository, SnapshotList list, SnapshotList.Known snapshot, Set<SourceName> wanted)
      throws IOException {
    Map<SnapshotId, SnapshotList.Known> known = new LinkedHashMap<>();
    Map<SnapshotId, Set<SourceName>> sources = new LinkedHashMap<>();
    add(snapshot, wanted, false, list, known, sources);
    Set<SnapshotId> asked = Set.of(snapshot.summary().id());
    return of(repository, list, StoreRole.ARCHIVE, asked, known, sources);
  }

  private static Set<SourceName> sourcesOf(SnapshotList.Known snapshot) {
    Set<SourceName> sources = new LinkedHashSet<>();
    snapshot.summary().captures().forEach(c -> sources.add(c.source()));
    return sources;
  }

  private static SnapshotClosure of(
      Repository repository,
      SnapshotList list,
      StoreRole role,
      Set<SnapshotId> asked,
      Map<SnapshotId, SnapshotList.Known> known,
      Map<SnapshotId, Set<SourceName>> sources)
      throws IOException {
    List<Piece> pieces = new ArrayList<>();
    for (SnapshotList.Known one : known.values()) {
      SnapshotId id = one.summary().id();
      pieces.add(new Piece(one, asked.contains(id), sources.getOrDefault(id, Set.of())));
    }
    pieces.sort(
        Comparator.comparing((Piece p) -> p.snapshot().log().log())
            .thenComparing(p -> p.snapshot().summary().sequence()));
    return new SnapshotClosure(repository, retention(repository, list), role, list.logs(), pieces);
  }

  /** As it was when the snapshots were listed: what goes later is told by the next one. */
  private static RetentionLog retention(Repository repository, SnapshotList list)
      throws IOException {
    for (LogView log : list.logs()) {
      if (log.log().equals(Names.RETENTION)) {
        return repository.retention(log);
      }
    }
    return repository.retention();
  }

  /** What was let go of when the snapshots were listed. */
  RetentionLog retention() {
    return retention;
  }

  /**
   * @param isWhole whether of what it builds on all is wanted that was not let go of
   */
  private static void add(
      SnapshotList.Known one,
      Set<SourceName> more,
      boolean isWhole,
      SnapshotList list,
      Map<SnapshotId, SnapshotList.Known> known,
      Map<SnapshotId, Set<SourceName>> sources)
      throws BackupException {
    SnapshotId id = one.summary().id();
    Set<SourceName> wanted = new LinkedHashSet<>(more);
    if (isWhole) {
      wanted.addAll(sourcesOf(one));
    }
    known.putIfAbsent(id, one);
    wanted.removeAll(sources.computeIfAbsent(id, i -> new LinkedHashSet<>()));
    sources.getOrDefault(id, new LinkedHashSet<>()).addAll(wanted);
    if (wanted.isEmpty()) {
      return;
    }
    for (SnapshotEntry.Part part : one.entry().parts()) {
      SourceName source = part.header().source();
      if (wanted.contains(source)) {
        for (SnapshotId parent : part.header().parents()) {
          add(list.requireAny(parent), Set.of(source), isWhole, list, known, sources);
        }
      }
    }
  }

  /**
   * What an archive holds it has whole: it is not told that others let go of that.
   *
   * @param there whether the archive has the entry of a snapshot
   * @param named whether the archive has anything of a name
   */
  void without(Predicate<Piece> there, IoPredicate<ObjectName> named) {
    isThere = there;
    names = named;
  }

  /** What is not sent with the rest of what all share, but behind the snapshots it revives. */
  void recallingLast(List<SentRetention.Recall> later) {
    recalls = List.copyOf(later);
  }

  /** What is to be sent last. */
  List<SentRetention.Recall> recalls() {
    return recalls;
  }

  /** Snapshots that the other store has already: the histories that they need are sent, too. */
  void leadingFrom(List<SnapshotList.Known> there) {
    others = List.copyOf(there);
  }

  /** Of each log of the repository the newest entry of which this holds. */
  List<Item> newestEntries(IoPredicate<Item> which) throws IOException {
    List<Item> newest = new ArrayList<>();
    for (LogView log : logs) {
      List<LogView.Standing> entries = log.entries();
      boolean isFound = false;
      for (int i = entries.size() - 1; i >= 0 && !isFound; i--) {
        isFound = addIf(which, entryOf(entries.get(i).entry()), newest);
      }
    }
    for (StreamLog log : Streams.now(repository).all()) {
      List<StreamLog.Standing> entries = log.entries();
      boolean isFound = false;
      for (int i = entries.size() - 1; i >= 0 && !isFound; i--) {
        List<Item> one = new ArrayList<>();
        LogView.Head place = entries.get(i).place();
        entry(log.log(), place.sequence(), place.digest(), one::add);
        isFound = addIf(which, one.get(0), newest);
      }
    }
    return newest;
  }

  private static boolean addIf(IoPredicate<Item> which, Item item, List<Item> to)
      throws IOException {
    return which.test(item) && to.add(item);
  }

  /** The entry of one of its snapshots. */
  Item entryOf(Piece piece) throws IOException {
    return entryOf(piece.snapshot().signed());
  }

  /** An entry as an object. */
  Item entryOf(Entry signed) throws IOException {
    List<Item> entry = new ArrayList<>();
    entry(signed, entry::add);
    return entry.get(0);
  }

  /** Its snapshots, each behind what it builds on. */
  public List<Piece> pieces() {
    return pieces;
  }

  /** All of it, each object once: keys, objects, and then the entries that name them. */
  public void forEach(Taking taking) throws IOException {
    forEach(taking, this::of);
  }

  /** Of everything together, without what hangs on a list that is missing or damaged. */
  long lengthBytes() throws IOException {
    long[] bytes = {0};
    forEachReadable(item -> bytes[0] += item.lengthBytes());
    return bytes[0];
  }

  /** The same, without what hangs on a list that is missing or damaged. */
  void forEachReadable(Taking taking) throws IOException {
    forEach(
        taking,
        (piece, each) -> {
          try {
            of(piece, each);
          } catch (BackupException.Corrupt e) {
            // Whoever reads the snapshot is told.
            return;
          }
        });
  }

  @FunctionalInterface
  private interface Reading {
    void read(Piece piece, Taking taking) throws IOException;
  }

  private void forEach(Taking taking, Reading reading) throws IOException {
    try (DigestSet told = new DigestSet(repository.scratch())) {
      forEach(taking, reading, told);
    }
  }

  private void forEach(Taking taking, Reading reading, DigestSet told) throws IOException {
    Taking once =
        item -> {
          if (told.add(digestOf(item.name()))) {
            taking.take(item);
          }
        };
    List<Item> entries = new ArrayList<>();
    Taking later = item -> (item.kind() == Kind.ENTRY ? (Taking) entries::add : once).take(item);
    shared(later);
    streams(later);
    for (Piece piece : pieces) {
      reading.read(piece, later);
    }
    for (SentRetention.Recall recall : recalls) {
      entry(recall.entry(), later);
    }
    for (Item entry : entries) {
      once.take(entry);
    }
  }

  static Digest digestOf(ObjectName name) {
    return Digest.ofContent(name.value().getBytes(StandardCharsets.UTF_8));
  }

  /**
   * What every copy has: keys, the logs that all share with the lists of what is doomed, and the
   * entries that say whose key counts where.
   */
  public void shared(Taking taking) throws IOException {
    repository
        .store()
        .everythingIn(
            "keys/",
            object -> {
              Optional<byte[]> key = repository.store().findSmall(object.name());
              if (key.isPresent()) {
                taking.take(
                    new Item(
                        object.name(), Digest.ofContent(key.get()), key.get().length, Kind.KEY));
              }
            });
    for (LogView log : logs) {
      boolean isArchivedWithout = role == StoreRole.ARCHIVE && log.log().equals(Names.RETENTION);
      if (isArchivedWithout) {
        retirements(log, taking);
      } else if (Names.isCommon(log.log())) {
        for (LogView.Standing standing : log.entries()) {
          if (!isLast(standing.entry())) {
            lists(standing.entry(), taking);
            entry(standing.entry(), taking);
          }
        }
      } else {
        successions(log, taking);
      }
    }
  }

  private boolean isLast(Entry entry) {
    return recalls.stream().anyMatch(r -> r.entry().digest().equals(entry.digest()));
  }

  /**
   * An archive is told only what had been let go of when snapshots came that build on it: what is
   * let go of later, since it is in the archive, stands there.
   */
  private void retirements(LogView log, Taking taking) throws IOException {
    Set<Long> wanted = new LinkedHashSet<>();
    for (Piece piece : pieces) {
      if (!piece.snapshot().summary().retired().isEmpty() && !isThere.test(piece)) {
        wanted.addAll(retention.retirements(ref(piece.snapshot())));
      }
    }
    for (LogView.Standing standing : log.entries()) {
      if (wanted.contains(standing.entry().sequence())) {
        SentRetention.requireNoneListed(log, standing.entry(), names);
        entry(standing.entry(), taking);
      }
    }
  }

  private static EntryRef ref(SnapshotList.Known snapshot) {
    return new EntryRef(
        snapshot.summary().writer(), snapshot.summary().sequence(), snapshot.summary().entry());
  }

  /** Lists of what is doomed: one that is gone is needed by nobody. */
  private void lists(Entry entry, Taking taking) throws IOException {
    for (Entry.Line line : entry.lines()) {
      if (line.path().startsWith("w/")) {
        ObjectRef object = ObjectRef.parse(line.path());
        if (repository.store().lengthOf(object.name()).isPresent()) {
          taking.take(item(object));
        }
      }
    }
  }

  /** Nobody goes on from an archive. */
  private void state(StateRef state, Taking taking) throws IOException {
    if (role != StoreRole.ARCHIVE && !retention.isSwept(state.object())) {
      taking.take(item(state.object()));
    }
  }

  /**
   * Who may speak, and which state was given up. Behind a key that gave way the next one vouches
   * for it, if it names nothing of its own.
   */
  private void successions(LogView log, Taking taking) throws IOException {
    long behindRotation = 0;
    for (LogView.Standing standing : log.entries()) {
      Entry entry = standing.entry();
      boolean isRotation = entry.kind().equals(ROTATE);
      boolean isVouching = entry.sequence() == behindRotation && entry.lines().isEmpty();
      if (IndexEntry.isIndex(entry)) {
        for (StateRef state : IndexEntry.state(entry)) {
          state(state, taking);
        }
      }
      if (isRotation || entry.kind().equals(SEAL) || isVouching || IndexEntry.isIndex(entry)) {
        entry(entry, taking);
      }
      behindRotation = isRotation ? entry.sequence() + 1 : behindRotation;
    }
  }

  private void entry(Entry entry, Taking taking) throws IOException {
    entry(entry.log(), entry.sequence(), entry.digest(), taking);
  }

  private void entry(String log, long sequence, Digest digest, Taking taking) throws IOException {
    if (!lengths.containsKey(log)) {
      Map<Long, Long> all = new TreeMap<>();
      repository
          .store()
          .everythingIn(
              "log/" + log + "/",
              o -> Names.slot(o.name().value()).ifPresent(slot -> all.put(slot, o.lengthBytes())));
      lengths.put(log, all);
    }
    Long length = lengths.getOrDefault(log, Map.of()).get(sequence);
    if (length == null) {
      throw new BackupException.Corrupt(
          CoreFailure.OBJECT_NOT_FOUND, StoreAccess.entry(log, sequence) + " is missing");
    }
    taking.take(new Item(StoreAccess.entry(log, sequence), digest, length, Kind.ENTRY));
  }

  private static Item item(ObjectRef object) {
    return new Item(object.name(), object.stored(), object.lengthBytes(), Kind.CONTENT);
  }

  /**
   * The recorded histories that captures of these snapshots lead into, from where the first of them
   * begins: of each entry that counts first what it names, also what is lost here, unless another
   * slice holds it.
   */
  public void streams(Taking taking) throws IOException {
    streams(taking, false);
  }

  /** The same, without what is lost here. */
  void streamsHeld(Taking taking) throws IOException {
    streams(taking, true);
  }

  private void streams(Taking taking, boolean isHeldOnly) throws IOException {
    Map<String, Long> floors = floors();
    if (floors.isEmpty()) {
      return;
    }
    for (StreamLog log : Streams.now(repository).all()) {
      Optional<Long> floor = log.about().map(a -> floors.get(a.lineage()));
      if (floor.isPresent()) {
        for (StreamLog.Standing standing : log.entries()) {
          if (isNeeded(standing.entry(), floor.get())) {
            stream(log, standing, isHeldOnly, taking);
          }
        }
      }
    }
  }

  private static boolean isNeeded(StreamEntry entry, long floor) {
    return entry.slices().isEmpty()
        || !entry.companions().isEmpty()
        || entry.slices().stream()
            .anyMatch(s -> Long.compareUnsigned(s.span().to().offset(), floor) > 0);
  }

  private void stream(StreamLog log, StreamLog.Standing standing, boolean isHeldOnly, Taking taking)
      throws IOException {
    for (ObjectRef object : standing.entry().objects()) {
      if (!log.lost().contains(object) || !(isHeldOnly || isCovered(object, log))) {
        taking.take(item(object));
      }
    }
    entry(log.log(), standing.place().sequence(), standing.place().digest(), taking);
  }

  /** Whether what a lost slice held is in another one, which was merged from it. */
  private static boolean isCovered(ObjectRef lost, StreamLog log) {
    List<StreamEntry.Slice> held =
        log.slices().stream().filter(s -> !log.lost().contains(s.object())).toList();
    return log.slices().stream()
        .filter(s -> s.object().equals(lost))
        .allMatch(s -> held.stream().anyMatch(h -> holds(h.span(), s.span())));
  }

  private static boolean holds(SliceSpan whole, SliceSpan part) {
    return whole.from().branch() == part.from().branch()
        && Long.compareUnsigned(whole.from().offset(), part.from().offset()) <= 0
        && Long.compareUnsigned(whole.to().offset(), part.to().offset()) >= 0;
  }

  /** By lineage where the first of the captures needs its history from. */
  private Map<String, Long> floors() {
    Map<String, Long> floors = new HashMap<>();
    for (Piece piece : pieces) {
      addFloors(piece.snapshot(), piece.sources(), floors);
    }
    for (SnapshotList.Known other : others) {
      addFloors(other, sourcesOf(other), floors);
    }
    return floors;
  }

  private static void addFloors(
      SnapshotList.Known snapshot, Set<SourceName> sources, Map<String, Long> floors) {
    snapshot.entry().parts().stream()
        .map(SnapshotEntry.Part::header)
        .filter(h -> sources.contains(h.source()))
        .flatMap(h -> h.span().stream())
        .forEach(
            s ->
                floors.merge(
                    s.start().lineage(),
                    s.start().offset(),
                    (a, b) -> Long.compareUnsigned(a, b) < 0 ? a : b));
  }

  /**
   * What one snapshot needs by itself, packs first and its entry last. All its lists and its
   * manifest, so that the entry checks by hand; the writer's state as far as nobody let go of it;
   * packs of the sources that are needed.
   */
  public void of(Piece piece, Taking taking) throws IOException {
    SnapshotEntry snapshot = piece.snapshot().entry();
    for (SnapshotEntry.Part part : snapshot.parts()) {
      boolean isNeeded = piece.sources().contains(part.header().source());
      for (ObjectRef list : part.lists()) {
        if (isNeeded) {
          // First to its end: a store need not bear that a list stays open meanwhile.
          List<ObjectRef> packs = new ArrayList<>();
          PackLists.read(repository.store(), list, packs::add);
          for (ObjectRef pack : packs) {
            taking.take(item(pack));
          }
        }
        if (isNeeded || !retention.isSwept(list)) {
          taking.take(item(list));
        }
      }
    }
    for (StateRef state : SnapshotNeeds.state(piece.snapshot())) {
      state(state, taking);
    }
    taking.take(item(snapshot.manifest()));
    entry(piece.snapshot().signed(), taking);
  }
}
