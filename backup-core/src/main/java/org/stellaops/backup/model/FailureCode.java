package org.stellaops.backup.model;

/**
 * Stable identity of a failure or finding. Implemented by one enum per module; codes outlive any
 * rewording.
 */
public interface FailureCode {
  /** {@code STELLA-204}: for runbooks and alerts. */
  String code();

  /** How bad it is. */
  Severity severity();

  /** Who acts first. */
  Owner owner();

  /** The next step to take, as a sentence for a human. */
  String remedy();

  /** How bad a failure or finding is. */
  enum Severity {
    /** Worth knowing; the outcome stays good. */
    INFO,
    /** The outcome is degraded. */
    WARNING,
    /** Something is lost or will be. */
    CRITICAL
  }

  /** Escalation level that acts first. */
  enum Owner {
    /** On call. */
    L1,
    /** Platform team. */
    L2,
    /** Architecture. */
    L3
  }
}
