package org.stellaops.backup.model;

/**
 * What one check found.
 *
 * @param id {@code check.postgres.connectivity}
 * @param verdict what it concluded
 * @param evidence what was seen; never a secret
 * @param remedy the next step, empty when it passed
 */
public record CheckResult(String id, Verdict verdict, String evidence, String remedy) {
  /** It is as it should be. */
  public static CheckResult pass(String id, String evidence) {
    return new CheckResult(id, Verdict.PASS, evidence, "");
  }

  /** It works, but somebody should look. */
  public static CheckResult warn(String id, String evidence, String remedy) {
    return new CheckResult(id, Verdict.WARN, evidence, remedy);
  }

  /** It cannot work like this. */
  public static CheckResult fail(String id, String evidence, String remedy) {
    return new CheckResult(id, Verdict.FAIL, evidence, remedy);
  }

  /** It could not be looked at, which is not the same as passing. */
  public static CheckResult skip(String id, String evidence) {
    return new CheckResult(id, Verdict.SKIP, evidence, "");
  }

  /** What a check concluded. */
  public enum Verdict {
    PASS,
    WARN,
    FAIL,
    SKIP
  }
}
