package org.stellaops.backup.model;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A snapshot as a list shows it: readable without an identity. */
public final class SnapshotSummary {
  private final SnapshotId id;
  private final SnapshotName name;
  private final String plan;
  private final String writer;
  private final long sequence;
  private final Digest entry;
  private final Instant time;
  private final Outcome outcome;
  private final Map<Component, Integer> plannedSources;
  private final List<CaptureHeader> captures;
  private final boolean isAuthenticated;
  private final @Nullable VerificationRecord verification;

  /** Made by the catalog. */
  public SnapshotSummary(
      SnapshotId id,
      SnapshotName name,
      String plan,
      String writer,
      long sequence,
      Digest entry,
      Instant time,
      Outcome outcome,
      Map<Component, Integer> plannedSources,
      List<CaptureHeader> captures,
      boolean isAuthenticated,
      @Nullable VerificationRecord verification) {
    this.id = id;
    this.name = name;
    this.plan = plan;
    this.writer = writer;
    this.sequence = sequence;
    this.entry = entry;
    this.time = time;
    this.outcome = outcome;
    this.plannedSources = Map.copyOf(plannedSources);
    this.captures = List.copyOf(captures);
    this.isAuthenticated = isAuthenticated;
    this.verification = verification;
  }

  /** Identity of the snapshot. */
  public SnapshotId id() {
    return id;
  }

  /** Its human name. */
  public SnapshotName name() {
    return name;
  }

  /** Name of the plan that made it. */
  public String plan() {
    return plan;
  }

  /** Name of the log it stands in. */
  public String writer() {
    return writer;
  }

  /** Place of its entry in the log, from 1. */
  public long sequence() {
    return sequence;
  }

  /** Digest of its whole entry: what a witness, a printed report or a verification refers to. */
  public Digest entry() {
    return entry;
  }

  /** When the run began, by the writer's clock. */
  public Instant time() {
    return time;
  }

  /** How the run ended. */
  public Outcome outcome() {
    return outcome;
  }

  /** How many sources of each component the plan had when it was made. */
  public Map<Component, Integer> plannedSources() {
    return plannedSources;
  }

  /** Whether every source of the plan was captured. */
  public boolean isWhole() {
    return plannedSources.keySet().stream().allMatch(this::isWhole);
  }

  /** Whether every source of this component was captured; false if the plan had none. */
  public boolean isWhole(Component component) {
    int planned = plannedSources.getOrDefault(component, 0);
    return planned > 0
        && captures.stream().filter(c -> c.component().equals(component)).count() == planned;
  }

  /** One per captured source, in the order of capture. */
  public List<CaptureHeader> captures() {
    return captures;
  }

  /** Whether a pinned key signed it. */
  public boolean isAuthenticated() {
    return isAuthenticated;
  }

  /** The newest verification of exactly this entry, where there is one that we trust. */
  public Optional<VerificationRecord> verification() {
    return Optional.ofNullable(verification);
  }

  /** Sum over the sources. */
  public long plainBytes() {
    return captures.stream().mapToLong(CaptureHeader::plainBytes).sum();
  }

  /** Bytes of the compressed chunks that were stored for it. */
  public long newBytes() {
    return captures.stream().mapToLong(CaptureHeader::newBytes).sum();
  }

  /** What a verification left in the repository. */
  public record VerificationRecord(
      Instant time, VerificationReport.Depth depth, VerificationReport.Verdict verdict) {}
}
