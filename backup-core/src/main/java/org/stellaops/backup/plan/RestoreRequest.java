package org.stellaops.backup.plan;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.RecoveryPoint;
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
  private final @Nullable RecoveryPoint point;

  private RestoreRequest(
      SnapshotRef snapshot,
      List<Identity> identities,
      List<String> only,
      Map<SourceName, RestoreTarget> targets,
      @Nullable RecoveryPoint point) {
    this.snapshot = snapshot;
    this.point = point;
    this.identities = List.copyOf(identities);
    this.only = List.copyOf(only);
    this.targets = Collections.unmodifiableMap(new LinkedHashMap<>(targets));
  }

  /** Everything in this snapshot. */
  public static RestoreRequest of(SnapshotRef snapshot) {
    return new RestoreRequest(snapshot, List.of(), List.of(), Map.of(), null);
  }

  /**
   * Everything as it was at this point: from the newest good snapshot that leads there, with what
   * was recorded since replayed on top, for every source whose history is recorded. Sources without
   * one are restored as they were captured in that snapshot.
   */
  public static RestoreRequest at(RecoveryPoint point) {
    return new RestoreRequest(SnapshotRef.reaching(point), List.of(), List.of(), Map.of(), point);
  }

  /** Everything as it was at this instant: {@link #at(RecoveryPoint)}. */
  public static RestoreRequest at(Instant time) {
    return at(RecoveryPoint.at(time));
  }

  /** The same snapshot, with what was recorded since replayed on top up to this point. */
  public RestoreRequest upTo(RecoveryPoint point) {
    return new RestoreRequest(snapshot, identities, only, targets, point);
  }

  /** With this identity, besides those the repository was opened with. */
  public RestoreRequest with(Identity identity) {
    List<Identity> more = new ArrayList<>(identities);
    more.add(identity);
    return new RestoreRequest(snapshot, more, only, targets, point);
  }

  /** Only these: a source's name, a component, or {@code component/source}. */
  public RestoreRequest only(String... sourcesOrComponents) {
    return new RestoreRequest(snapshot, identities, List.of(sourcesOrComponents), targets, point);
  }

  /** Where a source goes; otherwise it goes to where it came from, if the plan's source knows. */
  public RestoreRequest target(String source, RestoreTarget target) {
    Map<SourceName, RestoreTarget> more = new LinkedHashMap<>(targets);
    more.put(SourceName.of(source), target);
    return new RestoreRequest(snapshot, identities, only, more, point);
  }

  /** Which snapshot. */
  public SnapshotRef snapshot() {
    return snapshot;
  }

  /** Where a replay on top of it ends; empty if nothing is to be replayed. */
  public Optional<RecoveryPoint> point() {
    return Optional.ofNullable(point);
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
