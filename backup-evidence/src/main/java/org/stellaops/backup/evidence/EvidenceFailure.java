package org.stellaops.backup.evidence;

import org.stellaops.backup.model.FailureCode;

/** What can be wrong with an evidence locker. */
public enum EvidenceFailure implements FailureCode {
  OBJECT_MISSING(
      "STELLA-EV-01",
      Severity.WARNING,
      Owner.L2,
      "evidence is never deleted without a reason; find it, then restore the object from the"
          + " snapshot before"),
  NOT_AS_NAMED(
      "STELLA-EV-02",
      Severity.WARNING,
      Owner.L2,
      "the object's bytes are not those its name promises; restore it from an older snapshot"),
  ANCHORS_WENT_BACK(
      "STELLA-EV-03",
      Severity.CRITICAL,
      Owner.L3,
      "the newest anchors were removed or replaced; treat the locker as tampered with until"
          + " explained");

  private final String code;
  private final Severity severity;
  private final Owner owner;
  private final String remedy;

  EvidenceFailure(String code, Severity severity, Owner owner, String remedy) {
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
