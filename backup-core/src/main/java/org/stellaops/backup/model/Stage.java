package org.stellaops.backup.model;

/**
 * Place of a source among the others of a plan. Captured in the order of the constants, so that
 * whatever refers is captured before what it refers to; restored by {@link #restoreRank()}, lowest
 * first.
 */
public enum Stage {
  DATABASE(4),
  DOCUMENTS(4),
  OBJECTS(5),
  FILES(3),
  SECRETS(2),
  KEYS(1);

  private final int restoreRank;

  Stage(int restoreRank) {
    this.restoreRank = restoreRank;
  }

  /** Order of restoring, lowest first. */
  public int restoreRank() {
    return restoreRank;
  }
}
