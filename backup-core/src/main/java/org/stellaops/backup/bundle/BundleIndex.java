package org.stellaops.backup.bundle;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoredObject;

/** Where each object of a bundle lies in its archive. From any thread. */
final class BundleIndex {
  /** Some 250 bytes each in memory; in packs of 16 MiB, 4 TB. */
  static final int MOST_OBJECTS = 250_000;

  private static final int PAGE_OBJECTS = 4096;

  private final NavigableMap<String, Place> places = new ConcurrentSkipListMap<>();

  /**
   * The bytes of an object.
   *
   * @param position of the first in the archive
   * @param sizeBytes how many
   */
  record Place(long position, long sizeBytes) {}

  /**
   * Adds an object.
   *
   * @return false if there is one of this name
   */
  boolean add(ObjectName name, Place place) {
    return places.putIfAbsent(name.value(), place) == null;
  }

  /**
   * Makes sure that another object can be added.
   *
   * @throws BackupException.Refused TOO_LARGE
   */
  void requireRoom(String what) throws BackupException.Refused {
    if (places.size() >= MOST_OBJECTS) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "%s: more than %d objects; hint: choose fewer snapshots".formatted(what, MOST_OBJECTS));
    }
  }

  Optional<Place> find(ObjectName name) {
    return Optional.ofNullable(places.get(name.value()));
  }

  int size() {
    return places.size();
  }

  ObjectPage list(String prefix, PageToken from) {
    if (from.equals(PageToken.END)) {
      return new ObjectPage(List.of(), PageToken.END);
    }
    boolean isFirst = from.equals(PageToken.START);
    var rest = places.tailMap(isFirst ? prefix : from.value(), isFirst);
    List<StoredObject> page = new ArrayList<>();
    for (var object : rest.entrySet()) {
      String name = object.getKey();
      if (!name.startsWith(prefix)) {
        break;
      }
      if (page.size() == PAGE_OBJECTS) {
        return new ObjectPage(page, new PageToken(page.get(page.size() - 1).name().value()));
      }
      Place place = object.getValue();
      page.add(new StoredObject(ObjectName.of(name), place.sizeBytes(), "at-" + place.position()));
    }
    return new ObjectPage(page, PageToken.END);
  }
}
