package org.stellaops.backup.mongo.internal.oplog;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/** Which namespaces of an oplog are wanted, and what they are called where they go. Pure. */
@FunctionalInterface
public interface OplogSelection {
  /** Where a namespace goes; empty if it is not wanted. */
  Optional<Namespace> target(Namespace source);

  /** Whether any namespace of a database may be wanted. */
  default boolean holdsDatabase(String database) {
    return true;
  }

  /** Whether a namespace is wanted. */
  default boolean holds(Namespace source) {
    return target(source).isPresent();
  }

  /** Whether a collection that stands where the replay goes may be one of its own. */
  default boolean mayHold(Namespace target) {
    return true;
  }

  /** Everything but what the server keeps for itself. */
  static OplogSelection everything() {
    return of(database -> !OWN.contains(database), Map.of());
  }

  /** Everything of some databases. */
  static OplogSelection databases(Set<String> databases) {
    Set<String> names = Set.copyOf(databases);
    return of(names::contains, Map.of());
  }

  /** One database, under another name. */
  static OplogSelection renamed(String from, String to) {
    return of(from::equals, Map.of(from, to));
  }

  /** Databases that the server keeps for itself. */
  Set<String> OWN = Set.of("admin", "config", "local");

  private static OplogSelection of(Predicate<String> databases, Map<String, String> renames) {
    return new OplogSelection() {
      @Override
      public Optional<Namespace> target(Namespace source) {
        String name = source.database();
        return holdsDatabase(name)
            ? Optional.of(new Namespace(renames.getOrDefault(name, name), source.collection()))
            : Optional.empty();
      }

      @Override
      public boolean holdsDatabase(String database) {
        return databases.test(database);
      }
    };
  }
}
