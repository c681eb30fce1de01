package org.stellaops.backup.model;

/** How a run, or one source of it, ended. */
public enum Outcome {
  /** Complete and without findings. Only this is ever "latest good". */
  GOOD,
  /** Complete, with findings that somebody has to look at. */
  DEGRADED,
  /** A source that the plan allows to fail is missing. */
  PARTIAL,
  /** There is no snapshot. */
  FAILED;

  /** The worse of the two. */
  public Outcome worst(Outcome other) {
    return compareTo(other) >= 0 ? this : other;
  }
}
