package org.stellaops.backup.mongo.internal.audit;

import java.time.Instant;
import java.util.Optional;
import java.util.regex.Pattern;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;

/** Fields of a document by a path with dots. */
final class Fields {
  private static final Pattern DOT = Pattern.compile("\\.");

  private Fields() {}

  /** The value; null in BSON where there is none. */
  static BsonValue at(BsonDocument document, String path) {
    BsonValue value = document;
    for (String name : DOT.split(path, -1)) {
      BsonValue next = value.isDocument() ? value.asDocument().get(name) : null;
      if (next == null) {
        return BsonNull.VALUE;
      }
      value = next;
    }
    return value;
  }

  /** A date; empty where it is none. */
  static Optional<Instant> time(BsonDocument document, String path) {
    BsonValue value = at(document, path);
    return value.isDateTime()
        ? Optional.of(Instant.ofEpochMilli(value.asDateTime().getValue()))
        : Optional.empty();
  }

  /** For humans. */
  static String shown(BsonValue id) {
    if (id.isString()) {
      return id.asString().getValue();
    }
    return id.isObjectId() ? id.asObjectId().getValue().toHexString() : id.toString();
  }
}
