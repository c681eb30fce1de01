package org.stellaops.backup.testkit;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Stopping;

/** What a source or a store says of itself. */
final class CollectedChecks implements Checks {
  private final Stopping stopping;
  private final InstantSource clock;
  private final List<CheckResult> results = new ArrayList<>();

  CollectedChecks(Stopping stopping, InstantSource clock) {
    this.stopping = stopping;
    this.clock = clock;
  }

  @Override
  public void add(CheckResult result) {
    results.add(result);
  }

  @Override
  public void expect(long bytes) {
    if (bytes < 0) {
      throw new AssertionError("a capture of " + bytes + " bytes");
    }
  }

  @Override
  public Stopping stopping() {
    return stopping;
  }

  @Override
  public InstantSource clock() {
    return clock;
  }

  List<CheckResult> results() {
    return List.copyOf(results);
  }
}
