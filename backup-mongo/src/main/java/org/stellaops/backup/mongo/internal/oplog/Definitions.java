package org.stellaops.backup.mongo.internal.oplog;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * What collections, indexes and views are to be when a replay has ended. Indexes and views are not
 * made while it goes on: in its middle two documents may lawfully have the same value of a unique
 * index, and a view may be on what does not exist yet. Everything is known by the name that it has
 * in the oplog. One thread.
 */
public final class Definitions {
  private static final Set<String> OF_AN_INDEX =
      Set.of("expireAfterSeconds", "hidden", "unique", "prepareUnique");
  private static final String ID_INDEX = "_id_";

  private final Map<Namespace, Collection> collections = new LinkedHashMap<>();

  /** Nothing is known yet. */
  public Definitions() {}

  /** What a capture says of the collections of a database, under its captured name. */
  public static Definitions of(String database, List<CollectionSpec> captured) {
    Definitions definitions = new Definitions();
    for (CollectionSpec spec : captured) {
      Collection collection =
          definitions.collection(new Namespace(database, spec.name()), spec.type());
      collection.options = spec.options();
      spec.indexes().forEach(collection::add);
    }
    return definitions;
  }

  /** What there is to be in a database: collections, views and time series, with their indexes. */
  public List<CollectionSpec> collections(String database) {
    List<CollectionSpec> specs = new ArrayList<>();
    collections.forEach(
        (name, collection) -> {
          if (name.database().equals(database)) {
            specs.add(
                new CollectionSpec(
                    name.collection(),
                    collection.type,
                    collection.options,
                    List.copyOf(collection.indexes.values()),
                    ""));
          }
        });
    return specs;
  }

  /** Whether documents of a collection have an order that has to be kept. */
  boolean isCapped(Namespace name) {
    Collection collection = collections.get(name);
    BsonValue capped = collection == null ? null : collection.options.get("capped");
    return capped != null && capped.isBoolean() && capped.asBoolean().getValue();
  }

  void create(Namespace name, String type, BsonDocument options) {
    if (!collections.containsKey(name)) {
      collection(name, type).options = options;
    }
  }

  void put(Namespace view, BsonDocument definition) {
    Collection made = collection(view, "view");
    made.options = definition;
  }

  Optional<BsonDocument> view(Namespace name) {
    Collection found = collections.get(name);
    return found == null || !found.type.equals("view")
        ? Optional.empty()
        : Optional.of(found.options);
  }

  void drop(Namespace name) {
    collections.remove(name);
  }

  void dropDatabase(String database) {
    collections.keySet().removeIf(n -> n.database().equals(database));
  }

  void rename(Namespace from, Namespace to) {
    Collection moved = collections.remove(from);
    if (moved != null) {
      collections.put(to, moved);
    }
  }

  void createIndex(Namespace name, BsonDocument index) {
    collection(name, "collection").add(index);
  }

  /** By name or key; {@code *} is every one but that of {@code _id}. */
  void dropIndex(Namespace name, BsonValue which) {
    collection(name, "collection")
        .indexes
        .values()
        .removeIf(i -> isMeant(i, which) && !isIdIndex(i));
  }

  private static boolean isIdIndex(BsonDocument index) {
    return new BsonString(ID_INDEX).equals(index.get("name"));
  }

  private static boolean isMeant(BsonDocument index, BsonValue which) {
    return which.isDocument()
        ? which.equals(index.get("key"))
        : which.equals(new BsonString("*")) || which.equals(index.get("name"));
  }

  /** Options of a {@code collMod}, and what it says of one index. */
  void modify(Namespace name, BsonDocument options, BsonDocument index) {
    Collection collection = collection(name, "collection");
    BsonDocument changed = copy(collection.options);
    changed.putAll(options);
    collection.options = changed;
    BsonValue which = index.containsKey("name") ? index.get("name") : index.get("keyPattern");
    if (which != null) {
      collection.indexes.replaceAll((n, i) -> isMeant(i, which) ? modified(i, index) : i);
    }
  }

  /** One that can be changed: what comes from bytes cannot. */
  private static BsonDocument copy(BsonDocument document) {
    BsonDocument copy = new BsonDocument();
    copy.putAll(document);
    return copy;
  }

  private static BsonDocument modified(BsonDocument index, BsonDocument change) {
    BsonDocument changed = copy(index);
    change.forEach(
        (field, value) -> {
          if (OF_AN_INDEX.contains(field)) {
            changed.put(field, value);
          }
        });
    if (change.containsKey("unique")) {
      changed.remove("prepareUnique");
    }
    return changed;
  }

  private Collection collection(Namespace name, String type) {
    return collections.computeIfAbsent(name, n -> new Collection(type));
  }

  /** What is known of one. */
  private static final class Collection {
    final String type;
    final Map<String, BsonDocument> indexes = new LinkedHashMap<>();
    BsonDocument options = new BsonDocument();

    Collection(String type) {
      this.type = type;
    }

    void add(BsonDocument index) {
      indexes.put(index.getString("name").getValue(), index);
    }
  }
}
