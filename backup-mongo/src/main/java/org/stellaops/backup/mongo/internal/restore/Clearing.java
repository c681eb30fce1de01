package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoTarget.DropPolicy;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker.Phase;

/** Makes room in a database, as far as it may, and marks it. */
final class Clearing {
  private final RawDatabase database;
  private final RunId run;
  private final RestoreSettings settings;
  private final String identity;

  Clearing(RawDatabase database, RunId run, RestoreSettings settings, String identity) {
    this.database = database;
    this.run = run;
    this.settings = settings;
    this.identity = identity;
  }

  /**
   * Marks the database, and clears it of what will be restored if that is allowed.
   *
   * @param earlier attempt at the same, whose remains are gone on with
   */
  RestoreMarker begin(Placements placements, Optional<RestoreMarker> earlier) throws IOException {
    if (earlier.isPresent()) {
      return resume(earlier.get(), placements);
    }
    List<String> there = others();
    requireAllowed(placements, there);
    RestoreMarker marker = marker(placements, there);
    marker.begin(database);
    if (settings.existing() == Existing.REFUSE) {
      requireStillEmpty();
    }
    return cleared(marker, placements);
  }

  private RestoreMarker resume(RestoreMarker earlier, Placements placements)
      throws BackupException.Target {
    RestoreMarker marker = earlier.by(run);
    marker.putInto(database);
    if (marker.phase() == Phase.CLEARING && settings.existing() == Existing.REFUSE) {
      requireStillEmpty();
    }
    return marker.phase() == Phase.CLEARING ? cleared(marker, placements) : marker;
  }

  private RestoreMarker cleared(RestoreMarker marker, Placements placements) {
    dropped(others(), placements.names()).forEach(database::drop);
    RestoreMarker loading = marker.in(Phase.LOADING);
    loading.putInto(database);
    return loading;
  }

  /** What stands there, the marker aside. */
  private List<String> others() {
    List<String> there = new ArrayList<>(database.names());
    there.remove(RestoreMarker.COLLECTION);
    return there;
  }

  /** What is dropped before anything is created. */
  private Set<String> dropped(List<String> there, List<String> names) {
    Set<String> dropped = new TreeSet<>(there);
    switch (settings.existing()) {
      case REFUSE, MERGE -> dropped.clear();
      case SHADOW -> dropped.removeIf(n -> !n.startsWith(ShadowSwap.beside(identity)));
      case REPLACE -> {
        if (settings.drop() != DropPolicy.DATABASE) {
          dropped.retainAll(names);
        }
      }
    }
    return dropped;
  }

  private RestoreMarker marker(Placements placements, List<String> there) {
    Set<String> created = new LinkedHashSet<>();
    placements.all().forEach(p -> created.add(p.load().name()));
    boolean isShadow = settings.existing() == Existing.SHADOW;
    boolean touchesNothing =
        isShadow
            || (there.stream().noneMatch(created::contains)
                && dropped(there, placements.names()).isEmpty());
    if (isShadow) {
      placements.all().stream()
          .map(Placement::target)
          .filter(s -> s.isView() && there.contains(s.name()))
          .forEach(s -> created.remove(s.name()));
    } else {
      created.removeAll(there);
    }
    return new RestoreMarker(
        run, identity, Phase.CLEARING, touchesNothing, List.copyOf(created), Optional.empty());
  }

  private void requireAllowed(Placements placements, List<String> there)
      throws BackupException.Target {
    if (settings.existing() == Existing.REFUSE) {
      requireEmpty(new ArrayList<>(database.names()));
    }
    boolean mayDrop = settings.drop() != DropPolicy.NONE;
    if (!mayDrop && settings.existing() != Existing.MERGE) {
      List<String> colliding = new ArrayList<>(there);
      colliding.retainAll(placements.names());
      requireEmpty(colliding);
    }
    if (settings.existing() == Existing.MERGE) {
      requireFitting(placements, true);
    }
    if (settings.existing() == Existing.SHADOW) {
      swap(placements);
    }
  }

  /** Somebody may have created a collection between our look and our marker. */
  private void requireStillEmpty() throws BackupException.Target {
    try {
      requireEmpty(others());
    } catch (BackupException.Target e) {
      RestoreMarker.removeFrom(database);
      throw e;
    }
  }

  private void requireEmpty(List<String> there) throws BackupException.Target {
    if (!there.isEmpty()) {
      throw new BackupException.Target(
          CoreFailure.TARGET_NOT_EMPTY,
          "database %s holds %d collections: %s"
              .formatted(database.name(), there.size(), String.join(", ", there)));
    }
  }

  /** What changes places when everything is restored beside. */
  RestoreMarker.Swap swap(Placements placements) throws BackupException.Target {
    return ShadowSwap.plan(
        ShadowSwap.beside(identity),
        ShadowSwap.before(run.value()),
        placements,
        database.collections(),
        settings.drop() == DropPolicy.DATABASE);
  }

  /**
   * Holds what is there to what is merged into it.
   *
   * @param isFirst whether nothing of it is there yet
   * @throws BackupException.Target naming every option and index that differs
   */
  void requireFitting(Placements placements, boolean isFirst) throws BackupException.Target {
    List<String> conflicts = conflicts(database, placements.targets(), isFirst);
    if (!conflicts.isEmpty()) {
      throw new BackupException.Target(
          MongoFailure.DEFINITION_DIFFERS,
          "merge into database %s: %s".formatted(database.name(), String.join("; ", conflicts)));
    }
  }

  /** What makes it impossible to merge these into what is there. */
  static List<String> conflicts(
      RawDatabase database, List<CollectionSpec> coming, boolean isFirst) {
    Map<String, CollectionSpec> there =
        database.collections().stream()
            .collect(Collectors.toMap(CollectionSpec::name, Function.identity()));
    List<String> conflicts = new ArrayList<>();
    for (CollectionSpec spec : coming) {
      CollectionSpec now = there.get(spec.name());
      if (now != null) {
        DefinitionComparison.of(spec, now)
            .conflicts()
            .forEach(c -> conflicts.add(spec.name() + ": " + c));
        if (isFirst && now.isCapped() && database.estimatedCount(spec.name()) > 0) {
          conflicts.add(spec.name() + ": is capped and holds documents, so nothing fits between");
        }
      }
    }
    return conflicts;
  }
}
