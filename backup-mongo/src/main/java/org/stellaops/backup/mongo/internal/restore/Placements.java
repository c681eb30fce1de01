package org.stellaops.backup.mongo.internal.restore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * Where everything in an archive goes.
 *
 * @param all what is restored, in the archive's order
 * @param skipped what is not
 * @param findings what could not be made to fit the new names
 */
record Placements(List<Placement> all, Set<Namespace> skipped, List<Finding> findings) {
  Placements {
    all = List.copyOf(all);
    skipped = Set.copyOf(skipped);
    findings = List.copyOf(findings);
  }

  /**
   * Places what an archive of one database holds.
   *
   * @param archived the database's name in the archive
   * @param beside prefix under which collections are filled; empty where they are filled in place
   * @throws BackupException.Target if two of them would get one name
   */
  static Placements of(
      List<CollectionSpec> specs,
      String archived,
      String database,
      RestoreSettings settings,
      String beside)
      throws BackupException.Target {
    Map<String, String> names = new HashMap<>();
    Set<Namespace> skipped = new HashSet<>();
    for (CollectionSpec spec : specs) {
      Namespace namespace = new Namespace(archived, spec.name());
      if (settings.isSelected(spec.name())) {
        names.put(spec.name(), settings.nameOf(namespace, database));
      } else {
        skipped.add(namespace);
      }
    }
    requireDistinct(names);
    ViewRewriting views = new ViewRewriting(archived, database, names);
    List<Placement> all = new ArrayList<>();
    for (CollectionSpec spec : specs) {
      String name = names.get(spec.name());
      if (name != null) {
        CollectionSpec target = views.rewrite(spec).named(name);
        requireMovable(target, settings);
        CollectionSpec load = target.isView() ? target : target.named(beside + name);
        all.add(new Placement(new Namespace(archived, spec.name()), target, load));
      }
    }
    return new Placements(all, skipped, views.findings());
  }

  /** A server renames neither a time series nor its own collection of functions. */
  private static void requireMovable(CollectionSpec spec, RestoreSettings settings)
      throws BackupException.Target {
    boolean isMoved = settings.existing() == Existing.SHADOW;
    if (isMoved && (spec.isTimeseries() || spec.name().startsWith("system."))) {
      throw new BackupException.Target(
          MongoFailure.NOT_RESTORABLE,
          "%s is a %s, which no server renames; it cannot be restored beside what is live"
              .formatted(spec.name(), spec.type()));
    }
  }

  private static void requireDistinct(Map<String, String> names) throws BackupException.Target {
    Map<String, String> taken = new HashMap<>();
    for (Map.Entry<String, String> name : names.entrySet()) {
      String other = taken.put(name.getValue(), name.getKey());
      if (other != null) {
        throw new BackupException.Target(
            MongoFailure.NOT_RESTORABLE,
            "%s and %s would both become %s".formatted(other, name.getKey(), name.getValue()));
      }
    }
  }

  /** Names that they have in the end. */
  List<String> names() {
    return all.stream().map(p -> p.target().name()).toList();
  }

  /** What holds documents, as it is filled. */
  List<CollectionSpec> loads() {
    return all.stream().map(Placement::load).filter(s -> !s.isView()).toList();
  }

  /** Everything as it is in the end. */
  List<CollectionSpec> targets() {
    return all.stream().map(Placement::target).toList();
  }
}
