package org.stellaops.backup.postgres;

/** What becomes of a base backup in which the server found pages with a wrong checksum. */
public enum DamagedPages {
  /** It fails: nothing is stored as a snapshot. */
  FAIL,
  /**
   * It is kept, with the outcome DEGRADED and a finding for each relation: better than nothing
   * where the damage is known, and never the newest good one.
   */
  KEEP_DEGRADED
}
