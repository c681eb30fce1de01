package org.stellaops.backup.mongo;

import org.bson.BsonDocument;

/**
 * What must hold for the documents of an application.
 *
 * @param name what a finding calls it
 * @param filter which documents are counted
 * @param expected how many there are
 */
record MongoInvariant(String collection, String name, BsonDocument filter, long expected) {
  static MongoInvariant count(String collection, long documents) {
    return new MongoInvariant(collection, "count", new BsonDocument(), documents);
  }

  static MongoInvariant none(String collection, String name, BsonDocument filter) {
    return new MongoInvariant(collection, name, filter, 0);
  }
}
