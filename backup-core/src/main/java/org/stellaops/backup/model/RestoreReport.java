package org.stellaops.backup.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What a restore did. {@code restore} returns one only when everything is restored.
 *
 * @param run the run
 * @param snapshot what was restored
 * @param endpoints where restored systems are, per source that says so
 * @param findings what was noticed
 * @param bytes plain bytes that targets read; what one read twice counts twice
 * @param took from start to end
 */
public record RestoreReport(
    RunId run,
    SnapshotId snapshot,
    Map<SourceName, Endpoint> endpoints,
    List<Finding> findings,
    long bytes,
    Duration took) {
  public RestoreReport {
    endpoints = Map.copyOf(endpoints);
    findings = List.copyOf(findings);
  }
}
