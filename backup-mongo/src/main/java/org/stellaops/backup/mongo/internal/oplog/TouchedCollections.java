package org.stellaops.backup.mongo.internal.oplog;

import java.util.Set;
import java.util.TreeSet;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;

/**
 * Which collections a replay may change, by the entries that pass; more rather than less. What is
 * not understood may change all.
 */
public final class TouchedCollections {
  private final Set<String> namespaces = new TreeSet<>();
  private boolean isAny;

  /** None yet. */
  public TouchedCollections() {}

  /** Adds those of one entry. */
  public void add(BsonDocument entry) {
    String kind = text(entry.get("op"));
    String namespace = text(entry.get("ns"));
    switch (kind) {
      case "i", "u", "d" -> namespaces.add(namespace);
      case "c" -> addCommand(namespace, entry.get("o"));
      case "n" -> {}
      default -> isAny = true;
    }
  }

  private void addCommand(String namespace, @Nullable BsonValue command) {
    if (!(command instanceof BsonDocument o) || o.isEmpty()) {
      isAny = true;
      return;
    }
    String database = namespace.substring(0, Math.max(0, namespace.indexOf('.')));
    String name = text(o.get(o.getFirstKey()));
    switch (o.getFirstKey()) {
      case "applyOps" ->
          o.getArray("applyOps", new BsonArray()).forEach(inner -> add(inner.asDocument()));
      case "commitTransaction", "abortTransaction" -> {}
      case "create",
          "drop",
          "collMod",
          "createIndexes",
          "commitIndexBuild",
          "startIndexBuild",
          "abortIndexBuild",
          "dropIndexes",
          "deleteIndexes" ->
          namespaces.add(database + "." + name);
      case "renameCollection" -> {
        namespaces.add(name);
        namespaces.add(text(o.get("to")));
      }
      default -> isAny = true;
    }
  }

  private static String text(@Nullable BsonValue value) {
    return value instanceof BsonString string ? string.getValue() : "";
  }

  /** Whether a replay may change it. */
  public boolean mayChange(String namespace) {
    return isAny || namespaces.contains(namespace);
  }
}
