package org.stellaops.backup.spi;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;

/** Something that not every store can do. */
public interface StoreAbility {
  /** Knows how full it is. */
  interface Capacity extends StoreAbility {
    /** Bytes that can still be put; empty where unknown. */
    OptionalLong freeBytes() throws IOException;

    /** Bytes of the whole place, with what others have in it; empty where unknown. */
    default OptionalLong totalBytes() throws IOException {
      return OptionalLong.empty();
    }
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

  /**
   * Computes digests of what it is given, refuses what is not what was announced, and can tell them
   * later. A store that only keeps what a client said does not have this ability.
   */
  interface Digests extends StoreAbility {
    /**
     * The digest of all stored bytes of an object, as the store computed it when it received or
     * copied them; empty where it has none, as of an object that came in parts.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if there is no such object
     */
    Optional<Digest> digest(ObjectName name) throws IOException;
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

  /** Keeps for a while what was deleted or replaced, if its owner has told it to. */
  interface History extends StoreAbility {
    /** Takes a version. */
    @FunctionalInterface
    interface Each {
      /** Takes one. */
      void take(KeptVersion version) throws IOException;
    }

    /**
     * Tells what is kept of objects whose names begin with {@code prefix}, of each object the
     * newest first. Nothing where no versions are kept.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink DENIED if these credentials may not
     *     look at versions
     */
    void kept(String prefix, History.Each each) throws IOException;

    /**
     * The bytes of a version within the range. The caller closes.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if it is kept no more
     */
    InputStream open(KeptVersion version, ByteRange range) throws IOException;

    /**
     * Gives an object the bytes of a version again. Whenever this ends, also in a crash, the name
     * gives what it gave before or these. No bytes are removed: what is replaced is kept in turn.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if it is kept no more
     */
    void bringBack(KeptVersion version) throws IOException;
  }

  /** Can protect objects from whoever may delete. */
  interface Locking extends StoreAbility {
    /**
     * When the protection of an object ends; empty if it has none.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if there is no such object
     */
    Optional<Instant> lockedUntil(ObjectName name) throws IOException;

    /**
     * Protects an object at least until then. Never shortens a protection.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if there is no such object
     */
    void lock(ObjectName name, Instant until) throws IOException;
  }

  /**
   * Can copy without the bytes passing through this process. A store knows where it can copy from
   * by an ability of its own that the other one has, since there may be wrappers around that.
   */
  interface ServerCopy extends StoreAbility {
    /**
     * Copies an object under its own name, whole or not at all.
     *
     * @return false if this store cannot copy from that one; nothing was done then
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if {@code from} has no such
     *     object; ALREADY_EXISTS if this store has one, whatever its bytes
     */
    boolean copy(ReadableStore from, ObjectName name) throws IOException;
  }

  /** May keep objects where they cannot be read at once: opening one is NOT_YET_RETRIEVED. */
  interface Retrieval extends StoreAbility {
    /** How far an object is. */
    enum State {
      /** It can be opened. */
      READABLE,
      /** It was asked for, and will be readable. */
      UNDER_WAY,
      /** It lies in a cold tier, and nobody asked for it. */
      COLD
    }

    /**
     * How far an object is.
     *
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if there is no such object
     */
    State stateOf(ObjectName name) throws IOException;

    /** Takes how far an object is. */
    @FunctionalInterface
    interface Each {
      /** Takes one. */
      void take(ObjectName name, State state) throws IOException;
    }

    /**
     * Tells how far the objects are whose names begin with {@code prefix}, by fewer requests than
     * {@link #stateOf} of each takes. Of what is left out nothing is said: it has to be asked for
     * by itself. One that is told twice is as it was told last. Tells nothing unless the store's
     * listing does.
     */
    default void states(String prefix, Retrieval.Each each) throws IOException {}

    /**
     * Asks for an object to be readable for so long. Asking again changes nothing. Costs money.
     *
     * @param readable rounded up to what the store counts in: days
     * @throws org.stellaops.backup.model.BackupException.Sink NOT_FOUND if there is no such object
     */
    void request(ObjectName name, Duration readable) throws IOException;
  }

  /** Knows who else can get at it, and how it is protected. */
  interface Exposure extends StoreAbility {
    /** Looks; changes nothing. Names of checks begin with {@code sink: }. */
    void check(Checks checks) throws IOException;
  }
}
