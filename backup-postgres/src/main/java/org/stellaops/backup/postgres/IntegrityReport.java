package org.stellaops.backup.postgres;

import java.util.List;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;

/**
 * What a check of a running cluster found.
 *
 * @param databases that were looked into
 * @param indexes B-trees compared with their tables, good or bad
 * @param tables heaps that were read row by row, with TOAST tables and materialized views
 * @param foreignKeys constraints whose rows were joined
 * @param invariants of the caller that were asked
 * @param findings what is wrong, and what could not be looked at
 */
public record IntegrityReport(
    long databases,
    long indexes,
    long tables,
    long foreignKeys,
    long invariants,
    List<Finding> findings) {
  public IntegrityReport {
    findings = List.copyOf(findings);
  }

  /** Whether nothing is wrong; something may have been left out. */
  public boolean isSound() {
    return findings.stream().noneMatch(f -> f.code().severity() == FailureCode.Severity.CRITICAL);
  }

  /** What could not be looked at, each with the reason. */
  public List<Finding> notChecked() {
    return findings.stream().filter(f -> f.code() == PostgresFailure.NOT_CHECKED).toList();
  }

  /** The numbers in one line. */
  public String summary() {
    return "%d databases: %d indexes, %d tables, %d foreign keys, %d invariants; %d not checked"
        .formatted(databases, indexes, tables, foreignKeys, invariants, notChecked().size());
  }
}
