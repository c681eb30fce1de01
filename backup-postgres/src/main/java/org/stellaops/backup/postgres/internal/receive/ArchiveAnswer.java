package org.stellaops.backup.postgres.internal.receive;

/**
 * What a client of the archive hears. PostgreSQL forgets a file on a status of 200 to 299, and on
 * every other keeps it and tries again.
 *
 * @param status of HTTP
 * @param text for people
 */
record ArchiveAnswer(int status, String text) {
  static final ArchiveAnswer STORED = new ArchiveAnswer(200, "stored");
  static final ArchiveAnswer NOT_NEEDED = new ArchiveAnswer(200, "not needed");
  static final ArchiveAnswer UNAUTHORIZED = new ArchiveAnswer(401, "no such token");
  static final ArchiveAnswer UNAVAILABLE = new ArchiveAnswer(503, "not now, try again");

  static ArchiveAnswer malformed(String why) {
    return new ArchiveAnswer(400, why);
  }

  static ArchiveAnswer conflict(String why) {
    return new ArchiveAnswer(409, why);
  }

  static ArchiveAnswer damaged(String why) {
    return new ArchiveAnswer(422, why);
  }

  boolean isGood() {
    return status < 300;
  }
}
