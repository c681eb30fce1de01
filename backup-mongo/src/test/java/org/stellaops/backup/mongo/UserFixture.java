package org.stellaops.backup.mongo;

import com.mongodb.client.MongoClient;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.Document;
import org.bson.RawBsonDocument;

/** A database with users and roles of its own, beside those of another. */
final class UserFixture {
  static final String DB = "shop";
  static final String PASSWORD = "correct horse battery staple";

  private UserFixture() {}

  static void fill(MongoClient client) {
    client.getDatabase(DB).getCollection("orders").insertOne(new Document("_id", 1));
    Document resource = new Document("db", DB).append("collection", "orders");
    Document privilege = new Document("resource", resource).append("actions", List.of("find"));
    run(
        client,
        DB,
        new Document("createRole", "reader")
            .append("privileges", List.of(privilege))
            .append("roles", List.of()));
    Document elsewhere = new Document("role", "clusterMonitor").append("db", "admin");
    createUser(client, DB, "app", "reader", elsewhere);
    createUser(client, "admin", "root", "root");
  }

  static void createUser(MongoClient client, String database, String name, Object... roles) {
    run(
        client,
        database,
        new Document("createUser", name)
            .append("pwd", PASSWORD)
            .append("customData", new Document("team", "sales"))
            .append("roles", List.of(roles)));
  }

  static void run(MongoClient client, String database, Document command) {
    client.getDatabase(database).runCommand(command);
  }

  /** Users or roles of one database, in order. */
  static List<BsonDocument> of(MongoClient client, String collection, String database) {
    return client
        .getDatabase("admin")
        .getCollection(collection, RawBsonDocument.class)
        .find(new Document("db", database))
        .sort(new Document("_id", 1))
        .into(new ArrayList<>());
  }

  static BsonDocument user(MongoClient client, String database, String name) {
    return of(client, "system.users", database).stream()
        .filter(u -> u.getString("user").getValue().equals(name))
        .findFirst()
        .orElseThrow();
  }
}
