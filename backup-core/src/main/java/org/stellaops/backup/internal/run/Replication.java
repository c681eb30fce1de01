package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.ReplicationStatus;
import org.stellaops.backup.model.ReplicationStatus.Place;
import org.stellaops.backup.model.ReplicationStatus.Replicated;
import org.stellaops.backup.model.ReplicationStatus.StreamCopy;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.PlannedStream;
import org.stellaops.backup.plan.ReplicationPolicy;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

/** Keeps the replicas of a plan, and tells what they hold. One thread. */
public final class Replication {
  private final Context context;
  private final BackupPlan plan;
  private final ObjectStore primary;
  private final Repository repository;
  private final StopSignal stopping;
  private final String writer;

  /**
   * Everything stays the caller's.
   *
   * @param writer who records the streams of the plan
   */
  public Replication(
      Context context,
      BackupPlan plan,
      ObjectStore primary,
      Repository repository,
      String writer,
      StopSignal stopping) {
    this.context = context;
    this.plan = plan;
    this.primary = primary;
    this.repository = repository;
    this.stopping = stopping;
    this.writer = writer;
  }

  /**
   * Brings every replica to where the primary is. The snapshot is committed whatever becomes of
   * this: what failed is in the report, and tried again behind the next run.
   */
  public BackupReport replicated(BackupReport report) {
    if (plan.replicas().isEmpty() && plan.replication().isEmpty()) {
      return report;
    }
    List<Finding> findings = new ArrayList<>();
    List<Map<String, String>> places = new ArrayList<>(List.of(primary.traits().labels()));
    for (BackupSink replica : plan.replicas()) {
      try {
        Optional<Map<String, String>> place = copy(replica, report.snapshot(), findings);
        place.ifPresent(places::add);
      } catch (IOException e) {
        findings.add(finding(replica.describe(), "was not brought up: " + Cause.words(e)));
      } catch (RuntimeException mistake) {
        // A mistake in somebody's sink does not take back what is committed.
        findings.add(finding(replica.describe(), "was not brought up: " + mistake));
      }
    }
    ReplicationPolicy policy = policy();
    if (findings.isEmpty() && !policy.isMetBy(places)) {
      findings.add(
          finding(
              report.name().value(),
              "is in %d places that count, %s are wanted"
                  .formatted(policy.counted(places), policy)));
    }
    findings.forEach(f -> context.listeners().tell(l -> l.found(report.run(), f)));
    return findings.isEmpty() ? report : degraded(report, findings);
  }

  private static Finding finding(String subject, String found) {
    return new Finding(CoreFailure.UNDER_REPLICATED, subject, found);
  }

  private static BackupReport degraded(BackupReport report, List<Finding> findings) {
    List<Finding> all = new ArrayList<>(report.findings());
    all.addAll(findings);
    return new BackupReport(
        report.run(),
        report.snapshot(),
        report.name(),
        report.outcome() == Outcome.GOOD ? Outcome.DEGRADED : report.outcome(),
        all,
        report.captures(),
        report.took());
  }

  /** Where the replica is, if it holds the snapshot whole now. */
  private Optional<Map<String, String>> copy(
      BackupSink replica, SnapshotId snapshot, List<Finding> findings) throws IOException {
    CopyReport copied =
        new CopyRun(context, repository, StoreRole.COPY, stopping)
            .copy(CopyRequest.to(replica).followingDeletions());
    context.listeners().tell(l -> l.copied(copied));
    if (!copied.isComplete()) {
      findings.add(
          finding(
              replica.describe(),
              "lacks %d snapshots: %s".formatted(copied.incomplete().size(), copied.findings())));
    }
    if (!copied.snapshots().contains(snapshot)) {
      return Optional.empty();
    }
    try (ObjectStore store = open(replica)) {
      return Optional.of(store.traits().labels());
    }
  }

  private ObjectStore open(BackupSink replica) throws IOException {
    return replica.open(new StoreContext(context.clock(), stopping));
  }

  private ReplicationPolicy policy() {
    return plan.replication().orElseGet(() -> ReplicationPolicy.copies(1 + plan.replicas().size()));
  }

  /** What is where, as each store tells it now. */
  public ReplicationStatus status() throws IOException {
    List<SnapshotList.Known> known = SnapshotList.read(repository).believed();
    List<Place> places = new ArrayList<>();
    List<Finding> findings = new ArrayList<>();
    List<StreamCopy> streams = new ArrayList<>();
    Map<SnapshotId, List<Place>> heldBy = new HashMap<>();
    String here = plan.sink().describe();
    places.add(place(here, primary.traits().labels(), known, ids(known), heldBy));
    for (BackupSink replica : plan.replicas()) {
      String there = replica.describe();
      try (ObjectStore store = open(replica)) {
        // Asked for everything first: a store that fails in between counts as one that holds
        // nothing.
        Map<String, String> labels = store.traits().labels();
        Set<SnapshotId> held = held(store, findings);
        streams.addAll(streams(there, repository.elsewhere(new StoreAccess(store))));
        places.add(place(there, labels, known, held, heldBy));
      } catch (BackupException.Stopped e) {
        throw e;
      } catch (IOException e) {
        findings.add(finding(there, "could not be asked: " + Cause.words(e)));
        places.add(new Place(there, Map.of(), Optional.empty(), 0));
        streams.addAll(streams(there, Optional.empty()));
      }
    }
    ReplicationPolicy policy = policy();
    List<Replicated> replicated = new ArrayList<>();
    for (SnapshotList.Known one : known) {
      List<Place> by = heldBy.getOrDefault(one.summary().id(), List.of());
      List<Map<String, String>> where = by.stream().map(Place::labels).toList();
      replicated.add(
          new Replicated(
              one.summary().id(),
              one.summary().name(),
              by.stream().map(Place::location).toList(),
              policy.counted(where),
              policy.isMetBy(where)));
    }
    return new ReplicationStatus(places, replicated, streams, findings);
  }

  /** An entry of a stream is in a copy only if what it names is. */
  private List<StreamCopy> streams(String location, Optional<Repository> there) throws IOException {
    List<StreamCopy> streams = new ArrayList<>();
    for (PlannedStream stream : plan.streams()) {
      String log = Names.streamLog(writer, stream.name());
      Optional<Position> held = there.isPresent() ? end(there.get().stream(log)) : Optional.empty();
      streams.add(new StreamCopy(location, stream.name(), end(repository.stream(log)), held));
    }
    return streams;
  }

  private static Optional<Position> end(StreamLog log) {
    return new StreamLedger(log).durable();
  }

  private static Set<SnapshotId> ids(List<SnapshotList.Known> snapshots) {
    Set<SnapshotId> ids = new HashSet<>();
    snapshots.forEach(k -> ids.add(k.summary().id()));
    return ids;
  }

  /** An entry is in a copy only if everything else of it is. */
  private Set<SnapshotId> held(ObjectStore store, List<Finding> findings) throws IOException {
    Optional<Repository> there = repository.elsewhere(new StoreAccess(store));
    if (there.isEmpty()) {
      return Set.of();
    }
    SnapshotList list = SnapshotList.read(there.get());
    list.logs().forEach(log -> findings.addAll(log.damage()));
    return ids(list.believed());
  }

  private static Place place(
      String location,
      Map<String, String> labels,
      List<SnapshotList.Known> known,
      Set<SnapshotId> held,
      Map<SnapshotId, List<Place>> heldBy) {
    List<SnapshotList.Known> here =
        known.stream().filter(k -> held.contains(k.summary().id())).toList();
    Place place =
        new Place(
            location, labels, here.stream().map(k -> k.summary().name()).findFirst(), here.size());
    here.forEach(k -> heldBy.computeIfAbsent(k.summary().id(), i -> new ArrayList<>()).add(place));
    return place;
  }
}
