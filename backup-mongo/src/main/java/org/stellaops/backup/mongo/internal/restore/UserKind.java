package org.stellaops.backup.mongo.internal.restore;

import java.util.Locale;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.stellaops.backup.mongo.internal.archive.UserNamespaces;
import org.stellaops.backup.mongo.internal.driver.UserPassages;

/** Users, or roles. */
enum UserKind {
  USER(UserNamespaces.USERS, "tempUsersCollection", "dropUser"),
  ROLE(UserNamespaces.ROLES, "tempRolesCollection", "dropRole");

  private final String collection;
  private final String parameter;
  private final String dropping;

  UserKind(String collection, String parameter, String dropping) {
    this.collection = collection;
    this.parameter = parameter;
    this.dropping = dropping;
  }

  /** Where they stand in {@code admin}. */
  String collection() {
    return collection;
  }

  /** Field that has the name of one. */
  String field() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** How {@code _mergeAuthzCollections} is told where new ones stand. */
  String parameter() {
    return parameter;
  }

  /** The collection of {@code admin} that new ones stand in for a moment. */
  String passage(String database) {
    return UserPassages.name(field() + "s", database);
  }

  /** The command that drops one. */
  BsonDocument drop(BsonDocument one) {
    return new BsonDocument(dropping, new BsonString(one.getString(field()).getValue()));
  }
}
