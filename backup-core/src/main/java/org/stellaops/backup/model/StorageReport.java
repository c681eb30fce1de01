package org.stellaops.backup.model;

import java.time.Duration;
import java.util.Collections;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a repository takes of its store, how fast that grows, and for how long there is room.
 *
 * @param kinds by kind of object: {@code packs}, {@code manifests}, {@code lists}, {@code state},
 *     {@code stream}, {@code log}, {@code keys}, {@code beat}, {@code other}
 * @param writers by whose they are; what all share is under the empty name
 * @param room in the store
 * @param growth of the last days; empty while less than a day lies between two snapshots of a
 *     source, or two entries of a stream
 */
public record StorageReport(
    SortedMap<String, Usage> kinds,
    SortedMap<String, Usage> writers,
    StorageRoom room,
    Optional<Growth> growth) {
  private static final double DAY_SECONDS = Duration.ofDays(1).toSeconds();

  public StorageReport {
    kinds = Collections.unmodifiableSortedMap(new TreeMap<>(kinds));
    writers = Collections.unmodifiableSortedMap(new TreeMap<>(writers));
  }

  /**
   * Objects and their stored bytes.
   *
   * @param objects how many there are
   * @param bytes of all of them
   */
  public record Usage(long objects, long bytes) {
    public static final Usage NONE = new Usage(0, 0);

    /** With one more object. */
    public Usage plus(long moreBytes) {
      return new Usage(objects + 1, bytes + moreBytes);
    }
  }

  /**
   * What was stored and let go on an average day, as signed entries have it. What the first
   * snapshot of a source stored is its base, and no growth.
   *
   * @param over how long was looked back; at most 30 days
   * @param storedPerDay bytes a day, by component
   * @param streamedPerDay bytes a day of recorded streams, by what the plan calls them
   * @param releasedPerDay bytes a day that retention removed
   */
  public record Growth(
      Duration over,
      SortedMap<Component, Long> storedPerDay,
      SortedMap<SourceName, Long> streamedPerDay,
      long releasedPerDay) {
    public Growth {
      storedPerDay = Collections.unmodifiableSortedMap(new TreeMap<>(storedPerDay));
      streamedPerDay = Collections.unmodifiableSortedMap(new TreeMap<>(streamedPerDay));
    }

    /** Bytes a day; below zero where retention removes more than is stored. */
    public long bytesPerDay() {
      return sum(storedPerDay) + sum(streamedPerDay) - releasedPerDay;
    }

    private static long sum(SortedMap<?, Long> perDay) {
      return perDay.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** Everything that is there. */
  public Usage total() {
    return kinds.values().stream()
        .reduce(Usage.NONE, (a, b) -> new Usage(a.objects() + b.objects(), a.bytes() + b.bytes()));
  }

  /**
   * For how long the room lasts if it goes on like this; empty where the room or the growth is
   * unknown, or nothing grows.
   */
  public Optional<Duration> untilFull() {
    OptionalLong free = room.freeBytes();
    long perDay = growth.map(Growth::bytesPerDay).orElse(0L);
    return free.isEmpty() || perDay <= 0
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds((long) (free.getAsLong() * (DAY_SECONDS / perDay))));
  }
}
