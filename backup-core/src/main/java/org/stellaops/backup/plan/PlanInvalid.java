package org.stellaops.backup.plan;

import java.util.List;

/** A plan that cannot work: a mistake in the program or its configuration. Lists every problem. */
public final class PlanInvalid extends IllegalArgumentException {
  private static final long serialVersionUID = 1;
  private final transient List<String> problems;

  PlanInvalid(String plan, List<String> problems) {
    super(
        "plan '%s' has %d problem%s:\n- %s"
            .formatted(
                plan,
                problems.size(),
                problems.size() == 1 ? "" : "s",
                String.join("\n- ", problems)));
    this.problems = List.copyOf(problems);
  }

  /** Every problem, as a sentence each. */
  public List<String> problems() {
    return problems;
  }
}
