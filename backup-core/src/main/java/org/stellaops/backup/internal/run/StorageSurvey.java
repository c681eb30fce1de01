package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StorageReport;
import org.stellaops.backup.model.StorageReport.Growth;
import org.stellaops.backup.model.StorageReport.Usage;
import org.stellaops.backup.spi.StoredObject;

/** Counts what is in a store, and how it grew by what signed entries say. */
final class StorageSurvey {
  private static final Duration LOOKED_BACK = Duration.ofDays(30);
  private static final Duration DAY = Duration.ofDays(1);
  private static final String SHARED = "";
  private static final String OTHER = "other";
  private static final Set<String> OF_WRITERS =
      Set.of("packs", "manifests", "lists", "state", "stream");
  private static final Set<String> AT_THE_ROOT = Set.of("log", "keys", "beat");
  private static final Set<String> OWNED_AT_THE_ROOT = Set.of("log", "beat");

  private final Repository repository;
  private final Instant now;
  private final StopSignal stopping;
  private final SortedMap<String, Usage> kinds = new TreeMap<>();
  private final SortedMap<String, Usage> writers = new TreeMap<>();

  StorageSurvey(Repository repository, Instant now, StopSignal stopping) {
    this.repository = repository;
    this.now = now;
    this.stopping = stopping;
  }

  /** Lists the whole store. */
  StorageReport report(SnapshotList list) throws IOException {
    repository
        .store()
        .everything(
            object -> {
              stopping.check();
              count(object);
            });
    return new StorageReport(kinds, writers, repository.store().room(), growth(list));
  }

  private void count(StoredObject object) {
    String[] path = object.name().value().split("/", 4);
    boolean isOfWriter = path.length == 4 && path[0].equals("w");
    String kind = isOfWriter ? path[2] : path[0];
    boolean isKnown =
        isOfWriter ? OF_WRITERS.contains(kind) : path.length > 1 && AT_THE_ROOT.contains(kind);
    add(kinds, isKnown ? kind : OTHER, object.lengthBytes());
    boolean isOwned =
        isOfWriter || (isKnown && OWNED_AT_THE_ROOT.contains(kind) && !Names.isCommon(path[1]));
    add(writers, isOwned ? writer(path[1]) : SHARED, object.lengthBytes());
  }

  /** The log of a stream is its writer's. */
  private static String writer(String log) {
    int dot = log.indexOf('.');
    return dot < 0 ? log : log.substring(0, dot);
  }

  private static void add(SortedMap<String, Usage> usages, String name, long bytes) {
    usages.merge(name, new Usage(1, bytes), (a, b) -> a.plus(bytes));
  }

  private Optional<Growth> growth(SnapshotList list) throws IOException {
    Instant earliest = now.minus(LOOKED_BACK);
    List<Stored<Component>> captured = captured(list);
    List<Stored<SourceName>> streamed = streamed();
    Optional<Instant> first =
        Stream.concat(captured.stream(), streamed.stream())
            .map(Stored::time)
            .min(Comparator.naturalOrder());
    if (first.isEmpty()) {
      return Optional.empty();
    }
    Period period = new Period(first.get().isAfter(earliest) ? first.get() : earliest, now);
    return period.length().compareTo(DAY) < 0
        ? Optional.empty()
        : Optional.of(
            new Growth(
                period.length(),
                period.perDay(captured),
                period.perDay(streamed),
                period.perDay(removedIn(period))));
  }

  /** Something that was stored at a time. */
  private record Stored<T>(T what, Instant time, long bytes) {}

  /** What is looked at. */
  private record Period(Instant from, Instant to) {
    Duration length() {
      return Duration.between(from, to);
    }

    boolean holds(Instant time) {
      return !time.isBefore(from) && !time.isAfter(to);
    }

    <T extends Comparable<T>> SortedMap<T, Long> perDay(List<Stored<T>> stored) {
      SortedMap<T, Long> sums = new TreeMap<>();
      for (Stored<T> one : stored) {
        if (holds(one.time())) {
          sums.merge(one.what(), one.bytes(), Long::sum);
        }
      }
      sums.replaceAll((what, bytes) -> perDay(bytes));
      return sums;
    }

    long perDay(long bytes) {
      return Math.round(bytes * ((double) DAY.toMillis() / length().toMillis()));
    }
  }

  /** What snapshots stored, also those that were let go; the first of a source is no growth. */
  private static List<Stored<Component>> captured(SnapshotList list) throws IOException {
    List<SnapshotList.Known> oldestFirst = new ArrayList<>(list.all());
    oldestFirst.addAll(list.retired());
    oldestFirst.sort(Comparator.comparing(k -> k.summary().time()));
    Set<String> begun = new HashSet<>();
    List<Stored<Component>> stored = new ArrayList<>();
    for (SnapshotList.Known known : oldestFirst) {
      for (CaptureHeader capture : SnapshotEntry.outline(known.signed()).captures()) {
        boolean isFirst = begun.add(known.summary().writer() + "/" + capture.source());
        long bytes = isFirst ? 0 : capture.newBytes();
        stored.add(new Stored<>(capture.component(), known.summary().time(), bytes));
      }
    }
    return stored;
  }

  private List<Stored<SourceName>> streamed() throws IOException {
    List<Stored<SourceName>> stored = new ArrayList<>();
    for (StreamLog log : Streams.now(repository).all()) {
      for (StreamLog.Standing standing : log.entries()) {
        StreamEntry entry = standing.entry();
        stored.add(new Stored<>(entry.about().stream(), standing.signed().time(), bytes(entry)));
      }
    }
    return stored;
  }

  private static long bytes(StreamEntry entry) {
    return Stream.concat(
            entry.slices().stream().map(StreamEntry.Slice::object),
            entry.companions().stream().map(StreamEntry.Companion::object))
        .mapToLong(ObjectRef::lengthBytes)
        .sum();
  }

  /** Of what snapshots stored: of streams what was removed is left out from the beginning. */
  private long removedIn(Period period) throws IOException {
    RetentionLog retention = repository.retention();
    LongAdder bytes = new LongAdder();
    for (RetentionLog.Removal removal : retention.removals()) {
      stopping.check();
      if (period.holds(removal.time())) {
        retention.objects(
            removal.doom(), object -> bytes.add(object.isPack() ? object.lengthBytes() : 0));
      }
    }
    return bytes.sum();
  }
}
