package org.stellaops.backup.docs;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.stellaops.backup.docs.Capability.Proof;
import org.stellaops.backup.docs.TestReports.Outcome;

/** Compares what the rows claim with what the tests of this build have shown. */
final class CapabilityCheck {
  private static final Set<String> STATES = Set.of("planned", "partial", "done");
  private static final Set<String> PROFILES = Set.of("default", "interop", "soak", "docker");

  private CapabilityCheck() {}

  /** Everything that is wrong with the rows themselves; empty if they are well formed. */
  static List<String> form(List<Capability> rows) {
    List<String> problems = new ArrayList<>();
    Set<String> ids = new HashSet<>();
    for (Capability row : rows) {
      if (!ids.add(row.id())) {
        problems.add(row.id() + ": appears twice");
      }
      if (!STATES.contains(row.state())) {
        problems.add(row.id() + ": no such state: " + row.state());
      }
      Set<String> profiles = new TreeSet<>(Set.of(row.profile()));
      row.proofs().forEach(proof -> profiles.add(proof.profile()));
      profiles.removeAll(PROFILES);
      profiles.forEach(unknown -> problems.add(row.id() + ": no such profile: " + unknown));
      if (row.claims() && row.proofs().isEmpty()) {
        problems.add(row.id() + ": is " + row.state() + ", but names no test");
      }
      if (row.claims() && row.api().equals("–")) {
        problems.add(row.id() + ": is " + row.state() + ", but names no API");
      }
    }
    return problems;
  }

  /** Every proof of a claimed capability that this build, run in {@code profile}, has not given. */
  static List<String> proofs(List<Capability> rows, TestReports reports, String profile) {
    List<String> problems = new ArrayList<>();
    for (Capability row : rows) {
      for (Proof proof : row.proofs()) {
        if (row.claims() && proof.profile().equals(profile)) {
          check(row, proof, reports, problems);
        }
      }
    }
    return problems;
  }

  private static void check(
      Capability row, Proof proof, TestReports reports, List<String> problems) {
    var invocations = reports.of(proof);
    if (invocations.isEmpty()) {
      problems.add(row.id() + ": did not run: " + proof);
    }
    for (var invocation : invocations) {
      if (invocation.outcome() != Outcome.PASSED) {
        String how = invocation.outcome() == Outcome.SKIPPED ? "was skipped" : "failed";
        problems.add(row.id() + ": " + how + ": " + proof + ", as " + invocation.name());
      }
    }
  }
}
