package org.stellaops.backup.model;

/**
 * What stands where a restore would go. Identity and occupancy, never live content: or every plan
 * would be stale.
 *
 * @param occupancy how full it is
 * @param fingerprint changes when another system stands there
 * @param description for humans
 */
public record TargetState(Occupancy occupancy, Digest fingerprint, String description) {
  /** How full a target is. */
  public enum Occupancy {
    ABSENT,
    EMPTY,
    OCCUPIED,
    LIVE,
    UNFINISHED_RESTORE
  }
}
