package org.stellaops.backup.mongo.internal.oplog;

import org.bson.BsonDocument;
import org.bson.BsonTimestamp;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/** Oplog entries for tests, as a server writes them. */
final class Entries {
  private Entries() {}

  static RawDocument raw(String json) {
    return raw(BsonDocument.parse(json));
  }

  static RawDocument raw(BsonDocument document) {
    return RawDocument.of(new RawBsonDocument(document, new BsonDocumentCodec()));
  }

  static BsonTimestamp ts(int second) {
    return new BsonTimestamp(second, 1);
  }

  /** An entry at a second; {@code rest} begins with {@code op}. */
  static OplogEntry entry(int second, String rest) throws OplogException {
    return OplogEntry.of(rawEntry(second, rest));
  }

  static RawDocument rawEntry(int second, String rest) {
    return raw(
        "{ts: {$timestamp: {t: %d, i: 1}}, t: {$numberLong: '1'}, v: {$numberLong: '2'}, wall: {$date: %d}, %s}"
            .formatted(second, second * 1000L, rest));
  }

  static RawDocument insert(int second, String ns, String document) {
    return rawEntry(second, "op: 'i', ns: '%s', o: %s, o2: {_id: 0}".formatted(ns, document));
  }

  static RawDocument update(int second, String ns, String id, String o) {
    return rawEntry(second, "op: 'u', ns: '%s', o: %s, o2: {_id: %s}".formatted(ns, o, id));
  }

  static RawDocument delete(int second, String ns, String id) {
    return rawEntry(second, "op: 'd', ns: '%s', o: {_id: %s}".formatted(ns, id));
  }

  static RawDocument command(int second, String database, String o) {
    return rawEntry(second, "op: 'c', ns: '%s.$cmd', o: %s".formatted(database, o));
  }

  /** An entry of a transaction; {@code previous} 0 if it is the first. */
  static RawDocument link(int second, int transaction, int previous, String o) {
    return rawEntry(
        second,
        "op: 'c', ns: 'admin.$cmd', o: %s, lsid: {id: 1}, txnNumber: {$numberLong: '%d'}, prevOpTime: {ts: {$timestamp: {t: %d, i: %d}}, t: {$numberLong: '1'}}"
            .formatted(o, transaction, previous, previous == 0 ? 0 : 1));
  }
}
