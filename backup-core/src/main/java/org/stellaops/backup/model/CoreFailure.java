package org.stellaops.backup.model;

/** What can go wrong in backup-core: the rows of the table of failures in the documentation. */
public enum CoreFailure implements FailureCode {
  CANCELLED("STELLA-100", Severity.INFO, Owner.L1, "start the run again when convenient"),
  DEADLINE_EXCEEDED(
      "STELLA-101",
      Severity.WARNING,
      Owner.L1,
      "allow more time, or find what was slow in the run's progress"),
  FENCED(
      "STELLA-102",
      Severity.WARNING,
      Owner.L1,
      "another instance took over while this one was silent; its run counts, find out what held"
          + " this one up"),
  INTERNAL("STELLA-199", Severity.CRITICAL, Owner.L3, "report this with the stack trace"),

  SOURCE_FAILED(
      "STELLA-200",
      Severity.CRITICAL,
      Owner.L2,
      "read the cause; the source could not be captured"),
  SOURCE_CHECK_FAILED(
      "STELLA-201",
      Severity.CRITICAL,
      Owner.L1,
      "mend what the listed checks name, then run again"),
  REQUIRED_MISSING(
      "STELLA-202", Severity.CRITICAL, Owner.L1, "put the file back, or take it out of the plan"),
  CHANGED_WHILE_READ(
      "STELLA-203",
      Severity.CRITICAL,
      Owner.L1,
      "stop whoever writes the file, or capture it cold"),
  EMPTY_ARTIFACT(
      "STELLA-204", Severity.CRITICAL, Owner.L2, "find out why the source delivered nothing"),
  LESS_THAN_EXPECTED(
      "STELLA-205",
      Severity.WARNING,
      Owner.L2,
      "compare the source with the inventory in the report"),
  SOURCE_SKIPPED(
      "STELLA-206",
      Severity.WARNING,
      Owner.L1,
      "the plan lets this source fail; mend it before you need it"),
  NOT_WELL_FORMED(
      "STELLA-207",
      Severity.INFO,
      Owner.L1,
      "the bytes are kept as they are; check who wrote the file"),
  NOT_CAPTURED(
      "STELLA-208", Severity.INFO, Owner.L1, "sockets, pipes and devices are named, not stored"),
  UNEXPECTED_CHANGE(
      "STELLA-209",
      Severity.WARNING,
      Owner.L2,
      "an object that must never change did; both versions are kept"),

  STREAM_GAP(
      "STELLA-210",
      Severity.CRITICAL,
      Owner.L2,
      "back up in full now: nothing can be replayed across what is missing"),
  STREAM_LINEAGE(
      "STELLA-211",
      Severity.CRITICAL,
      Owner.L2,
      "the stream belongs to another system; give this one a stream of its own"),
  STREAM_DIFFERS(
      "STELLA-212",
      Severity.CRITICAL,
      Owner.L3,
      "two histories claim the same place; find out which system is the right one"),
  STREAM_TAKEN(
      "STELLA-213",
      Severity.CRITICAL,
      Owner.L2,
      "another process records this stream under the same writer; stop one of them"),

  SINK_FAILED(
      "STELLA-300", Severity.CRITICAL, Owner.L1, "check the store: space, rights, connection"),
  SINK_NOT_THERE(
      "STELLA-301",
      Severity.CRITICAL,
      Owner.L1,
      "mount the volume or correct the location; nothing was created"),
  OBJECT_NOT_FOUND(
      "STELLA-302",
      Severity.CRITICAL,
      Owner.L2,
      "look for the object in another copy of the repository"),
  OBJECT_EXISTS(
      "STELLA-303",
      Severity.WARNING,
      Owner.L2,
      "objects are never replaced; find out who wrote it"),
  SINK_FULL("STELLA-304", Severity.CRITICAL, Owner.L1, "free space, or apply retention"),
  SINK_DENIED(
      "STELLA-305",
      Severity.CRITICAL,
      Owner.L1,
      "give the service's account the right to read and write there"),
  NAME_REFUSED("STELLA-306", Severity.WARNING, Owner.L2, "choose another name"),
  STORE_UNREACHABLE(
      "STELLA-307",
      Severity.CRITICAL,
      Owner.L1,
      "check the endpoint and the network between; the run can be started again"),
  BUCKET_MISSING(
      "STELLA-308",
      Severity.CRITICAL,
      Owner.L1,
      "correct the name of the bucket or container, or create it; nothing was created"),
  CREDENTIALS_REFUSED(
      "STELLA-309",
      Severity.CRITICAL,
      Owner.L1,
      "correct the credentials; the store does not know them, or not this secret"),
  WRONG_REGION(
      "STELLA-310", Severity.CRITICAL, Owner.L1, "say the region in which the bucket really is"),
  CLOCK_SKEWED(
      "STELLA-311",
      Severity.CRITICAL,
      Owner.L1,
      "set the clock of this host by NTP; the store refuses requests signed that far off"),
  OBJECT_LOCKED(
      "STELLA-312",
      Severity.WARNING,
      Owner.L2,
      "the store protects the object; delete it when the protection has ended"),
  LOCK_MISSING(
      "STELLA-313",
      Severity.CRITICAL,
      Owner.L1,
      "use a bucket that was created with object lock, or do not ask for protection"),
  NOT_RETRIEVED(
      "STELLA-314",
      Severity.WARNING,
      Owner.L1,
      "the object lies in a cold tier; ask for its retrieval and come again"),
  STORE_EXPOSED(
      "STELLA-315",
      Severity.CRITICAL,
      Owner.L1,
      "close the bucket or directory to everybody else before secrets are stored there"),
  NOT_PRIMARY(
      "STELLA-320",
      Severity.CRITICAL,
      Owner.L2,
      "point the plan at the primary; a copy is read, repaired from, and kept up by copying"),
  COPY_CONFLICT(
      "STELLA-321",
      Severity.CRITICAL,
      Owner.L3,
      "nothing was replaced; find out who wrote the object there, and whether there are two"
          + " primaries"),
  UNDER_REPLICATED(
      "STELLA-322",
      Severity.WARNING,
      Owner.L1,
      "see why the copy failed; it is tried again with the next run, or by copy()"),
  COPY_INCOMPLETE(
      "STELLA-323",
      Severity.WARNING,
      Owner.L2,
      "repair what the finding names in the source, then copy again"),
  PROMOTION_REFUSED(
      "STELLA-325",
      Severity.CRITICAL,
      Owner.L2,
      "promote a copy, with a key that is pinned for the log admin; archives and bundles hold too"
          + " little"),
  PROMOTION_LOSES(
      "STELLA-326",
      Severity.CRITICAL,
      Owner.L3,
      "bring the copy up from the former primary or another copy if that can still be read; else"
          + " say why the loss is accepted"),
  UNKNOWN_LOCATION(
      "STELLA-324",
      Severity.WARNING,
      Owner.L1,
      "correct the URI, or give the provider that knows its scheme"),
  BUNDLE_EXISTS(
      "STELLA-330",
      Severity.WARNING,
      Owner.L1,
      "choose another name, or take the old file away; nothing was written over"),
  BUNDLE_INCOMPLETE(
      "STELLA-331",
      Severity.CRITICAL,
      Owner.L1,
      "write the bundle again: this one was never finished, and nothing in it counts"),
  VOLUME_MISSING(
      "STELLA-332",
      Severity.CRITICAL,
      Owner.L1,
      "put the volume that the message names beside the others"),
  MEDIUM_GONE(
      "STELLA-333",
      Severity.CRITICAL,
      Owner.L1,
      "put the medium in again and repeat what failed; if something was being written, remove what"
          + " is called .incomplete first"),
  SEVERAL_BUNDLES(
      "STELLA-334", Severity.WARNING, Owner.L1, "say which of the listed files is meant"),
  NOT_A_BUNDLE(
      "STELLA-335",
      Severity.CRITICAL,
      Owner.L1,
      "check the file; a tar.gz, also one inside an age file, is imported as a tarball"),
  IMPORT_BACKWARDS(
      "STELLA-336",
      Severity.WARNING,
      Owner.L2,
      "import the newest bundle, or give a reason why this one is wanted"),
  NOT_COMPARED(
      "STELLA-337",
      Severity.WARNING,
      Owner.L2,
      "whoever made the archive wrote no digest of this; compare it with the original"),
  NOT_PRIVATE(
      "STELLA-338",
      Severity.WARNING,
      Owner.L1,
      "the file system keeps no modes; mount it with umask=077, or choose another place"),
  NO_HARD_LINKS(
      "STELLA-339",
      Severity.CRITICAL,
      Owner.L1,
      "write an offline bundle onto this medium, or use a file system that knows hard links"),
  LOCATION_REFUSED(
      "STELLA-340",
      Severity.WARNING,
      Owner.L1,
      "correct the URI; which settings each kind of store knows is in its guide"),
  SECRET_IN_LOCATION(
      "STELLA-341",
      Severity.WARNING,
      Owner.L1,
      "take the credentials out of the URI and hand them over apart from it; if it was logged"
          + " anywhere, change them"),
  CREDENTIALS_UNFIT(
      "STELLA-342",
      Severity.WARNING,
      Owner.L1,
      "hand over credentials of the kind that the message names"),
  OBJECT_HIDDEN(
      "STELLA-343",
      Severity.CRITICAL,
      Owner.L2,
      "repair, which brings the version back that was signed; then find out who deleted or replaced"
          + " it"),

  STORE_BUSY(
      "STELLA-350",
      Severity.WARNING,
      Owner.L1,
      "the store asks for fewer requests; start the run again, or look who else uses up its quota"),
  CORRUPT_OBJECT(
      "STELLA-400",
      Severity.CRITICAL,
      Owner.L2,
      "restore from another copy, then check the storage hardware"),
  TRUNCATED(
      "STELLA-401",
      Severity.CRITICAL,
      Owner.L2,
      "restore from another copy; the object ends too early"),
  BAD_SIGNATURE(
      "STELLA-402",
      Severity.CRITICAL,
      Owner.L3,
      "treat the repository as tampered with until explained"),
  CHAIN_BROKEN(
      "STELLA-403",
      Severity.CRITICAL,
      Owner.L3,
      "an entry was removed, replaced or replayed; compare with another copy"),
  UNTRUSTED_WRITER(
      "STELLA-404",
      Severity.CRITICAL,
      Owner.L2,
      "pin the writer's public key, if you know it to be right"),
  UNSUPPORTED_FORMAT(
      "STELLA-405", Severity.CRITICAL, Owner.L2, "use a newer version of the library"),
  MALFORMED(
      "STELLA-406",
      Severity.CRITICAL,
      Owner.L2,
      "the bytes are not what their name says; compare with another copy"),
  WENT_BACKWARDS(
      "STELLA-407",
      Severity.CRITICAL,
      Owner.L3,
      "the store shows less than was seen before; look for what was hidden or rolled back"),
  FRESHNESS_UNPROVEN(
      "STELLA-408", Severity.INFO, Owner.L2, "compare the head with a copy or a printed report"),
  NOT_A_REPOSITORY(
      "STELLA-409", Severity.CRITICAL, Owner.L1, "check the location; there is no repository here"),
  KEY_RETIRED(
      "STELLA-410",
      Severity.CRITICAL,
      Owner.L3,
      "a key that gave way to another was used; open the engine again, or find out who has that"
          + " key"),
  SEALED(
      "STELLA-411",
      Severity.CRITICAL,
      Owner.L2,
      "the writer's log was ended; give this host a new writer name, whose first backup stores"
          + " everything"),
  STALE(
      "STELLA-412",
      Severity.CRITICAL,
      Owner.L2,
      "find out why the writer is silent, or what the store does not show"),

  WRONG_KEY(
      "STELLA-500",
      Severity.WARNING,
      Owner.L1,
      "use an identity that the snapshot was encrypted to"),
  WRONG_PASSPHRASE("STELLA-501", Severity.WARNING, Owner.L1, "type the passphrase again"),
  KEY_UNAVAILABLE(
      "STELLA-502",
      Severity.WARNING,
      Owner.L1,
      "give an identity; this process can list and verify stored bytes only"),
  BAD_KEY("STELLA-503", Severity.WARNING, Owner.L1, "correct the recipient or identity"),
  KEY_FILE_EXPOSED(
      "STELLA-504",
      Severity.CRITICAL,
      Owner.L1,
      "chmod 600 the file, and replace the key if others could read it"),
  SEALING_FAILED(
      "STELLA-505",
      Severity.CRITICAL,
      Owner.L3,
      "the JDK refused a cipher; report this with the stack trace"),
  EPOCH_MISSING(
      "STELLA-506",
      Severity.CRITICAL,
      Owner.L2,
      "have an administrator begin an epoch for exactly the plan's recipients"),
  LAST_RECIPIENT(
      "STELLA-507",
      Severity.WARNING,
      Owner.L1,
      "name at least one recipient who stays; nobody could read what is backed up next"),

  TARGET_FAILED(
      "STELLA-600",
      Severity.CRITICAL,
      Owner.L2,
      "read the cause; the live system was not changed unless the report says so"),
  TARGET_NOT_EMPTY(
      "STELLA-601", Severity.WARNING, Owner.L1, "restore elsewhere, or clear the target yourself"),
  TARGET_MISSING("STELLA-602", Severity.WARNING, Owner.L1, "name a target for this source"),
  UNSAFE_NAME(
      "STELLA-603",
      Severity.CRITICAL,
      Owner.L3,
      "the archive names a path outside the target; do not trust its writer"),
  CONTENT_DIFFERS(
      "STELLA-604",
      Severity.CRITICAL,
      Owner.L2,
      "what stands in the target is not what was captured"),
  ATTRIBUTES_NOT_SET(
      "STELLA-605",
      Severity.INFO,
      Owner.L1,
      "restore as the superuser, or set the owners and attributes yourself"),

  POINT_TOO_EARLY(
      "STELLA-606",
      Severity.WARNING,
      Owner.L1,
      "restore from an older capture, or to a later point; the finding names the earliest"),
  POINT_TOO_LATE(
      "STELLA-607",
      Severity.WARNING,
      Owner.L1,
      "restore to the point that the finding names, or to the latest"),
  POINT_UNKNOWN(
      "STELLA-608",
      Severity.WARNING,
      Owner.L1,
      "look for the point in what the catalogue lists of the stream"),
  POINT_CUT_OFF(
      "STELLA-609",
      Severity.CRITICAL,
      Owner.L2,
      "restore to before the gap that the finding names, or from a capture behind it"),
  STREAM_MISSING(
      "STELLA-610",
      Severity.WARNING,
      Owner.L1,
      "nothing was recorded of this source's history; restore the capture as it is"),

  NOT_FOUND("STELLA-700", Severity.WARNING, Owner.L1, "list the snapshots and choose one of them"),
  NAME_CONFLICT(
      "STELLA-701",
      Severity.WARNING,
      Owner.L1,
      "choose another name; a snapshot is never overwritten"),
  PLAN_STALE(
      "STELLA-702", Severity.WARNING, Owner.L1, "plan the restore again and look at it again"),
  BLOCKED("STELLA-703", Severity.WARNING, Owner.L1, "mend the listed blockers"),
  AMBIGUOUS("STELLA-704", Severity.WARNING, Owner.L1, "say which of the listed ones is meant"),
  WRONG_REPOSITORY(
      "STELLA-705",
      Severity.CRITICAL,
      Owner.L2,
      "these writer keys belong to another repository; check the location"),
  TOO_LARGE(
      "STELLA-706",
      Severity.WARNING,
      Owner.L2,
      "split the plan, or raise the limit that the message names"),
  RUN_IN_PROGRESS(
      "STELLA-707",
      Severity.INFO,
      Owner.L1,
      "wait for the run that the message names, or ask for one that waits; a dead one ends by"
          + " itself after its lease"),
  WORKSPACE_FAILED(
      "STELLA-708",
      Severity.WARNING,
      Owner.L1,
      "free space where the workspace is, or give the engine another one, and run it again"),

  SAFETY_FLOOR(
      "STELLA-720",
      Severity.WARNING,
      Owner.L2,
      "keep it; or, if it is known to be worthless, allow its release by name and with a reason"),
  CLOCK_UNSOUND(
      "STELLA-721",
      Severity.CRITICAL,
      Owner.L2,
      "mend the clock, and have the time of the named snapshot corrected; nothing is deleted"
          + " before"),
  POLICY_TOO_SHORT(
      "STELLA-722",
      Severity.WARNING,
      Owner.L2,
      "keep for longer than the time between two good captures, or keep a number of them"),
  RETIRED(
      "STELLA-723",
      Severity.WARNING,
      Owner.L1,
      "recall it while it is not swept, or choose another snapshot"),
  OBJECT_DOOMED(
      "STELLA-724",
      Severity.WARNING,
      Owner.L1,
      "run the backup again: retention let go of what it was about to use"),
  GARBAGE_BLOCKED(
      "STELLA-725",
      Severity.INFO,
      Owner.L1,
      "back up with that writer once, or seal its log if it is gone"),
  NOT_PRUNED(
      "STELLA-726",
      Severity.WARNING,
      Owner.L2,
      "mend what the finding names; nothing is deleted there until then"),
  WINDOW_SHORT(
      "STELLA-727",
      Severity.WARNING,
      Owner.L2,
      "look why recording stopped, and take a base backup now: from it every instant is in reach"),
  HISTORY_GONE(
      "STELLA-728",
      Severity.WARNING,
      Owner.L2,
      "plan a restore of it as it is; to reach other instants, choose a capture behind what is"
          + " gone");

  private final String code;
  private final Severity severity;
  private final Owner owner;
  private final String remedy;

  CoreFailure(String code, Severity severity, Owner owner, String remedy) {
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
