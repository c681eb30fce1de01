package org.stellaops.backup.internal.run;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Stopping;

/** Results of checks in the order in which they came. One thread. */
final class CollectedChecks implements Checks {
  private final InstantSource clock;
  private final Stopping stopping;
  private final List<CheckResult> results = new ArrayList<>();
  private long expectedBytes;

  CollectedChecks(InstantSource clock, Stopping stopping) {
    this.clock = clock;
    this.stopping = stopping;
  }

  List<CheckResult> all() {
    return List.copyOf(results);
  }

  long expectedBytes() {
    return expectedBytes;
  }

  @Override
  public void add(CheckResult result) {
    results.add(result);
  }

  @Override
  public void expect(long bytes) {
    expectedBytes += bytes;
  }

  @Override
  public Stopping stopping() {
    return stopping;
  }

  @Override
  public InstantSource clock() {
    return clock;
  }
}
