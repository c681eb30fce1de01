package org.stellaops.backup.mongo.internal.capture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/**
 * What a database holds at one moment, as far as a server says without reading it.
 *
 * @param collections by name
 * @param counts documents of each that has some of its own
 * @param dataBytes of all documents; 0 where the server does not say
 */
record Occupancy(List<CollectionSpec> collections, Map<String, Long> counts, long dataBytes) {
  Occupancy {
    collections = List.copyOf(collections);
    counts = Map.copyOf(counts);
  }

  static Occupancy of(RawDatabase database) {
    List<CollectionSpec> collections = database.collections();
    Map<String, Long> counts = new LinkedHashMap<>();
    for (CollectionSpec spec : collections) {
      if (!spec.isView()) {
        counts.put(spec.name(), database.estimatedCount(spec.dataName()));
      }
    }
    return new Occupancy(collections, counts, database.dataBytes());
  }

  /** The same without counts, which say nothing about another time. */
  static Occupancy withoutCounts(RawDatabase database) {
    return new Occupancy(database.collections(), Map.of(), database.dataBytes());
  }

  /** Which collections came, went or were exchanged, as sentences; indexes are not looked at. */
  List<String> moves(List<CollectionSpec> later) {
    List<String> moves = new ArrayList<>();
    Map<String, CollectionSpec> left = byName(later);
    for (CollectionSpec was : collections) {
      CollectionSpec is = left.remove(was.name());
      if (is == null) {
        moves.add(was.name() + " was dropped or renamed");
      } else if (!is.uuid().equals(was.uuid())) {
        moves.add(was.name() + " was exchanged for another one");
      } else if (!is.options().equals(was.options())) {
        moves.add(was.name() + " got other options");
      }
    }
    left.keySet().forEach(name -> moves.add(name + " was created"));
    return moves;
  }

  boolean has(String collection) {
    return collections.stream().anyMatch(c -> c.name().equals(collection));
  }

  /**
   * What was seen to change while documents of {@code read} were read, as sentences. A write that
   * leaves all counts and the size as they were is not seen: the absence of changes is no proof.
   */
  List<String> changes(Occupancy after, Map<String, Tally> read) {
    List<String> changes = new ArrayList<>();
    Map<String, CollectionSpec> earlier = byName(collections);
    Map<String, CollectionSpec> later = byName(after.collections);
    TreeSet<String> names = new TreeSet<>(earlier.keySet());
    names.addAll(later.keySet());
    for (String name : names) {
      CollectionSpec was = earlier.get(name);
      CollectionSpec is = later.get(name);
      if (was == null) {
        changes.add(name + " was created");
      } else if (is == null) {
        changes.add(name + " was dropped");
      } else if (!MetadataJson.write(was).equals(MetadataJson.write(is))) {
        changes.add(name + " has other options or indexes");
      }
    }
    for (CollectionSpec spec : collections) {
      Tally tally = read.getOrDefault(spec.name(), Tally.NOTHING);
      addIfCountsDiffer(spec.name(), tally.documents(), after, changes);
    }
    if (changes.isEmpty() && dataBytes != after.dataBytes) {
      changes.add(
          "all documents took %d bytes before, %d after".formatted(dataBytes, after.dataBytes));
    }
    return changes;
  }

  private void addIfCountsDiffer(String name, long read, Occupancy after, List<String> changes) {
    Long before = counts.get(name);
    Long later = after.counts.get(name);
    if (before != null && later != null && (before != read || later != read)) {
      changes.add(
          "%s had %d documents before, %d were read, it had %d after"
              .formatted(name, before, read, later));
    }
  }

  private static Map<String, CollectionSpec> byName(List<CollectionSpec> specs) {
    Map<String, CollectionSpec> byName = new TreeMap<>();
    specs.forEach(spec -> byName.put(spec.name(), spec));
    return byName;
  }
}
