package org.stellaops.backup.model;

/**
 * Why what was captured and recorded does not lead to a point. An answer of a planner, before
 * anything is written: where a restore is planned it becomes a blocker, and where it runs already a
 * {@link BackupException.Target}.
 */
public final class UnreachablePointException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient FailureCode code;

  /**
   * Of a kind.
   *
   * @param found in words, with the nearest point that can be reached
   */
  public UnreachablePointException(FailureCode code, String found) {
    super(found);
    this.code = code;
  }

  /** Its kind. */
  public FailureCode code() {
    return code;
  }

  /** In words, with the nearest point that can be reached. */
  public String found() {
    return String.valueOf(getMessage());
  }
}
