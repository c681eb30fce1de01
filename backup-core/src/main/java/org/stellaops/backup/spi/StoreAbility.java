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

  /** Can set aside an object that is not what its name says, for one that is. */
  interface Mending extends StoreAbility {
    /**
     * Gives a name that is taken another body. What had it stays, under the same name with {@code
     * .damaged} behind it, or {@code .damaged-2} and so on; nothing is removed. Whenever this ends,
     * also in a crash, the name has one body or the other, whole.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if there is no such object
     */
    void mend(ObjectName name, ObjectBody body) throws IOException;
  }
}
