package org.stellaops.backup.parity;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** A group with those of its volumes that are whole. */
final class ShelvedGroup {
  private final Group group;
  private final SortedMap<Integer, Volume> volumes = new TreeMap<>();
  private int expected;

  ShelvedGroup(Group group) {
    this.group = group;
  }

  void expect(int count) {
    expected = Math.max(expected, count);
  }

  void put(Volume volume) {
    volumes.put(volume.header().index(), volume);
  }

  Group group() {
    return group;
  }

  /** How many volumes it had when it was made. */
  int expected() {
    return expected;
  }

  /** Those that are whole, by index. */
  Collection<Volume> volumes() {
    return Collections.unmodifiableCollection(volumes.values());
  }

  /** Indexes of volumes that are not there, of so many, and never fewer than it had. */
  List<Integer> missing(int wanted) {
    List<Integer> missing = new ArrayList<>();
    for (int i = 0; i < count(wanted); i++) {
      if (!volumes.containsKey(i)) {
        missing.add(i);
      }
    }
    return missing;
  }

  /** How many volumes it should have where so many are wanted. */
  int count(int wanted) {
    int most = ReedSolomon.MAX_SHARDS - group.members().size();
    return Math.min(Math.max(wanted, expected), most);
  }
}
