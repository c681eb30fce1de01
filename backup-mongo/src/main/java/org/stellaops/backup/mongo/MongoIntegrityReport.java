package org.stellaops.backup.mongo;

import java.util.List;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;

/**
 * What a check of a database found.
 *
 * @param collections that the server validated, good or bad
 * @param documents in those
 * @param invariants of the caller that were asked
 * @param findings what is wrong, and what could not be looked at
 */
public record MongoIntegrityReport(
    long collections, long documents, long invariants, List<Finding> findings) {
  public MongoIntegrityReport {
    findings = List.copyOf(findings);
  }

  /** Whether nothing is wrong; something may have been left out. */
  public boolean isSound() {
    return findings.stream().noneMatch(f -> f.code().severity() == FailureCode.Severity.CRITICAL);
  }

  /** What could not be looked at, each with the reason. */
  public List<Finding> notChecked() {
    return findings.stream().filter(f -> f.code() == MongoFailure.NOT_CHECKED).toList();
  }

  /** The numbers in one line. */
  public String summary() {
    return "%d collections with %d documents validated, %d invariants; %d not checked"
        .formatted(collections, documents, invariants, notChecked().size());
  }
}
