package org.stellaops.backup.parity;

import java.util.List;
import org.stellaops.backup.model.Finding;

/**
 * What a repair did.
 *
 * @param repaired files that are whole again, in the order in which they became so
 * @param findings each file that is still missing or damaged
 */
public record ParityRepair(List<String> repaired, List<Finding> findings) {
  public ParityRepair {
    repaired = List.copyOf(repaired);
    findings = List.copyOf(findings);
  }

  /** Whether nothing is left to repair. */
  public boolean isComplete() {
    return findings.isEmpty();
  }
}
