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
      "record the cluster that is really in use; a restored one needs a stream of its own");

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
