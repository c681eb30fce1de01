package org.stellaops.backup.mongo.internal.restore;

import java.util.List;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;

/**
 * Users and roles of one database as those of another. What is kept of a password holds the user's
 * name and not the database's, so it stays good; the identity that tells one user from another does
 * not, and is left out.
 */
record UserRenaming(String archived, String database) {
  /** The same user or role, of the other database. */
  BsonDocument rename(BsonDocument document, String nameField) {
    if (archived.equals(database)) {
      return document;
    }
    String name = document.getString(nameField).getValue();
    BsonDocument renamed = moved(document);
    renamed.remove("userId");
    renamed.put("_id", new BsonString(database + "." + name));
    renamed.replace("roles", all(document.getArray("roles", new BsonArray())));
    renamed.replace("privileges", privileges(document.getArray("privileges", new BsonArray())));
    return renamed;
  }

  /** With the other {@code db}, where it was this one. */
  private BsonDocument moved(BsonDocument document) {
    BsonDocument moved = new BsonDocument();
    moved.putAll(document);
    moved.replace("db", new BsonString(archived), new BsonString(database));
    return moved;
  }

  private BsonArray all(List<BsonValue> roles) {
    return new BsonArray(roles.stream().map(r -> moved(r.asDocument())).toList());
  }

  private BsonArray privileges(List<BsonValue> privileges) {
    BsonArray renamed = new BsonArray();
    for (BsonValue privilege : privileges) {
      BsonDocument copy = new BsonDocument();
      copy.putAll(privilege.asDocument());
      copy.replace("resource", moved(copy.getDocument("resource", new BsonDocument())));
      renamed.add(copy);
    }
    return renamed;
  }
}
