package org.stellaops.backup.testkit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.stellaops.backup.model.ObjectName;

/**
 * All bytes of some objects, numbered through from 0, so that each can be visited or drawn without
 * a list of them. Lengths are those at the time of making.
 */
final class BytePlaces {
  private final List<ObjectName> objects;

  /** Number of the first byte of each object, and in the end the count of all. */
  private final long[] starts;

  private BytePlaces(List<ObjectName> objects, long[] starts) {
    this.objects = objects;
    this.starts = starts;
  }

  /** Empty objects have no places. */
  static BytePlaces of(RawObjects raw) throws IOException {
    List<ObjectName> objects = new ArrayList<>();
    List<Long> starts = new ArrayList<>(List.of(0L));
    for (ObjectName name : raw.names()) {
      long length = raw.lengthBytes(name);
      if (length > 0) {
        objects.add(name);
        starts.add(starts.get(starts.size() - 1) + length);
      }
    }
    return new BytePlaces(objects, starts.stream().mapToLong(Long::longValue).toArray());
  }

  long count() {
    return starts[starts.length - 1];
  }

  ObjectName object(long index) {
    return objects.get(position(index));
  }

  long offset(long index) {
    return index - starts[position(index)];
  }

  private int position(long index) {
    int found = Arrays.binarySearch(starts, index);
    return found >= 0 ? found : -found - 2;
  }
}
