package org.stellaops.backup.mongo.internal.audit;

import com.mongodb.client.MongoCursor;
import java.io.IOException;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.Stopping;

/** Documents of a collection in the order of a field, one at a time; holds the server to it. */
final class SortedDocuments implements AutoCloseable {
  private final String collection;
  private final String field;
  private final Stopping stopping;
  private final MongoCursor<RawBsonDocument> cursor;
  private @Nullable RawBsonDocument current;

  SortedDocuments(
      RawDatabase database, String collection, String field, String thenBy, Stopping stopping)
      throws IOException {
    this.collection = collection;
    this.field = field;
    this.stopping = stopping;
    BsonDocument sort = new BsonDocument(field, new BsonInt32(1));
    if (!thenBy.isEmpty()) {
      sort.append(thenBy, new BsonInt32(1));
    }
    this.cursor = database.sorted(collection, new BsonDocument(), sort);
    advance();
  }

  /** Null at the end. */
  @Nullable RawBsonDocument current() {
    return current;
  }

  /** The field's value in the current document; null in BSON where it has none. */
  BsonValue key() {
    RawBsonDocument document = current;
    return document == null ? BsonNull.VALUE : Fields.at(document, field);
  }

  String collection() {
    return collection;
  }

  void advance() throws IOException {
    stopping.check();
    RawBsonDocument before = current;
    current = cursor.hasNext() ? cursor.next() : null;
    RawBsonDocument now = current;
    if (now == null) {
      return;
    }
    BsonValue key = key();
    if (!IdOrder.knows(key)) {
      throw new BackupException.Source(
          MongoFailure.NOT_CHECKED,
          "%s of %s is a %s, which cannot be put in order here"
              .formatted(field, collection, key.getBsonType()));
    }
    if (before != null && IdOrder.INSTANCE.compare(Fields.at(before, field), key) > 0) {
      throw new BackupException.Source(
          MongoFailure.NOT_CHECKED,
          "%s was not sorted by %s as servers sort; does it have a collation"
              .formatted(collection, field));
    }
  }

  @Override
  public void close() {
    cursor.close();
  }
}
