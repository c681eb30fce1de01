package org.stellaops.backup.mongo.internal.archive;

import java.nio.charset.StandardCharsets;

/**
 * Database and collection. Names that come from an archive are a stranger's, and are held to the
 * server's rules before anything is done with them.
 *
 * @param database empty only for {@code oplog}, which belongs to none
 */
public record Namespace(String database, String collection) {
  /** Where an archive has what was written while it was made. */
  public static final Namespace OPLOG = new Namespace("", "oplog");

  /**
   * Limit of a server, database and collection together (MongoDB manual, Limits and Thresholds).
   */
  private static final int MAX_BYTES = 255;

  private static final String NOT_IN_DATABASE = "/\\. \"$\0";

  /**
   * @throws IllegalArgumentException if a server would not have such a name
   */
  public Namespace {
    boolean isOplog = database.isEmpty() && collection.equals("oplog");
    if (!isOplog) {
      requireDatabase(database);
    }
    if (collection.isEmpty() || collection.startsWith(".") || collection.indexOf('\0') >= 0) {
      throw new IllegalArgumentException("not a collection name: " + printable(collection));
    }
    if (bytes(database) + 1 + bytes(collection) > MAX_BYTES) {
      throw new IllegalArgumentException(
          "namespace of more than 255 bytes: " + printable(database + "." + collection));
    }
  }

  /**
   * Holds a database's name to the server's rules.
   *
   * @throws IllegalArgumentException if a server would not have such a database
   */
  public static String requireDatabase(String name) {
    boolean hasForbidden = name.chars().anyMatch(c -> NOT_IN_DATABASE.indexOf(c) >= 0);
    if (name.isEmpty() || hasForbidden || bytes(name) > 63) {
      throw new IllegalArgumentException("not a database name: " + printable(name));
    }
    return name;
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private static String printable(String name) {
    String head = name.length() > 130 ? name.substring(0, 130) + "…" : name;
    return "'" + head.replaceAll("\\p{Cntrl}", "?") + "'";
  }

  @Override
  public String toString() {
    return database + "." + collection;
  }
}
