package org.stellaops.backup.spi;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import org.stellaops.backup.model.ObjectName;

/** Something that not every store can do. */
public interface StoreAbility {
  /** Knows how full it is. */
  interface Capacity extends StoreAbility {
    /** Bytes that can still be put; empty where unknown. */
    OptionalLong freeBytes() throws IOException;
  }

  /** Can tell and remove what crashed processes left half written. */
  interface Strays extends StoreAbility {
    /** Removes them, and nothing of a process that lives; returns how many there were. */
    int sweep() throws IOException;
  }

  /** Knows when an object was stored. */
  interface Times extends StoreAbility {
    /** By the store's own clock; empty if there is no such object. */
    Optional<Instant> storedAt(ObjectName name) throws IOException;
  }
}
