package org.stellaops.backup.mongo.internal.restore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

/** The commands that make a collection what it was. Pure functions. */
final class RestoreCommands {
  /** Told by old servers, refused by new ones (mongo-tools, mongorestore/metadata.go). */
  /** Of indexes, since MongoDB 3.4. */
  private static final BsonInt32 DEFAULT_VERSION = new BsonInt32(2);

  private static final Set<String> NOT_AN_OPTION = Set.of("create", "uuid", "autoIndexId");

  private static final String SIMPLE = "simple";

  private RestoreCommands() {}

  /** {@code create} with the options that were captured. */
  static BsonDocument create(CollectionSpec spec) {
    BsonDocument command = new BsonDocument("create", new BsonString(spec.name()));
    spec.options()
        .forEach(
            (option, value) -> {
              if (!NOT_AN_OPTION.contains(option)) {
                command.append(option, value);
              }
            });
    return command;
  }

  /**
   * {@code createIndexes} with the definitions that were captured; empty where the server makes
   * every index by itself.
   */
  static Optional<BsonDocument> createIndexes(CollectionSpec spec) {
    return createIndexes(spec, Set.of(IndexKind.values()));
  }

  /** The same for indexes of some kinds. */
  static Optional<BsonDocument> createIndexes(CollectionSpec spec, Set<IndexKind> kinds) {
    BsonArray indexes = new BsonArray();
    for (BsonDocument index : spec.indexes()) {
      if (!comesWithTheCollection(index) && kinds.contains(IndexKind.of(index))) {
        indexes.add(definition(index, hasCollation(spec)));
      }
    }
    return indexes.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new BsonDocument("createIndexes", new BsonString(spec.name()))
                .append("indexes", indexes));
  }

  /** Indexes by what they do to a restore. */
  enum IndexKind {
    PLAIN,
    /** Refuses documents. */
    UNIQUE,
    /** From the moment it stands, a server may delete what it covers. */
    EXPIRING;

    static IndexKind of(BsonDocument index) {
      if (index.containsKey("expireAfterSeconds")) {
        return EXPIRING;
      }
      BsonValue unique = index.get("unique");
      boolean isUnique =
          unique != null
              && (unique.isBoolean()
                  ? unique.asBoolean().getValue()
                  : unique.isNumber() && unique.asNumber().doubleValue() != 0);
      return isUnique ? UNIQUE : PLAIN;
    }
  }

  /**
   * The plain {@code _id_}, and the index of a clustered collection. An index on {@code _id} of
   * another kind, hashed for example, does not come by itself (mongo-tools, TOOLS-3697).
   */
  private static boolean comesWithTheCollection(BsonDocument index) {
    BsonValue clustered = index.get("clustered");
    if (clustered != null && clustered.isBoolean() && clustered.asBoolean().getValue()) {
      return true;
    }
    BsonDocument key = index.getDocument("key");
    BsonValue id = key.get("_id");
    return key.size() == 1 && id != null && id.isNumber() && id.asNumber().doubleValue() == 1;
  }

  /**
   * Without {@code ns}, which servers before 4.4 told and none wants back, and without the version
   * that every server makes; some servers know no other and refuse the word. An index that says no
   * collation has the simple one; where the collection has another, that has to be said, or the
   * index would inherit the collection's. Indexes of version 1 know no collation.
   */
  private static BsonDocument definition(BsonDocument index, boolean hasCollation) {
    BsonDocument definition = new BsonDocument();
    int version = index.getNumber("v", DEFAULT_VERSION).intValue();
    index.forEach(
        (field, value) -> {
          boolean isDefault = field.equals("v") && version == DEFAULT_VERSION.getValue();
          if (!field.equals("ns") && !isDefault) {
            definition.append(field, value);
          }
        });
    boolean isVersion1 = version == 1;
    if (hasCollation && !index.containsKey("collation") && !isVersion1) {
      definition.append("collation", new BsonDocument("locale", new BsonString(SIMPLE)));
    }
    return definition;
  }

  private static boolean hasCollation(CollectionSpec spec) {
    BsonValue collation = spec.options().get("collation");
    return collation != null
        && collation.isDocument()
        && !new BsonString(SIMPLE).equals(collation.asDocument().get("locale"));
  }

  /**
   * The views among these, each behind the one it is made of.
   *
   * @throws BackupException.Corrupt if they are made of each other, which no server allows
   */
  static List<CollectionSpec> viewsInOrder(Collection<CollectionSpec> specs)
      throws BackupException.Corrupt {
    Map<String, CollectionSpec> waiting = new LinkedHashMap<>();
    specs.stream().filter(CollectionSpec::isView).forEach(v -> waiting.put(v.name(), v));
    List<CollectionSpec> ordered = new ArrayList<>();
    while (!waiting.isEmpty()) {
      List<CollectionSpec> ready =
          waiting.values().stream().filter(v -> !waiting.containsKey(viewOn(v))).toList();
      if (ready.isEmpty()) {
        throw new BackupException.Corrupt(
            CoreFailure.MALFORMED, "views are made of each other: " + waiting.keySet());
      }
      ready.forEach(v -> waiting.remove(v.name()));
      ordered.addAll(ready);
    }
    return ordered;
  }

  private static String viewOn(CollectionSpec view) {
    BsonValue on = view.options().get("viewOn");
    return on != null && on.isString() ? on.asString().getValue() : "";
  }
}
