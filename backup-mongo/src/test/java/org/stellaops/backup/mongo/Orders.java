package org.stellaops.backup.mongo;

import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.Document;
import org.bson.RawBsonDocument;

/**
 * An application that writes an issuer, its keys and an audit entry together, and what it means
 * that a copy has one without the others.
 */
final class Orders {
  static final String DB = "issuer-directory";

  private final MongoClient client;
  private final AtomicInteger written = new AtomicInteger();

  Orders(MongoClient client) {
    this.client = client;
  }

  /** Before anybody captures. */
  void fill(int orders) {
    List.of("issuers", "issuer_keys", "issuer_audit").forEach(database()::createCollection);
    for (int i = 0; i < orders; i++) {
      writeInOrder();
    }
  }

  /** Issuer, keys, audit: one after the other. */
  void writeInOrder() {
    int id = written.incrementAndGet();
    database().getCollection("issuers").insertOne(issuer(id));
    database().getCollection("issuer_keys").insertMany(keys(id));
    database().getCollection("issuer_audit").insertOne(audit(id));
  }

  /** The same as one. */
  void writeTogether() {
    int id = written.incrementAndGet();
    try (ClientSession session = client.startSession()) {
      session.withTransaction(
          () -> {
            database().getCollection("issuers").insertOne(session, issuer(id));
            database().getCollection("issuer_keys").insertMany(session, keys(id));
            database().getCollection("issuer_audit").insertOne(session, audit(id));
            return id;
          });
    }
  }

  int written() {
    return written.get();
  }

  private MongoDatabase database() {
    return client.getDatabase(DB);
  }

  private static Document issuer(int id) {
    return new Document("_id", id).append("name", "issuer " + id);
  }

  private static List<Document> keys(int id) {
    return List.of(
        new Document("_id", id + "-a").append("issuer", id),
        new Document("_id", id + "-b").append("issuer", id));
  }

  private static Document audit(int id) {
    return new Document("_id", "audit-" + id).append("issuer", id);
  }

  /**
   * What has no partner. The last order may be under way at any instant when it is written one
   * after the other, so an issuer without keys is lawful then, and an entry without an issuer
   * never.
   */
  static List<String> orphans(Map<String, List<RawBsonDocument>> documents, boolean isAtomic) {
    Set<Integer> issuers = new HashSet<>();
    documents.get("issuers").forEach(d -> issuers.add(d.getInt32("_id").getValue()));
    List<String> orphans = new ArrayList<>();
    Set<Integer> audited = new HashSet<>();
    for (RawBsonDocument key : documents.get("issuer_keys")) {
      addIfUnknown(key, issuers, orphans);
    }
    for (RawBsonDocument entry : documents.get("issuer_audit")) {
      audited.add(entry.getInt32("issuer").getValue());
      addIfUnknown(entry, issuers, orphans);
    }
    for (int issuer : issuers) {
      if (isAtomic && !audited.contains(issuer)) {
        orphans.add("issuer " + issuer + " without audit");
      }
    }
    return orphans;
  }

  private static void addIfUnknown(
      RawBsonDocument document, Set<Integer> issuers, List<String> orphans) {
    if (!issuers.contains(document.getInt32("issuer").getValue())) {
      orphans.add(document.get("_id") + " without issuer");
    }
  }
}
