package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.ObjectTable;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionEntry;
import org.stellaops.backup.internal.repository.RetentionEntry.Doom;
import org.stellaops.backup.internal.repository.RetentionEntry.Swept;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.PruneReport;

/**
 * Removes what nobody needs: dooms it, waits until whoever could name it knows, says that it goes,
 * removes it, and looks whether everything else is there. What goes wrong with one object or writer
 * keeps no other from it.
 */
final class PruneRun {
  private static final int MOST_DOOMED = 50_000;

  private final Repository repository;
  private final RetentionWriter retention;
  private final PruneSettings settings;
  private final StopSignal stopping;
  private final ProgressMeter progress;
  private final Instant now;
  private final Protection protection;
  private final Map<String, String> waiting = new TreeMap<>();
  private final List<Finding> problems = new ArrayList<>();
  private long doomedObjects;
  private long deletedObjects;
  private long freedBytes;
  private long keptObjects;

  /** Everything stays the caller's. */
  PruneRun(
      Context context,
      Repository repository,
      RetentionWriter retention,
      PruneSettings settings,
      StopSignal stopping) {
    this.repository = repository;
    this.retention = retention;
    this.settings = settings;
    this.stopping = stopping;
    this.progress =
        new ProgressMeter(BackupRun.newRun(context), context.clock(), context.listeners());
    this.now = context.clock().instant();
    this.protection = new Protection(repository.store(), now);
  }

  /** Removes what may be removed, of all writers. */
  PruneReport execute(List<PruneReport.Retired> retired) throws IOException {
    tidy();
    // First what is stored, then what names it: what comes between the two is named.
    Map<String, ObjectTable> stored = new HashMap<>();
    try {
      list(stored);
      return execute(retired, stored);
    } finally {
      for (ObjectTable table : stored.values()) {
        table.close();
      }
    }
  }

  private PruneReport execute(List<PruneReport.Retired> retired, Map<String, ObjectTable> stored)
      throws IOException {
    Map<String, LogView> logs = new LinkedHashMap<>();
    Map<String, List<StreamLog>> streams = new HashMap<>();
    // Of a log that others saw otherwise nobody knows what it needs.
    for (LogView log :
        HeadWitnesses.compared(
            repository.views(), repository.isPinned(), repository.role(), repository::knows)) {
      if (Names.isWriter(log.log())) {
        logs.put(log.log(), log);
      }
    }
    for (String log : repository.logs()) {
      if (Names.isStream(log)) {
        streams
            .computeIfAbsent(log.substring(0, log.indexOf('.')), w -> new ArrayList<>())
            .add(repository.stream(log));
      }
    }
    Floors floors = floors(logs);
    for (Map.Entry<String, LogView> log : logs.entrySet()) {
      List<StreamLog> own = streams.getOrDefault(log.getKey(), List.of());
      ObjectTable objects =
          stored.getOrDefault(log.getKey(), new ObjectTable(log.getKey(), repository.scratch()));
      attempt("w/" + log.getKey(), () -> prune(log.getValue(), own, objects, floors));
    }
    attempt("keys", this::protectCommon);
    attempt("beat", () -> forgetSignsOfLife(logs.values()));
    return new PruneReport(
        retired,
        doomedObjects,
        deletedObjects,
        freedBytes,
        keptObjects,
        waiting,
        List.of(),
        problems);
  }

  private void prune(LogView log, List<StreamLog> own, ObjectTable objects, Floors floors)
      throws IOException {
    try (objects;
        DigestSet live = new DigestSet(repository.scratch())) {
      new OfWriter(log, own, objects, floors, live).prune();
    }
  }

  /** Killed processes leave them; nobody looks at those of a run that has ended. */
  private void forgetSignsOfLife(Collection<LogView> logs) throws IOException {
    for (LogView log : logs) {
      RunLog runs = RunLog.of(log, repository.isPinned());
      Set<String> ended =
          runs.all().stream()
              .map(RunLog.Known::record)
              .filter(r -> !r.isOpen())
              .map(r -> r.run().value())
              .collect(Collectors.toSet());
      Set<String> known =
          runs.all().stream().map(r -> r.record().run().value()).collect(Collectors.toSet());
      forgetSignsOfLife(log.log(), ended, known);
    }
    forgetSignsOfLife(Names.RETENTION, Set.of(), Set.of());
  }

  /** What no log knows belongs to a run that begins now, unless it is old. */
  private void forgetSignsOfLife(String log, Set<String> ended, Set<String> known)
      throws IOException {
    for (ObjectName beat : repository.store().beats(log)) {
      String run = Names.livingOf(beat);
      if (ended.contains(run) || (!known.contains(run) && isOld(beat))) {
        attempt(beat.value(), () -> repository.store().delete(beat));
      }
    }
  }

  private boolean isOld(ObjectName beat) throws IOException {
    return repository
        .store()
        .storedAt(beat)
        .map(t -> t.isBefore(now.minus(settings.minimumAge())))
        .orElse(false);
  }

  /** What belongs to no writer, and is never let go of. */
  private void protectCommon() throws IOException {
    if (protection.isPossible()) {
      for (ObjectName name : Protection.COMMON) {
        protect(name);
      }
      repository.store().epochKeys(key -> protect(key.name()));
      for (String log : repository.logs()) {
        if (Names.isCommon(log)) {
          protectEntries(log);
        }
      }
    }
  }

  private void protectEntries(String log) throws IOException {
    for (ObjectName entry : repository.store().entries(log).values()) {
      protect(entry);
    }
  }

  private void protect(ObjectName name) throws BackupException {
    attempt(name.value(), () -> protection.extend(name));
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private void attempt(String subject, Step step) throws BackupException {
    try {
      stopping.check();
      step.run();
    } catch (BackupException.Stopped e) {
      throw e;
    } catch (IOException e) {
      problem(subject, e);
    }
  }

  private void problem(String subject, IOException e) {
    problems.add(problemOf(subject, e));
  }

  /** What went wrong with something, for the report. */
  static Finding problemOf(String subject, IOException e) {
    FailureCode code = e instanceof BackupException known ? known.code() : CoreFailure.SINK_FAILED;
    return new Finding(code, subject, Cause.words(e));
  }

  /** What crashed processes left half stored. */
  private void tidy() throws BackupException {
    attempt("tmp", () -> repository.store().sweepStrays());
  }

  private void list(Map<String, ObjectTable> stored) throws IOException {
    for (String log : repository.logs()) {
      if (Names.isWriter(log)) {
        progress.begin("list " + log, 0);
        ObjectTable table = new ObjectTable(log, repository.scratch());
        stored.put(log, table);
        repository
            .store()
            .objectsOf(
                log,
                (object, bytes) -> {
                  if (ObjectTable.isCanonical(object)) {
                    table.add(object);
                    progress.add(object.lengthBytes(), 1);
                  }
                });
        progress.end();
      }
    }
  }

  /**
   * Where what is needed of streams begins.
   *
   * @param byLineage the smallest offset of each
   * @param unknown why nobody knows; empty if it is known
   */
  private record Floors(Map<String, Long> byLineage, Optional<String> unknown) {
    static Floors unknown(String why) {
      return new Floors(Map.of(), Optional.of(why));
    }
  }

  /** Of a log that is damaged nobody knows what it needs of any stream. */
  private Floors floors(Map<String, LogView> logs) {
    for (LogView log : logs.values()) {
      if (!log.damage().isEmpty() && isBelieved(log.log())) {
        return Floors.unknown("log %s is damaged: %s".formatted(log.log(), log.damage()));
      }
    }
    try {
      return new Floors(
          Garbage.floors(logs.values(), repository.retention(), this::isBelieved),
          Optional.empty());
    } catch (IOException e) {
      return Floors.unknown("some log cannot be read: " + Cause.words(e));
    }
  }

  /** Whoever writes to the store can make a log that nobody is pinned for. */
  private boolean isBelieved(String log) {
    return !repository.isPinned() || repository.knows(log);
  }

  /** The objects of one writer. */
  private final class OfWriter {
    private final LogView log;
    private final List<StreamLog> streams;
    private final ObjectTable objects;
    private final Garbage garbage;
    private final DigestSet live;
    private final boolean areStreamsKept;

    OfWriter(
        LogView log, List<StreamLog> streams, ObjectTable objects, Floors floors, DigestSet live)
        throws IOException {
      this.log = log;
      this.streams = streams;
      this.objects = objects;
      this.live = live;
      this.garbage =
          new Garbage(
              repository.store(),
              repository.retention(),
              log,
              streams,
              floors.byLineage(),
              now.minus(settings.minimumAge()));
      Optional<String> why =
          floors.unknown().or(() -> garbage.streamsBlocked(repository.isPinned()));
      this.areStreamsKept = why.isPresent();
      if (why.isPresent() && !streams.isEmpty()) {
        kept("its streams are kept: " + why.get());
      }
    }

    private void kept(String why) {
      problems.add(new Finding(CoreFailure.NOT_PRUNED, "w/" + log.log(), why));
    }

    void prune() throws IOException {
      Optional<String> blocked = Garbage.blocked(log, repository.isPinned());
      if (blocked.isPresent()) {
        kept(blocked.get());
        return;
      }
      progress.begin("mark " + log.log(), 0);
      garbage.live(
          object -> {
            if (live.add(object.stored())) {
              progress.add(object.lengthBytes(), 1);
            }
          });
      live.settle();
      progress.end();
      sweep();
      doom();
      attempt("w/" + log.log(), this::delete);
      verifyKept();
      attempt("w/" + log.log(), this::protectKept);
      for (StreamLog stream : areStreamsKept ? List.<StreamLog>of() : streams) {
        attempt(StoreAccess.entry(stream.log(), 1).value(), () -> shorten(stream));
      }
    }

    private boolean isLive(ObjectRef object) throws IOException {
      return live.contains(object.stored()) || (areStreamsKept && object.isStream());
    }

    /** What a doom names, in short. */
    private final class Content {
      boolean isStream;
      boolean isOther;
      boolean isLive;

      void add(ObjectRef object) throws IOException {
        isStream |= object.isStream();
        isOther |= !object.isStream();
        isLive |= OfWriter.this.isLive(object);
      }
    }

    /** Says of every doom that is due that what it names goes; takes back what is needed again. */
    private void sweep() throws IOException {
      RetentionLog said = retention.current();
      List<Long> due = new ArrayList<>();
      for (Map.Entry<Long, Doom> doom : said.dooms().entrySet()) {
        if (doom.getValue().writer().equals(log.log()) && !said.isSwept(doom.getKey())) {
          Content content = new Content();
          said.objects(doom.getValue(), content::add);
          if (content.isLive) {
            retention.commit(
                new RetentionEntry.Recall(
                    List.of(doom.getKey()), "some of it is needed again", "prune"));
          } else if (isDue(doom.getKey(), doom.getValue(), content)) {
            due.add(doom.getKey());
          }
        }
      }
      if (!due.isEmpty()) {
        retention.commit(new RetentionEntry.Sweep(due, List.of()));
      }
    }

    private boolean isDue(long sequence, Doom doom, Content content) {
      Optional<String> named = garbage.mayBeNamed(sequence, content.isStream, content.isOther);
      if (doom.notBefore().isAfter(now)) {
        waiting.putIfAbsent(log.log(), "the grace lasts until " + doom.notBefore());
        return false;
      }
      named.ifPresent(why -> waiting.put(log.log(), why));
      return named.isEmpty();
    }

    private void doom() throws IOException {
      DigestSet doomed = retention.current().doomed(log.log());
      List<ObjectRef> ofStreams = new ArrayList<>();
      List<ObjectRef> others = new ArrayList<>();
      objects.forEach(
          object -> {
            if (!isLive(object) && !doomed.contains(object.stored()) && isSettled(object)) {
              List<ObjectRef> some = object.isStream() ? ofStreams : others;
              some.add(object);
              if (some.size() == MOST_DOOMED) {
                doom(some);
              }
            }
          });
      doom(ofStreams);
      doom(others);
    }

    /** What is younger a run may be about to name; where the store knows no times, it is told. */
    private boolean isSettled(ObjectRef object) throws IOException {
      return repository
          .store()
          .storedAt(object.name())
          .map(t -> !t.isAfter(now.minus(settings.minimumAge())))
          .orElse(true);
    }

    private void doom(List<ObjectRef> some) throws IOException {
      if (!some.isEmpty()) {
        ObjectRef list = repository.store().putDoomed(some);
        retention.commit(new Doom(log.log(), now.plus(settings.grace()), list));
        doomedObjects += some.size();
        waiting.putIfAbsent(log.log(), "the grace lasts until " + now.plus(settings.grace()));
        some.clear();
      }
    }

    /** Also what an earlier prune said of, and did not get to. */
    private void delete() throws IOException {
      DigestSet swept = retention.current().swept(log.log());
      progress.begin("delete " + log.log(), 0);
      objects.forEach(
          object -> {
            if (swept.contains(object.stored()) && !isLive(object)) {
              attempt(object.toString(), () -> delete(object));
            }
          });
      progress.end();
    }

    private void delete(ObjectRef object) throws IOException {
      repository.store().delete(object.name());
      deletedObjects++;
      freedBytes += object.lengthBytes();
      progress.add(object.lengthBytes(), 1);
    }

    private void protectKept() throws IOException {
      if (protection.isPossible()) {
        objects.forEach(
            object -> {
              if (isLive(object)) {
                protect(object.name());
              }
            });
        protectEntries(log.log());
      }
    }

    /** Names and sizes; if something is missing, the names of that. */
    private void verifyKept() throws IOException {
      BitSet found = new BitSet(live.capacity());
      repository
          .store()
          .objectsOf(
              log.log(),
              (object, bytes) -> {
                int index = live.indexOf(object.stored());
                if (index >= 0 && bytes == object.lengthBytes()) {
                  found.set(index);
                }
              });
      keptObjects += found.cardinality();
      if (found.cardinality() < live.size()) {
        garbage.live(object -> requireFound(object, found));
      }
    }

    private void requireFound(ObjectRef object, BitSet found) throws IOException {
      int index = live.indexOf(object.stored());
      if (index >= 0 && !found.get(index)) {
        found.set(index);
        problems.add(
            new Finding(
                CoreFailure.OBJECT_NOT_FOUND,
                object.toString(),
                "has to be kept, and is not there in its full length"));
      }
    }

    /** Removes the entries of a stream that nobody reads any more. */
    private void shorten(StreamLog stream) throws IOException {
      DigestSet swept = retention.current().swept(log.log());
      List<Swept> ranges = new ArrayList<>();
      for (List<StreamLog.Standing> range : garbage.sweepable(stream, swept)) {
        ranges.add(range(stream, range));
      }
      if (!ranges.isEmpty()) {
        retention.commit(new RetentionEntry.Sweep(List.of(), ranges));
      }
      NavigableMap<Long, Long> replacedTo = new TreeMap<>();
      for (StreamLog.Standing standing : stream.entries()) {
        Optional<StreamEntry.Replaced> replaced = standing.entry().replaced();
        boolean isSettled = !standing.signed().time().isAfter(now.minus(settings.minimumAge()));
        if (replaced.isPresent() && isSettled) {
          replacedTo.merge(replaced.get().first(), replaced.get().last(), Math::max);
        }
      }
      deleteEntries(stream, replacedTo);
    }

    private Swept range(StreamLog stream, List<StreamLog.Standing> range) {
      StreamLog.Standing first = range.get(0);
      long slot =
          first
              .entry()
              .replaced()
              .map(StreamEntry.Replaced::first)
              .orElse(first.place().sequence());
      Optional<Head> before = slot == 1 ? Optional.empty() : Garbage.before(first);
      Head last = range.get(range.size() - 1).place();
      return new Swept(stream.log(), slot, last, before);
    }

    /** Also what an earlier prune swept, and did not get to. */
    private void deleteEntries(StreamLog stream, NavigableMap<Long, Long> replacedTo)
        throws IOException {
      RetentionLog said = retention.current();
      for (Map.Entry<Long, ObjectName> entry :
          repository.store().entries(stream.log()).entrySet()) {
        Map.Entry<Long, Long> range = replacedTo.floorEntry(entry.getKey());
        boolean isReplaced = range != null && entry.getKey() <= range.getValue();
        if (isReplaced || said.isGone(stream.log(), entry.getKey())) {
          attempt(entry.getValue().value(), () -> deleteEntry(entry.getValue()));
        }
      }
    }

    private void deleteEntry(ObjectName name) throws IOException {
      repository.store().delete(name);
      deletedObjects++;
    }
  }
}
