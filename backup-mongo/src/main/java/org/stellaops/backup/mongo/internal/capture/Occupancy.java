package org.stellaops.backup.mongo.internal.capture;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;
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

  boolean has(String collection) {
    return collections.stream().anyMatch(c -> c.name().equals(collection));
  }

  /**
   * What was seen to change while {@code read} was captured, as sentences. A write that leaves all
   * counts and the size as they were is not seen: the absence of changes is no proof.
   */
  List<String> changes(Occupancy after, CaptureMeta read) {
    List<String> changes = new ArrayList<>();
    Map<String, CollectionSpec> earlier = byName();
    Map<String, CollectionSpec> later = after.byName();
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
    for (CaptureMeta.Item item : read.collections()) {
      addIfCountsDiffer(item, after, changes);
    }
    if (changes.isEmpty() && dataBytes != after.dataBytes) {
      changes.add(
          "all documents took %d bytes before, %d after".formatted(dataBytes, after.dataBytes));
    }
    return changes;
  }

  private void addIfCountsDiffer(CaptureMeta.Item item, Occupancy after, List<String> changes) {
    String name = item.spec().name();
    Long before = counts.get(name);
    Long later = after.counts.get(name);
    long read = item.tally().documents();
    if (before != null && later != null && (before != read || later != read)) {
      changes.add(
          "%s had %d documents before, %d were read, it had %d after"
              .formatted(name, before, read, later));
    }
  }

  private Map<String, CollectionSpec> byName() {
    return collections.stream()
        .collect(Collectors.toMap(CollectionSpec::name, Function.identity()));
  }
}
