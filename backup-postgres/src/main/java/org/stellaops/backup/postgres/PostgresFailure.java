package org.stellaops.backup.postgres;

import org.stellaops.backup.model.FailureCode;

/** What can go wrong with PostgreSQL: the rows of the table of failures in the documentation. */
public enum PostgresFailure implements FailureCode {
  UNREACHABLE(
      "STELLA-PG-01",
      Severity.CRITICAL,
      Owner.L1,
      "check that the server runs, its listen_addresses, its certificate, and the network between"),
  LOGIN_REFUSED(
      "STELLA-PG-02",
      Severity.CRITICAL,
      Owner.L1,
      "check user and password, and the replication lines of pg_hba.conf"),
  NO_REPLICATION_RIGHT(
      "STELLA-PG-03", Severity.CRITICAL, Owner.L1, "as a superuser: ALTER ROLE … REPLICATION"),
  NO_WALSENDER(
      "STELLA-PG-04",
      Severity.CRITICAL,
      Owner.L1,
      "raise max_wal_senders, set wal_level to replica, or end what occupies the WAL senders"),
  UNSUPPORTED_VERSION(
      "STELLA-PG-05", Severity.CRITICAL, Owner.L2, "upgrade the server to PostgreSQL 15 or newer"),
  REFUSED_BY_SERVER(
      "STELLA-PG-06", Severity.CRITICAL, Owner.L2, "read the server's message and its log"),
  CONNECTION_LOST(
      "STELLA-PG-07",
      Severity.CRITICAL,
      Owner.L1,
      "find out in the server's log why it ended the connection, then run again"),
  PROTOCOL(
      "STELLA-PG-08",
      Severity.CRITICAL,
      Owner.L3,
      "the server sent what the protocol does not allow here; report this with its version"),
  PAGE_CHECKSUM(
      "STELLA-PG-09",
      Severity.CRITICAL,
      Owner.L2,
      "the cluster has damaged pages: keep older snapshots, check the storage, run pg_amcheck"),
  MANIFEST_DIFFERS(
      "STELLA-PG-10",
      Severity.CRITICAL,
      Owner.L2,
      "files are not what backup_manifest says: capture again, or restore another snapshot"),
  MANIFEST_MALFORMED(
      "STELLA-PG-11", Severity.CRITICAL, Owner.L3, "report this with the version of the server"),
  TAR_MALFORMED(
      "STELLA-PG-12", Severity.CRITICAL, Owner.L3, "report this with the version of the server"),
  CONFIGURATION_OUTSIDE(
      "STELLA-PG-13",
      Severity.INFO,
      Owner.L1,
      "add the server's configuration files to the plan as a file source"),
  SERVER_WARNING(
      "STELLA-PG-14", Severity.WARNING, Owner.L2, "read the server's message and its log"),
  STANDBY_PROMOTED(
      "STELLA-PG-15",
      Severity.CRITICAL,
      Owner.L1,
      "nothing of it was kept; capture again: the server is a primary now"),
  FULL_PAGE_WRITES_OFF(
      "STELLA-PG-16",
      Severity.CRITICAL,
      Owner.L1,
      "on the primary: ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf(); CHECKPOINT; then capture again"),
  CAPTURED_IN_FULL(
      "STELLA-PG-17",
      Severity.INFO,
      Owner.L1,
      "nothing is lost; to have increments do what the finding says"),
  SUMMARIES_AWAITED(
      "STELLA-PG-18",
      Severity.INFO,
      Owner.L1,
      "the server was slow to summarize its WAL; look at its load if this goes on"),
  NAME_NOT_UTF8(
      "STELLA-PG-19",
      Severity.CRITICAL,
      Owner.L1,
      "rename the file, or move it out of the data directory: PostgreSQL itself makes none such"),
  TABLESPACE_UNMAPPED(
      "STELLA-PG-20",
      Severity.WARNING,
      Owner.L1,
      "map the tablespace to an empty directory with PostgresTarget.tablespace"),
  NOT_A_DATA_DIRECTORY(
      "STELLA-PG-21", Severity.WARNING, Owner.L1, "choose a directory that can be made or renamed"),
  SERVER_RUNS(
      "STELLA-PG-22",
      Severity.WARNING,
      Owner.L1,
      "stop the server that runs on this directory, then try again"),
  INCREMENT_MALFORMED(
      "STELLA-PG-23",
      Severity.CRITICAL,
      Owner.L3,
      "restore another snapshot; report this with the version of the server"),
  CHAIN_BROKEN(
      "STELLA-PG-24",
      Severity.CRITICAL,
      Owner.L2,
      "an increment lacks what it builds on: restore another snapshot, then capture in full"),
  TIMELINE_CHANGED(
      "STELLA-PG-25",
      Severity.CRITICAL,
      Owner.L1,
      "nothing of it was kept; capture again: what the server follows was promoted meanwhile"),
  RESTORED_AS_PRIMARY(
      "STELLA-PG-26",
      Severity.INFO,
      Owner.L1,
      "nothing; if a standby is wanted, create standby.signal before the first start"),
  COMPRESSION_REFUSED(
      "STELLA-PG-27",
      Severity.CRITICAL,
      Owner.L1,
      "capture with ServerCompression.OFF, or run a server that was built with zstd"),
  COMPRESSION_MALFORMED(
      "STELLA-PG-28",
      Severity.CRITICAL,
      Owner.L3,
      "capture with ServerCompression.OFF; report this with the version of the server"),
  SLOT_TAKEN(
      "STELLA-PG-30",
      Severity.CRITICAL,
      Owner.L1,
      "end the other receiver that uses the slot, or give this one a slot of its own"),
  WAL_GONE(
      "STELLA-PG-31",
      Severity.CRITICAL,
      Owner.L2,
      "the server removed WAL that was not captured: take a full backup and stream on from it"),
  SLOT_LOST(
      "STELLA-PG-32",
      Severity.CRITICAL,
      Owner.L2,
      "drop what is left of the slot, make it anew, take a full backup and stream on from it"),
  WAL_DAMAGED(
      "STELLA-PG-33",
      Severity.CRITICAL,
      Owner.L2,
      "recover to a place before the damage, or take a full backup and stream on from it"),
  SLOT_UNBOUNDED(
      "STELLA-PG-34",
      Severity.CRITICAL,
      Owner.L1,
      "ALTER SYSTEM SET max_slot_wal_keep_size = '64GB'; SELECT pg_reload_conf(); or allow it explicitly"),
  SLOT_BEHIND(
      "STELLA-PG-35",
      Severity.WARNING,
      Owner.L2,
      "find out why WAL is not recorded as fast as it is written: the store, the network"),
  SLOT_AT_RISK(
      "STELLA-PG-36",
      Severity.CRITICAL,
      Owner.L2,
      "record what is left, or raise max_slot_wal_keep_size while the disk has room"),
  SLOT_UNWATCHED(
      "STELLA-PG-37",
      Severity.WARNING,
      Owner.L2,
      "let the role log in for SQL, too: pg_hba.conf, and GRANT CONNECT"),
  TIMELINE_BEHIND(
      "STELLA-PG-38",
      Severity.CRITICAL,
      Owner.L2,
      "record the cluster that is really in use; a restored one needs a stream of its own"),

  ARCHIVE_TOKEN(
      "STELLA-PG-39",
      Severity.CRITICAL,
      Owner.L1,
      "chmod 600 the file that the message names, or remove it: a new one is made"),
  ARCHIVE_ADDRESS(
      "STELLA-PG-57",
      Severity.CRITICAL,
      Owner.L1,
      "end what listens on the port, or choose another one here and in archive_command"),

  PROGRAM_MISSING(
      "STELLA-PG-40",
      Severity.WARNING,
      Owner.L1,
      "install PostgreSQL's programs on this machine, or correct the directory"),
  PROGRAM_VERSION(
      "STELLA-PG-41",
      Severity.WARNING,
      Owner.L1,
      "install the programs of the major version that the message names"),
  RUNS_AS_ROOT(
      "STELLA-PG-42",
      Severity.WARNING,
      Owner.L1,
      "run as another user, or give PostgresPrograms.launchedBy a prefix such as 'unshare', '-U'"),
  START_FAILED(
      "STELLA-PG-43",
      Severity.CRITICAL,
      Owner.L2,
      "read the server's log in the message; the cluster did not start or did not stay"),
  SETTINGS_TOO_LOW(
      "STELLA-PG-44",
      Severity.CRITICAL,
      Owner.L1,
      "raise the settings that the log names in the restored postgresql.conf to the primary's"),
  TARGET_NOT_REACHED(
      "STELLA-PG-45",
      Severity.CRITICAL,
      Owner.L2,
      "the WAL ends before the recovery target: choose an earlier one, or add the missing WAL"),
  TARGET_TOO_EARLY(
      "STELLA-PG-46",
      Severity.CRITICAL,
      Owner.L1,
      "the recovery target lies before the end of the base backup: restore an older one"),
  WAL_INCOMPLETE(
      "STELLA-PG-47",
      Severity.CRITICAL,
      Owner.L2,
      "WAL that the base backup needs is missing or damaged: restore another snapshot"),
  RECOVERY_NOT_ENDED(
      "STELLA-PG-48",
      Severity.CRITICAL,
      Owner.L1,
      "set recovery_target_action to promote, remove standby.signal, or allow more time"),
  NOT_STOPPED(
      "STELLA-PG-49",
      Severity.CRITICAL,
      Owner.L2,
      "the server had to be killed; it recovers by itself at its next start"),

  INDEX_DAMAGED(
      "STELLA-PG-50",
      Severity.CRITICAL,
      Owner.L2,
      "REINDEX what the message names, and find out whether the live database has it, too"),
  TABLE_DAMAGED(
      "STELLA-PG-51",
      Severity.CRITICAL,
      Owner.L2,
      "restore an older snapshot, and find out whether the live database has it, too"),
  FOREIGN_KEY_BROKEN(
      "STELLA-PG-52",
      Severity.CRITICAL,
      Owner.L2,
      "rows refer to rows that are not there: look at them with the query in the message"),
  INVARIANT_BROKEN(
      "STELLA-PG-53",
      Severity.CRITICAL,
      Owner.L2,
      "what must hold for the application's data does not: compare with the live database"),
  NOT_CHECKED(
      "STELLA-PG-54",
      Severity.WARNING,
      Owner.L1,
      "mend the named reason; what was not looked at is not known to be good"),
  PROVEN("STELLA-PG-55", Severity.INFO, Owner.L1, "nothing; the cluster started and is sound"),
  INTEGRITY_BROKEN(
      "STELLA-PG-56",
      Severity.CRITICAL,
      Owner.L2,
      "read the findings; restore an older snapshot, or without the proof to look closer"),

  PROGRAM_FAILED(
      "STELLA-PG-60",
      Severity.CRITICAL,
      Owner.L2,
      "read what the program said; nothing that it wrote was kept"),
  ROW_SECURITY(
      "STELLA-PG-61",
      Severity.CRITICAL,
      Owner.L1,
      "give the role the right to see every row: as a superuser, ALTER ROLE … BYPASSRLS"),
  NOT_PERMITTED(
      "STELLA-PG-62",
      Severity.CRITICAL,
      Owner.L1,
      "log in as a superuser, or grant what the message names"),
  ROLE_MISSING(
      "STELLA-PG-63",
      Severity.WARNING,
      Owner.L1,
      "create the roles first: globals.sql of the snapshot has the statements"),
  DATABASE_MISSING("STELLA-PG-64", Severity.CRITICAL, Owner.L1, "correct the name of the database"),
  DATABASE_EXISTS(
      "STELLA-PG-65",
      Severity.WARNING,
      Owner.L1,
      "rename or drop the database that is there, or restore to another server");

  private final String code;
  private final Severity severity;
  private final Owner owner;
  private final String remedy;

  PostgresFailure(String code, Severity severity, Owner owner, String remedy) {
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
