package org.stellaops.backup.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.RestoreTarget;

/** What is to be restored, and where to. Immutable. What it is given stays the caller's. */
public final class RestoreRequest {
  private final SnapshotRef snapshot;
  private final List<Identity> identities;
  private final List<String> only;
  private final Map<SourceName, RestoreTarget> targets;

  private RestoreRequest(
      SnapshotRef snapshot,
      List<Identity> identities,
      List<String> only,
      Map<SourceName, RestoreTarget> targets) {
    this.snapshot = snapshot;
    this.identities = List.copyOf(identities);
    this.only = List.copyOf(only);
    this.targets = Collections.unmodifiableMap(new LinkedHashMap<>(targets));
  }

  /** Everything in this snapshot. */
  public static RestoreRequest of(SnapshotRef snapshot) {
    return new RestoreRequest(snapshot, List.of(), List.of(), Map.of());
  }

  /** With this identity, besides those the repository was opened with. */
  public RestoreRequest with(Identity identity) {
    List<Identity> more = new ArrayList<>(identities);
    more.add(identity);
    return new RestoreRequest(snapshot, more, only, targets);
  }

  /** Only these: a source's name, a component, or {@code component/source}. */
  public RestoreRequest only(String... sourcesOrComponents) {
    return new RestoreRequest(snapshot, identities, List.of(sourcesOrComponents), targets);
  }

  /** Where a source goes; otherwise it goes to where it came from, if the plan's source knows. */
  public RestoreRequest target(String source, RestoreTarget target) {
    Map<SourceName, RestoreTarget> more = new LinkedHashMap<>(targets);
    more.put(SourceName.of(source), target);
    return new RestoreRequest(snapshot, identities, only, more);
  }

  /** Which snapshot. */
  public SnapshotRef snapshot() {
    return snapshot;
  }

  /** What opens it. */
  public List<Identity> identities() {
    return identities;
  }

  /** What was asked for; empty means everything. */
  public List<String> only() {
    return only;
  }

  /** Targets by source. */
  public Map<SourceName, RestoreTarget> targets() {
    return targets;
  }
}
