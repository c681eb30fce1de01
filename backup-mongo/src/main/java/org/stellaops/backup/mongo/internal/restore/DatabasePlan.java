package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.MongoTarget.DropPolicy;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.MongoTarget.UsersAndRoles;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestorePlanning.Undo;

/**
 * Says what a restore into a database would do, and what stands in its way. What an archive holds
 * is known here from the side artifact, or from the inventory where the plan is made without an
 * identity; of an archive that mongodump wrote it is not, and is looked at when it is restored,
 * before anything is changed.
 */
public final class DatabasePlan {
  private final RawDatabase database;
  private final URI location;
  private final RestoreSettings settings;
  private final RestorePlanning planning;
  private final Optional<Replay> replay;
  private final CapturedSource captured;
  private final List<String> there;
  private final Optional<RestoreMarker> marker;

  /**
   * Looks at the database.
   *
   * @param replay what is replayed on top of the documents
   */
  public DatabasePlan(
      RawDatabase database,
      URI location,
      RestoreSettings settings,
      RestorePlanning planning,
      Optional<Replay> replay) {
    this.replay = replay;
    this.database = database;
    this.location = location;
    this.settings = settings;
    this.planning = planning;
    this.captured = planning.requested();
    this.there = database.names();
    this.marker = RestoreMarker.find(database);
  }

  /** Reports. */
  public void run() throws IOException {
    planning.state(state());
    List<String> coming = List.of();
    try {
      Optional<Placements> placements = placements();
      coming = placements.map(Placements::names).orElse(List.of());
      placements.ifPresent(p -> p.findings().forEach(this::advise));
      blockBy(placements);
    } catch (BackupException.Target e) {
      block(e.code(), String.valueOf(e.detail()));
    }
    planning.undo(undo(coming));
    dropped(coming).forEach(name -> planning.overwrites(database.name() + "." + name));
    steps(coming);
  }

  private boolean isResumed() {
    String point = replay.map(Replay::point).orElse("");
    String identity = settings.identity(captured, database.name(), point);
    return marker.isPresent() && marker.get().of().equals(identity);
  }

  private TargetState state() {
    TargetState.Occupancy occupancy =
        marker.isPresent()
            ? TargetState.Occupancy.UNFINISHED_RESTORE
            : there.isEmpty() ? TargetState.Occupancy.EMPTY : TargetState.Occupancy.OCCUPIED;
    String identity = location + "\n" + String.join("\n", there);
    return new TargetState(
        occupancy,
        Digest.ofContent(identity.getBytes(StandardCharsets.UTF_8)),
        "%s: %s".formatted(location, occupants()));
  }

  private String occupants() {
    String unfinished =
        marker.map(m -> "unfinished restore of run " + m.run() + " among ").orElse("");
    return there.isEmpty()
        ? "empty"
        : "%s%d collections: %s".formatted(unfinished, there.size(), String.join(", ", there));
  }

  /** Empty where nobody knows yet. */
  private Optional<Placements> placements() throws IOException {
    String from = settings.scope().from();
    String only = captured.properties().getOrDefault(Layout.DATABASE_PROPERTY, "");
    String archived = from.isEmpty() ? only : from;
    List<CollectionSpec> specs = specs(archived);
    if (specs.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(Placements.of(specs, archived, database.name(), settings, ""));
  }

  private List<CollectionSpec> specs(String archived) throws IOException {
    if (captured.artifact(Layout.META).isPresent()) {
      try (InputStream meta = planning.open(Layout.META).orElse(null)) {
        if (meta != null) {
          return CaptureMeta.read(meta).collections().stream().map(CaptureMeta.Item::spec).toList();
        }
      }
    }
    String prefix = archived + ".";
    return captured.inventory().stream()
        .map(InventoryItem::name)
        .filter(name -> name.startsWith(prefix))
        .map(name -> name.substring(prefix.length()))
        .filter(name -> !CapturedArchive.isTheServersOwn(new Namespace(archived, name)))
        .map(name -> new CollectionSpec(name, "collection", new BsonDocument(), List.of(), ""))
        .toList();
  }

  private void blockBy(Optional<Placements> placements) throws IOException {
    if (isResumed()) {
      return;
    }
    if (settings.existing() == Existing.REFUSE && !there.isEmpty()) {
      block(CoreFailure.TARGET_NOT_EMPTY, occupants());
    }
    if (settings.existing() == Existing.SHADOW
        && database.server().topology() == ServerFacts.Topology.SHARDED) {
      block(
          MongoFailure.NOT_RESTORABLE,
          "behind mongos nothing is restored beside what is live: renaming is no single step there");
    }
    if (replay.isPresent()) {
      List<String> coming = placements.map(Placements::names).orElse(List.of());
      Replay.obstacle(settings, there, coming)
          .ifPresent(o -> block(MongoFailure.REPLAY_NEEDS_ROOM, o));
    }
    if (settings.scope().users() != null
        && captured.inventory().stream().noneMatch(this::isUsers)) {
      block(MongoFailure.NOT_RESTORABLE, "the capture has no users and roles");
    }
    if (placements.isPresent()) {
      blockBy(placements.get());
    }
  }

  private boolean isUsers(InventoryItem item) {
    return item.name().endsWith("." + UserNamespaces.ofDatabase(UserNamespaces.USERS))
        || item.name().equals("admin." + UserNamespaces.USERS);
  }

  private void blockBy(Placements placements) throws BackupException.Target {
    boolean isKnown = planning.requested().artifact(Layout.META).isPresent();
    if (settings.existing() == Existing.MERGE && isKnown) {
      Clearing.conflicts(database, placements.targets(), true)
          .forEach(c -> block(MongoFailure.DEFINITION_DIFFERS, c));
    }
    if (settings.existing() == Existing.SHADOW) {
      ShadowSwap.plan(
          "", "", placements, database.collections(), settings.drop() == DropPolicy.DATABASE);
    }
    boolean mayDrop = settings.drop() != DropPolicy.NONE;
    boolean drops =
        settings.existing() == Existing.REPLACE || settings.existing() == Existing.SHADOW;
    Set<String> colliding = new TreeSet<>(there);
    colliding.retainAll(placements.names());
    if (drops && !mayDrop && !colliding.isEmpty()) {
      block(CoreFailure.TARGET_NOT_EMPTY, "nothing may be dropped, and there are " + colliding);
    }
  }

  private void block(FailureCode code, String found) {
    planning.blocker(new Finding(code, location.toString(), found));
  }

  private void advise(Finding finding) {
    planning.advice("view " + finding.subject() + " " + finding.found(), finding.code().remedy());
  }

  /** What gives way; all of it where nobody knows yet what will be restored. */
  private Set<String> dropped(List<String> coming) {
    Set<String> dropped = new TreeSet<>(there);
    dropped.remove(RestoreMarker.COLLECTION);
    boolean drops =
        settings.existing() == Existing.REPLACE || settings.existing() == Existing.SHADOW;
    if (!drops || settings.drop() == DropPolicy.NONE || isResumed()) {
      dropped.clear();
    } else if (settings.drop() == DropPolicy.LISTED && !coming.isEmpty()) {
      dropped.retainAll(coming);
    }
    return dropped;
  }

  private Undo undo(List<String> coming) {
    if (settings.scope().users() == UsersAndRoles.REPLACE) {
      return Undo.IMPOSSIBLE;
    }
    if (there.isEmpty()) {
      return Undo.REMOVE;
    }
    if (isResumed()) {
      return marker.orElseThrow().isReversible() ? undoOfOurs() : Undo.IMPOSSIBLE;
    }
    return switch (settings.existing()) {
      case SHADOW -> Undo.SWAP_BACK;
      case REFUSE -> Undo.IMPOSSIBLE;
      case REPLACE, MERGE -> {
        boolean isUntouched =
            !coming.isEmpty()
                && marker.isEmpty()
                && coming.stream().noneMatch(there::contains)
                && dropped(coming).isEmpty();
        yield isUntouched ? Undo.REMOVE : Undo.IMPOSSIBLE;
      }
    };
  }

  private Undo undoOfOurs() {
    return settings.existing() == Existing.SHADOW ? Undo.SWAP_BACK : Undo.REMOVE;
  }

  private void steps(List<String> coming) {
    long bytes = captured.artifacts().stream().mapToLong(a -> a.plainBytes()).sum();
    planning.step("verify the archive", bytes);
    if (isResumed()) {
      planning.step("go on with the restore of run " + marker.orElseThrow().run(), 0);
    }
    String how =
        switch (settings.existing()) {
          case SHADOW -> "create, fill and read back collections beside those of " + location;
          case MERGE -> "compare with and insert into collections of " + location;
          case REFUSE, REPLACE -> "create, fill and read back collections of " + location;
        };
    planning.step(coming.isEmpty() ? how : how + ": " + String.join(", ", coming), bytes);
    replay.ifPresent(r -> planning.step(r.describe(), r.recordedBytes()));
    planning.step(
        replay.isEmpty()
            ? "create indexes and views"
            : "create indexes and views, as they are after the replay",
        0);
    if (settings.existing() == Existing.SHADOW) {
      planning.step("rename into place; what was replaced is " + replaced(), 0);
    }
    if (settings.scope().users() != null) {
      planning.step("restore users and roles: " + settings.scope().users(), 0);
    }
    kept(coming).ifPresent(names -> planning.step("leave as they are: " + names, 0));
  }

  private String replaced() {
    return settings.keepsReplaced() ? "kept under other names" : "dropped at the end";
  }

  private Optional<String> kept(List<String> coming) {
    List<String> kept = new ArrayList<>(there);
    kept.removeAll(dropped(coming));
    kept.removeAll(coming);
    kept.remove(RestoreMarker.COLLECTION);
    return kept.isEmpty() || coming.isEmpty()
        ? Optional.empty()
        : Optional.of(kept.stream().collect(Collectors.joining(", ")));
  }
}
