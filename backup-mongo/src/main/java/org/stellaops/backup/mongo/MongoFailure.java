package org.stellaops.backup.mongo;

import org.stellaops.backup.model.FailureCode;

/** What can go wrong between us and a MongoDB server, or with an archive of one. */
public enum MongoFailure implements FailureCode {
  UNREACHABLE(
      "STELLA-MG-001",
      Severity.CRITICAL,
      Owner.L1,
      "check that the server runs and that the connection string names it"),
  NOT_PERMITTED(
      "STELLA-MG-002",
      Severity.CRITICAL,
      Owner.L1,
      "grant the role that the message names, or correct the credentials"),
  UNKNOWN_DATABASE(
      "STELLA-MG-003",
      Severity.CRITICAL,
      Owner.L1,
      "correct the database's name; names are case-sensitive"),
  SERVER_FAILED(
      "STELLA-MG-004", Severity.CRITICAL, Owner.L2, "read what the server said, and its log"),
  BEYOND_FORMAT(
      "STELLA-MG-005",
      Severity.CRITICAL,
      Owner.L3,
      "the archive format cannot hold what the message names"),
  UNSUPPORTED_SERVER(
      "STELLA-MG-006",
      Severity.CRITICAL,
      Owner.L2,
      "capture from a server of a version that the documentation lists"),
  BAD_CONNECTION_STRING(
      "STELLA-MG-007",
      Severity.CRITICAL,
      Owner.L1,
      "correct the connection string; it is not repeated here because it holds a password"),

  CHANGED_DURING_CAPTURE(
      "STELLA-MG-010",
      Severity.WARNING,
      Owner.L2,
      "collections may not fit each other; capture again while nothing writes"),
  NOT_CONSISTENT(
      "STELLA-MG-011",
      Severity.INFO,
      Owner.L2,
      "each collection is whole, but they were read one after the other"),
  UNFINISHED_RESTORE(
      "STELLA-MG-012",
      Severity.CRITICAL,
      Owner.L2,
      "finish the restore into this database, or drop what it left"),

  CHECKSUM_DIFFERS(
      "STELLA-MG-020",
      Severity.CRITICAL,
      Owner.L2,
      "the archive is damaged; restore from another copy"),
  ARCHIVE_DIFFERS(
      "STELLA-MG-021",
      Severity.CRITICAL,
      Owner.L2,
      "the archive is not the one that was captured; restore from another copy"),
  NOT_RESTORABLE(
      "STELLA-MG-022",
      Severity.WARNING,
      Owner.L2,
      "restore this archive with mongorestore, or capture the database by itself"),

  INSERT_FAILED(
      "STELLA-MG-030",
      Severity.CRITICAL,
      Owner.L2,
      "the target refused documents; the restore is not complete"),
  CREATE_FAILED(
      "STELLA-MG-031",
      Severity.CRITICAL,
      Owner.L2,
      "the target refused a collection or index; the restore is not complete"),
  DEFINITION_DIFFERS(
      "STELLA-MG-032",
      Severity.WARNING,
      Owner.L2,
      "compare the definitions that the finding names; another server version may explain it"),
  LEFT_AS_IT_IS(
      "STELLA-MG-033",
      Severity.INFO,
      Owner.L1,
      "collections that are not in the snapshot were not touched"),
  NOT_TAKEN_BACK(
      "STELLA-MG-034",
      Severity.CRITICAL,
      Owner.L2,
      "what was replaced is gone; restore again, or restore an older snapshot");

  private final String code;
  private final Severity severity;
  private final Owner owner;
  private final String remedy;

  MongoFailure(String code, Severity severity, Owner owner, String remedy) {
    this.code = code;
    this.severity = severity;
    this.owner = owner;
    this.remedy = remedy;
  }

  @Override
  public String code() {
    return code;
  }

  @Override
  public Severity severity() {
    return severity;
  }

  @Override
  public Owner owner() {
    return owner;
  }

  @Override
  public String remedy() {
    return remedy;
  }
}
