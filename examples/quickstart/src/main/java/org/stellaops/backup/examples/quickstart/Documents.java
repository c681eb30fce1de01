package org.stellaops.backup.examples.quickstart;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.client.model.Indexes;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.bson.Document;
import org.bson.RawBsonDocument;
import org.bson.conversions.Bson;

/** The issuer directory's documents, in a server that speaks MongoDB's protocol within this JVM. */
final class Documents implements AutoCloseable {
  static final String NAME = "issuer-directory";

  private static final List<String> COLLECTIONS =
      List.of("issuers", "issuer_keys", "issuer_trust_overrides", "issuer_audit");
  private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
  private static final String REVOKED = "{status: 'revoked'}";
  private static final IndexOptions UNIQUE = new IndexOptions().unique(true);

  private final MongoServer server;
  private final int port;
  private final MongoClient client;

  private Documents(MongoServer server) {
    this.server = server;
    this.port = server.bind().getPort();
    this.client = MongoClients.create(connectionString(port));
  }

  /** An empty server on a free port. */
  static Documents start() {
    return new Documents(new MongoServer(new MemoryBackend().version(ServerVersion.MONGO_5_0)));
  }

  static String connectionString(int port) {
    return "mongodb://127.0.0.1:" + port;
  }

  MongoClient client() {
    return client;
  }

  int port() {
    return port;
  }

  void fill() {
    insert("issuers", 0, 500, Documents::issuer);
    insert("issuer_keys", 0, 2_000, Documents::key);
    insert("issuer_trust_overrides", 0, 120, Documents::override);
    insert("issuer_audit", 0, 10_000, Documents::audit);
    index("issuers", Indexes.ascending("tenantId", "slug"), UNIQUE);
    index("issuer_keys", Indexes.ascending("issuerId", "status"), new IndexOptions());
    index("issuer_trust_overrides", Indexes.ascending("tenantId", "issuerId"), UNIQUE);
    index("issuer_audit", Indexes.descending("occurredAt"), new IndexOptions());
  }

  void change() {
    insert("issuers", 500, 503, Documents::issuer);
    insert("issuer_audit", 10_000, 10_050, Documents::audit);
    database()
        .getCollection("issuer_keys")
        .updateOne(new Document("_id", "key-7"), new Document("$set", Document.parse(REVOKED)));
  }

  /** Of each collection the documents, and one digest over their bytes in any order. */
  List<Fingerprint> fingerprints() {
    List<Fingerprint> fingerprints = new ArrayList<>();
    List<String> indexes = new ArrayList<>();
    for (String collection : COLLECTIONS) {
      List<String> documents = new ArrayList<>();
      for (RawBsonDocument document :
          database().getCollection(collection, RawBsonDocument.class).find()) {
        documents.add(Fingerprint.sha256(document.getByteBuffer().asNIO()));
      }
      fingerprints.add(Fingerprint.of("MongoDB " + collection, documents, "documents"));
      for (Document index : database().getCollection(collection).listIndexes()) {
        indexes.add(collection + " " + index.toJson());
      }
    }
    fingerprints.add(Fingerprint.of("MongoDB indexes", indexes, "indexes"));
    return fingerprints;
  }

  void drop() {
    database().drop();
  }

  @Override
  public void close() {
    client.close();
    server.shutdownNow();
  }

  private MongoDatabase database() {
    return client.getDatabase(NAME);
  }

  private void insert(String collection, int from, int to, IntFunction<Document> one) {
    database()
        .getCollection(collection)
        .insertMany(IntStream.range(from, to).mapToObj(one).toList());
  }

  private void index(String collection, Bson keys, IndexOptions options) {
    database().getCollection(collection).createIndex(keys, options);
  }

  private static Document issuer(int n) {
    return new Document("_id", "issuer-" + n)
        .append("tenantId", "tenant-" + n % 3)
        .append("slug", "vendor-" + n)
        .append("displayName", "Vendor No. " + n)
        .append("tags", List.of("csaf", "vex"))
        .append("createdAt", Date.from(BEGIN.plusSeconds(n)));
  }

  private static Document key(int n) {
    return new Document("_id", "key-" + n)
        .append("issuerId", "issuer-" + n % 500)
        .append("status", n % 9 == 0 ? "retired" : "active")
        .append("type", "ed25519")
        .append("fingerprint", Fingerprint.sha256("key " + n));
  }

  private static Document override(int n) {
    return new Document("_id", "override-" + n)
        .append("tenantId", "tenant-" + n % 3)
        .append("issuerId", "issuer-" + n)
        .append("weight", n % 10 / 10.0);
  }

  private static Document audit(int n) {
    return new Document("_id", (long) n)
        .append("issuerId", "issuer-" + n % 500)
        .append("action", n % 4 == 0 ? "key.rotated" : "issuer.updated")
        .append("actor", "ops-" + n % 5)
        .append("occurredAt", Date.from(BEGIN.plusSeconds(60L * n)));
  }
}
