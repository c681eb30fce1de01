package org.stellaops.backup.testkit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SortedSet;
import java.util.function.Predicate;
import org.stellaops.backup.model.ObjectName;

/**
 * The objects of a store as whoever holds the disk sees them: without the store's rules. For tests
 * that damage them; one thread at a time. Methods that name an object throw {@link
 * IllegalArgumentException} where there is none, unless they say otherwise.
 */
public interface RawObjects {
  /** The names of all objects. */
  SortedSet<ObjectName> names() throws IOException;

  /** How long an object is. */
  long lengthBytes(ObjectName name) throws IOException;

  /** All bytes of an object, a copy. */
  byte[] read(ObjectName name) throws IOException;

  /** The byte at {@code offset}. */
  byte read(ObjectName name, long offset) throws IOException;

  /** Replaces an object, or makes one. */
  void write(ObjectName name, byte[] bytes) throws IOException;

  /** Replaces the byte at {@code offset}. */
  void write(ObjectName name, long offset, byte value) throws IOException;

  /** Removes an object. */
  void remove(ObjectName name) throws IOException;

  /**
   * Each regular file below {@code directory} as an object named by its path from there, with
   * {@code /} between its segments.
   */
  static RawObjects in(Path directory) {
    return new DirectoryObjects(directory, name -> true);
  }

  /** The same, without the files that are no objects: temporary files, locks. */
  static RawObjects in(Path directory, Predicate<ObjectName> isObject) {
    return new DirectoryObjects(directory, isObject);
  }
}
