package org.stellaops.backup.mongo.internal.driver;

import java.util.HexFormat;
import java.util.List;
import org.bson.BsonBinary;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

/** One document of {@code listCollections}. */
final class ListedCollection {
  private ListedCollection() {}

  static String name(BsonDocument listed) {
    return listed.getString("name").getValue();
  }

  static boolean isView(BsonDocument listed) {
    return type(listed).equals("view");
  }

  /** What a dump of one database leaves out (mongo-tools, mongodump/prepare.go). */
  static boolean isTheServersOwn(BsonDocument listed) {
    String name = name(listed);
    return name.startsWith("system.") && !name.equals("system.js");
  }

  static CollectionSpec spec(BsonDocument listed, List<BsonDocument> indexes) {
    return new CollectionSpec(
        name(listed),
        type(listed),
        listed.getDocument("options", new BsonDocument()),
        indexes,
        uuid(listed.getDocument("info", new BsonDocument())));
  }

  private static String type(BsonDocument listed) {
    return listed.getString("type", new BsonString("collection")).getValue();
  }

  private static String uuid(BsonDocument information) {
    BsonValue uuid = information.get("uuid");
    return uuid instanceof BsonBinary binary ? HexFormat.of().formatHex(binary.getData()) : "";
  }
}
