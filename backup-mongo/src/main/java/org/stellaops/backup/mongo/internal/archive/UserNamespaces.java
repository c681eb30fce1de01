package org.stellaops.backup.mongo.internal.archive;

import java.util.List;

/**
 * Where archives have users and roles: those of one database under names in it that no server has
 * ({@code mongodump --dumpDbUsersAndRoles}), those of a whole server as the collections of {@code
 * admin} that they are.
 */
public final class UserNamespaces {
  /** Users. */
  public static final String USERS = "system.users";

  /** Roles. */
  public static final String ROLES = "system.roles";

  /** Of what form both are. */
  public static final String VERSION = "system.version";

  private static final String ADMIN = "admin";
  private static final String OF_A_DATABASE = "$admin.";

  private UserNamespaces() {}

  /** In the order in which they are written. */
  public static List<String> all() {
    return List.of(USERS, ROLES, VERSION);
  }

  /** What a collection of {@code admin} is called in the archive of a database. */
  public static String ofDatabase(String collection) {
    return OF_A_DATABASE + collection;
  }

  /** Whether it is one of these. */
  public static boolean isOne(Namespace namespace) {
    return all().stream().anyMatch(c -> is(namespace, c));
  }

  /** Whether it holds what this collection of {@code admin} held. */
  public static boolean is(Namespace namespace, String collection) {
    return namespace.collection().equals(ofDatabase(collection))
        || (namespace.database().equals(ADMIN) && namespace.collection().equals(collection));
  }
}
