package org.stellaops.backup.mongo.internal.archive;

import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonValue;

/**
 * A collection, view or time series as the server describes it: everything but the documents.
 *
 * @param name without the database
 * @param type {@code collection}, {@code view} or {@code timeseries}
 * @param options as {@code listCollections} gives them, verbatim
 * @param indexes as {@code listIndexes} gives them, verbatim and in its order, {@code _id_} among
 *     them
 * @param uuid 32 lower-case hexadecimal digits; empty where there is none
 */
public record CollectionSpec(
    String name, String type, BsonDocument options, List<BsonDocument> indexes, String uuid) {
  static final String COLLECTION = "collection";
  static final String VIEW = "view";
  static final String TIMESERIES = "timeseries";
  static final String BUCKETS_PREFIX = "system.buckets.";

  public CollectionSpec {
    indexes = List.copyOf(indexes);
  }

  /** Whether it holds no documents of its own. */
  public boolean isView() {
    return type.equals(VIEW);
  }

  /** Whether its documents are buckets, which stand in another collection. */
  public boolean isTimeseries() {
    return type.equals(TIMESERIES);
  }

  /** Whether the order of its documents means something. */
  public boolean isCapped() {
    BsonValue capped = options.get("capped");
    return capped != null && capped.isBoolean() && capped.asBoolean().getValue();
  }

  /** Whether a server holds new documents to a rule that the captured ones may be older than. */
  public boolean isValidated() {
    return options.containsKey("validator") || isTimeseries();
  }

  /** Where its documents stand, on servers before 8.3. */
  public String dataName() {
    return isTimeseries() ? BUCKETS_PREFIX + name : name;
  }

  /** The same under another name. */
  public CollectionSpec named(String other) {
    return new CollectionSpec(other, type, options, indexes, uuid);
  }

  /** The same with other options. */
  public CollectionSpec withOptions(BsonDocument other) {
    return new CollectionSpec(name, type, other, indexes, uuid);
  }
}
