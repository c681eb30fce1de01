package org.stellaops.backup.mongo.internal.driver;

import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of a collection's index on {@code _id}, from one bound up to another one. Bounds of the
 * index and not a filter: {@code $gt} and {@code $lt} see only values of their own type.
 *
 * @param from first {@code _id} of it; null for the index's beginning
 * @param to first {@code _id} behind it; null for the index's end
 * @param isById whether the index is walked; false for the order in which documents are stored
 */
public record IdRange(@Nullable BsonValue from, @Nullable BsonValue to, boolean isById) {
  /** The whole collection, in the order in which it is stored. */
  public static final IdRange WHOLE = new IdRange(null, null, false);

  /** The whole collection along the index: no {@code _id} comes twice, whatever is written. */
  public static final IdRange WHOLE_BY_ID = new IdRange(null, null, true);

  /** A stretch of the index. */
  public IdRange(@Nullable BsonValue from, @Nullable BsonValue to) {
    this(from, to, from != null || to != null);
  }

  void applyTo(BsonDocument find) {
    if (isById) {
      find.append("hint", new BsonDocument("_id", new BsonInt32(1)));
    }
    if (from != null) {
      find.append("min", new BsonDocument("_id", from));
    }
    if (to != null) {
      find.append("max", new BsonDocument("_id", to));
    }
  }
}
