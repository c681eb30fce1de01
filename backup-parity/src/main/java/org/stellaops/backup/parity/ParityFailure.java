package org.stellaops.backup.parity;

import org.stellaops.backup.model.FailureCode;

/** What can be wrong with files that parity protects, and with the parity. */
public enum ParityFailure implements FailureCode {
  REPAIRABLE(
      "STELLA-PR-01",
      Severity.WARNING,
      Owner.L1,
      "plan the repair, look at it, repair, and replace the medium"),
  LOST(
      "STELLA-PR-02",
      Severity.CRITICAL,
      Owner.L2,
      "more of one group is damaged than its volumes bring back; fetch the file from another copy"
          + " of the repository"),
  VOLUME_DAMAGED(
      "STELLA-PR-03", Severity.WARNING, Owner.L1, "repair what is damaged, then update the parity"),
  NOT_PROTECTED(
      "STELLA-PR-04",
      Severity.CRITICAL,
      Owner.L2,
      "the file is damaged already; fetch it from another copy of the repository, then update the"
          + " parity"),
  MISSING(
      "STELLA-PR-05",
      Severity.CRITICAL,
      Owner.L1,
      "repair it; or, if it was removed on purpose, update the parity and say that it may be"
          + " forgotten"),
  NOT_REPAIRED(
      "STELLA-PR-06",
      Severity.CRITICAL,
      Owner.L2,
      "nothing was replaced; plan the repair again, and look at the medium"),
  IN_USE(
      "STELLA-PR-07",
      Severity.WARNING,
      Owner.L1,
      "wait until the other update or repair in this directory has ended"),
  IGNORED(
      "STELLA-PR-08",
      Severity.INFO,
      Owner.L2,
      "this is not a file of a repository; nothing protects it, and nothing removes it");

  private final String code;
  private final Severity severity;
  private final Owner owner;
  private final String remedy;

  ParityFailure(String code, Severity severity, Owner owner, String remedy) {
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
