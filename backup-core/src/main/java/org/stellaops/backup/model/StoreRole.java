package org.stellaops.backup.model;

/** What a store is to its repository, as its file {@code sink.json} says. */
public enum StoreRole {
  /** Where writers commit. Its logs are whole: a slot that is missing is damage. */
  PRIMARY,
  /** Somewhere else, kept up by copying. It may hold some snapshots and not others. */
  COPY,
  /**
   * Where snapshots were moved to, so that the primary need not keep them: what the primary lets go
   * of is not let go of here.
   */
  ARCHIVE,
  /** A set of chosen snapshots that is carried elsewhere. */
  BUNDLE;

  /** Whether it may hold a part of the logs: there a slot that is missing is not held. */
  public boolean isSubset() {
    return this != PRIMARY;
  }
}
