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
  CONSISTENCY_NOT_REACHED(
      "STELLA-MG-013",
      Severity.CRITICAL,
      Owner.L2,
      "require less, or give the server or the role what the message names"),
  LESS_CONSISTENT(
      "STELLA-MG-014",
      Severity.WARNING,
      Owner.L2,
      "a better level was tried; give the server or the role what the message names"),
  NOTHING_HELD_TOGETHER(
      "STELLA-MG-015",
      Severity.WARNING,
      Owner.L2,
      "run a replica set, give a quiesce hook, or accept it with require(NONE)"),
  NOT_RESUMED(
      "STELLA-MG-016",
      Severity.CRITICAL,
      Owner.L1,
      "the application may still hold back its writes; let it go on"),
  WRITES_LOCKED(
      "STELLA-MG-017",
      Severity.INFO,
      Owner.L1,
      "if the server still refuses writes, run db.fsyncUnlock() until its lockCount is 0"),
  STILL_LOCKED(
      "STELLA-MG-018",
      Severity.CRITICAL,
      Owner.L1,
      "run db.fsyncUnlock() on the server until its lockCount is 0"),
  INVALID_DOCUMENT(
      "STELLA-MG-019",
      Severity.CRITICAL,
      Owner.L2,
      "run validate on the collection, and repair or remove the document that the message names"),

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
  OUTSIDE_THE_SNAPSHOT(
      "STELLA-MG-023",
      Severity.WARNING,
      Owner.L2,
      "servers read no capped collection in a snapshot; it was read as it is now"),

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
      "what was replaced is gone; restore again, or restore an older snapshot"),

  NOT_A_REPLICA_SET(
      "STELLA-MG-050",
      Severity.CRITICAL,
      Owner.L2,
      "only a replica set has an oplog; run the server as a replica set of one node"),
  OPLOG_MALFORMED(
      "STELLA-MG-051",
      Severity.CRITICAL,
      Owner.L3,
      "the entry that the message names is not as any known server writes it"),
  OPLOG_UNKNOWN_OPERATION(
      "STELLA-MG-052",
      Severity.CRITICAL,
      Owner.L3,
      "what the operation does is not known, so nothing behind it can be replayed"),
  OPLOG_ROLLED_OVER(
      "STELLA-MG-053",
      Severity.CRITICAL,
      Owner.L2,
      "enlarge the oplog with replSetResizeOplog, then capture again"),
  OPLOG_RENAMED(
      "STELLA-MG-054",
      Severity.WARNING,
      Owner.L2,
      "a collection was renamed during the capture; capture again"),
  OPLOG_RENAMED_ACROSS(
      "STELLA-MG-055",
      Severity.CRITICAL,
      Owner.L2,
      "capture both databases between which the collection was renamed"),
  TRANSACTION_TOO_LARGE(
      "STELLA-MG-056",
      Severity.CRITICAL,
      Owner.L3,
      "restore with more memory, and a higher bound for open transactions"),
  TRANSACTION_INCOMPLETE(
      "STELLA-MG-057",
      Severity.CRITICAL,
      Owner.L3,
      "the transaction was begun before what is recorded; replay on a newer capture"),
  REPLAY_FAILED(
      "STELLA-MG-058",
      Severity.CRITICAL,
      Owner.L2,
      "the target refused an operation of the oplog; the restore is not complete"),
  REPLAY_DIVERGED(
      "STELLA-MG-059",
      Severity.CRITICAL,
      Owner.L3,
      "the target is not what the oplog was written on; restore from the beginning"),
  REPLAY_NEEDS_ROOM(
      "STELLA-MG-072",
      Severity.WARNING,
      Owner.L2,
      "restore into an empty database, beside what is live, or let the whole database make room"),

  OPLOG_SHORT(
      "STELLA-MG-060",
      Severity.WARNING,
      Owner.L2,
      "enlarge the oplog with replSetResizeOplog, so that a pause of the recording leaves no gap"),
  INTEGRITY_BROKEN(
      "STELLA-MG-061",
      Severity.CRITICAL,
      Owner.L2,
      "the database is not what it should be; do not use it before the finding is explained"),
  NOT_CHECKED(
      "STELLA-MG-062",
      Severity.WARNING,
      Owner.L2,
      "something could not be looked at, which is not the same as being right"),
  PROVEN("STELLA-MG-063", Severity.INFO, Owner.L1, "nothing is wrong"),
  AUDIT_GAP(
      "STELLA-MG-064",
      Severity.WARNING,
      Owner.L2,
      "export what the old system still has of the time that the finding names"),
  AUDIT_CLOCK(
      "STELLA-MG-065",
      Severity.WARNING,
      Owner.L2,
      "times of the audit trail are not in order; compare the clocks of those who wrote it"),
  DOCUMENTS_DIFFER(
      "STELLA-MG-066",
      Severity.CRITICAL,
      Owner.L2,
      "decide which of the documents is right; restore beside it, or replace the collection"),
  MERGED(
      "STELLA-MG-067",
      Severity.INFO,
      Owner.L1,
      "documents that were there already were the same byte for byte and are left as they are"),
  REPLACED_IS_KEPT(
      "STELLA-MG-068",
      Severity.INFO,
      Owner.L1,
      "drop the collections that the finding names when they are not needed any more"),
  VIEW_NOT_REWRITTEN(
      "STELLA-MG-069",
      Severity.WARNING,
      Owner.L2,
      "create the view again with the names that its collections have now"),

  INDEX_REFUSED(
      "STELLA-MG-070",
      Severity.CRITICAL,
      Owner.L2,
      "documents of the archive break the index that the message names; the restore is not complete"),
  RESTORE_RESUMED(
      "STELLA-MG-071",
      Severity.INFO,
      Owner.L1,
      "an earlier restore of the same snapshot was cut off and has been finished"),
  USERS_RESTORED(
      "STELLA-MG-073",
      Severity.INFO,
      Owner.L1,
      "users have the passwords that they had when they were captured; change those that leaked"),
  USER_KEPT(
      "STELLA-MG-074",
      Severity.WARNING,
      Owner.L2,
      "the one that is there stays as it is; compare both, or restore with UsersAndRoles.REPLACE"),
  NOT_SELECTED(
      "STELLA-MG-075",
      Severity.INFO,
      Owner.L1,
      "the archive holds more than is restored; what the finding names is the server's own"),
  TEXT_NOT_UTF8(
      "STELLA-MG-076",
      Severity.WARNING,
      Owner.L3,
      "the documents are captured as they are; correct them where they are written"),
  OPLOG_REPLAYED(
      "STELLA-MG-077",
      Severity.INFO,
      Owner.L1,
      "the database is as it was at the entry of the oplog that the finding names"),
  OPLOG_UNUSABLE(
      "STELLA-MG-078",
      Severity.WARNING,
      Owner.L2,
      "the archive cannot be restored as one state; dump again, with mongodump --oplog"),
  USERS_LEFT(
      "STELLA-MG-079",
      Severity.INFO,
      Owner.L2,
      "a restore of users that was killed left them; while none is running, drop them from admin");

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
