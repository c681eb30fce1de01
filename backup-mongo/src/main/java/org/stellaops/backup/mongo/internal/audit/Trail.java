package org.stellaops.backup.mongo.internal.audit;

import java.util.List;
import java.util.Set;
import org.bson.BsonDocument;
import org.bson.BsonValue;

/**
 * What an audit trail looks like, and what it is about.
 *
 * @param collection of the entries
 * @param timeField date of an entry
 * @param referenceField id of what an entry is about
 * @param actionField what was done; empty where entries do not say
 * @param deletions values of that field after which what it is about is gone
 * @param entities collections that entries are about
 */
public record Trail(
    String collection,
    String timeField,
    String referenceField,
    String actionField,
    Set<String> deletions,
    List<Entities> entities) {
  public Trail {
    deletions = Set.copyOf(deletions);
    entities = List.copyOf(entities);
  }

  /**
   * A collection that entries are about.
   *
   * @param idField what entries refer to
   * @param changedField date of the last change; empty where there is none
   */
  public record Entities(String collection, String idField, String changedField) {}

  boolean isDeletion(BsonDocument entry) {
    if (actionField.isEmpty()) {
      return false;
    }
    BsonValue action = Fields.at(entry, actionField);
    return action.isString() && deletions.contains(action.asString().getValue());
  }
}
