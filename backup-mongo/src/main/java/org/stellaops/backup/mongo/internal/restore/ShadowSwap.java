package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;

/**
 * Lets what was restored beside and what is live change places, by renaming, and back.
 *
 * <p>Within one database a rename is one write to the catalog, whatever the size; between databases
 * it would copy every document. Each step looks at what is there, so that it can be taken twice: as
 * long as a collection stands under its name beside, what is live is the old one. What somebody
 * creates in between is never dropped.
 */
final class ShadowSwap {
  private static final String PREFIX = "stella.";

  private final RawDatabase database;
  private final RestoreMarker.Swap swap;
  private final Retrying retrying;

  ShadowSwap(RawDatabase database, RestoreMarker.Swap swap, Retrying retrying) {
    this.database = database;
    this.swap = swap;
    this.retrying = retrying;
  }

  /** Prefix under which a restore fills collections; the same for every attempt. */
  static String beside(String identity) {
    return PREFIX + "restoring." + identity.substring(0, 12) + ".";
  }

  /** Prefix under which a restore keeps what it replaces. */
  static String before(String run) {
    return PREFIX + "before." + run + ".";
  }

  /**
   * What will change places.
   *
   * @param live what stands there now
   * @param everything whether what is not in the archive is moved out as well
   */
  static RestoreMarker.Swap plan(
      String beside,
      String before,
      Placements placements,
      List<CollectionSpec> live,
      boolean everything)
      throws BackupException.Target {
    Set<String> incoming = new TreeSet<>(placements.names());
    List<String> replaced = new ArrayList<>();
    List<BsonDocument> views = new ArrayList<>();
    for (CollectionSpec spec : live) {
      boolean isOurs =
          spec.name().startsWith(PREFIX) || spec.name().equals(RestoreMarker.COLLECTION);
      boolean isReplaced = !isOurs && (everything || incoming.contains(spec.name()));
      if (isReplaced && spec.isView()) {
        views.add(
            new BsonDocument("name", new BsonString(spec.name()))
                .append("options", spec.options()));
      } else if (isReplaced) {
        requireMovable(spec);
        replaced.add(spec.name());
      }
    }
    List<String> names =
        placements.all().stream()
            .map(Placement::target)
            .filter(s -> !s.isView())
            .map(CollectionSpec::name)
            .toList();
    return new RestoreMarker.Swap(beside, before, names, replaced, views);
  }

  private static void requireMovable(CollectionSpec live) throws BackupException.Target {
    if (live.isTimeseries() || live.name().startsWith("system.")) {
      throw new BackupException.Target(
          CoreFailure.TARGET_NOT_EMPTY,
          "%s is a %s, which no server renames; it cannot be moved out of the way"
              .formatted(live.name(), live.type()));
    }
  }

  /** Moves the old ones out and the new ones in. */
  void forward() throws IOException {
    Map<String, CollectionSpec> there = there();
    for (BsonDocument view : swap.views()) {
      CollectionSpec now = there.get(name(view));
      if (now != null && now.isView()) {
        drop(now.name());
      }
    }
    for (String name : swap.replaced()) {
      boolean isOld = !swap.names().contains(name) || there.containsKey(swap.beside() + name);
      if (isOld && there.containsKey(name) && !there.containsKey(swap.before() + name)) {
        rename(name, swap.before() + name);
      }
    }
    for (String name : swap.names()) {
      moveIn(name, there().keySet());
    }
  }

  private void moveIn(String name, Set<String> there) throws IOException {
    boolean isBeside = there.contains(swap.beside() + name);
    if (isBeside && there.contains(name)) {
      throw new BackupException.Target(
          CoreFailure.TARGET_NOT_EMPTY,
          "somebody created %s.%s while it was being replaced; what was restored is in %s"
              .formatted(database.name(), name, swap.beside() + name));
    }
    if (isBeside) {
      rename(swap.beside() + name, name);
    } else if (!there.contains(name)) {
      throw new BackupException.Target(
          CoreFailure.CONTENT_DIFFERS,
          "neither %s nor %s is there".formatted(swap.beside() + name, name));
    }
  }

  /**
   * Takes it back, however far it has come.
   *
   * @param views that the restore has created
   * @return what could not be taken back, for humans
   */
  List<String> back(List<String> views) throws IOException {
    List<String> stuck = new ArrayList<>();
    Map<String, CollectionSpec> there = there();
    for (String view : views) {
      CollectionSpec now = there.get(view);
      if (now != null && now.isView()) {
        drop(view);
      }
    }
    for (String name : swap.names()) {
      if (there.containsKey(swap.beside() + name)) {
        drop(swap.beside() + name);
      } else if (there.containsKey(swap.before() + name) || !swap.replaced().contains(name)) {
        drop(name);
      }
    }
    moveBack(stuck);
    for (BsonDocument view : swap.views()) {
      if (!there().containsKey(name(view))) {
        createView(view);
      }
    }
    return stuck;
  }

  private void moveBack(List<String> stuck) throws IOException {
    Set<String> there = there().keySet();
    for (String name : swap.replaced()) {
      boolean isOut = there.contains(swap.before() + name);
      if (isOut && there.contains(name)) {
        stuck.add("%s is in the way of %s".formatted(name, swap.before() + name));
      } else if (isOut) {
        rename(swap.before() + name, name);
      }
    }
  }

  /** What was replaced and still is there. */
  List<String> kept() throws IOException {
    return there().keySet().stream().filter(n -> n.startsWith(swap.before())).toList();
  }

  /** Drops what was replaced. */
  void forget() throws IOException {
    for (String name : kept()) {
      drop(name);
    }
  }

  private Map<String, CollectionSpec> there() throws IOException {
    return retrying.call(
        number -> {
          Map<String, CollectionSpec> there = new TreeMap<>();
          database.collections().forEach(c -> there.put(c.name(), c));
          return there;
        });
  }

  private void drop(String name) throws IOException {
    retrying.call(
        number -> {
          database.drop(name);
          return name;
        });
  }

  /** A lost answer leaves open whether it was done; the names tell. */
  private void rename(String from, String to) throws IOException {
    retrying.stopping().check();
    retrying.call(
        number -> {
          try {
            database.rename(from, to);
          } catch (MongoException e) {
            List<String> names = number > 1 ? database.names() : List.of();
            if (!names.contains(to) || names.contains(from)) {
              throw e;
            }
          }
          return to;
        });
  }

  private void createView(BsonDocument view) throws IOException {
    CollectionSpec spec =
        new CollectionSpec(name(view), "view", view.getDocument("options"), List.of(), "");
    retrying.call(number -> database.run(RestoreCommands.create(spec)));
  }

  private static String name(BsonDocument view) {
    return view.getString("name").getValue();
  }
}
