package org.stellaops.backup.postgres;

import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;

/** What a check has looked at and found so far. */
final class IntegrityTally {
  /** More than this helps nobody; how many there are is told. */
  private static final int MAX_FINDINGS = 200;

  long databases;
  long indexes;
  long tables;
  long foreignKeys;
  long invariants;

  private final List<Finding> findings = new ArrayList<>();
  private final List<Finding> notChecked = new ArrayList<>();

  void found(FailureCode code, String subject, String what) {
    if (findings.size() < MAX_FINDINGS) {
      findings.add(new Finding(code, subject, what));
    }
  }

  void notChecked(String subject, String reason) {
    if (notChecked.size() < MAX_FINDINGS) {
      notChecked.add(new Finding(PostgresFailure.NOT_CHECKED, subject, reason));
    }
  }

  IntegrityReport report() {
    List<Finding> all = new ArrayList<>(findings);
    all.addAll(notChecked);
    return new IntegrityReport(databases, indexes, tables, foreignKeys, invariants, all);
  }
}
