package org.stellaops.backup.model;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
  private final Map<SourceName, String> retired;
  private final boolean isAuthenticated;
  private final List<VerificationRecord> verifications;

  /**
   * Made by the catalog.
   *
   * @param verifications the newest of each signer, newest first
   */
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
      List<VerificationRecord> verifications) {
    this(
        id,
        name,
        plan,
        writer,
        sequence,
        entry,
        time,
        outcome,
        plannedSources,
        captures,
        Map.of(),
        isAuthenticated,
        verifications);
  }

  /** The same, of which some sources were let go. */
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
      Map<SourceName, String> retired,
      boolean isAuthenticated,
      List<VerificationRecord> verifications) {
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
    this.retired = Map.copyOf(retired);
    this.isAuthenticated = isAuthenticated;
    this.verifications = List.copyOf(verifications);
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

  /** Whether every source of the plan was captured, and none was retired. */
  public boolean isWhole() {
    return plannedSources.keySet().stream().allMatch(this::isWhole);
  }

  /** The same of one component; false if the plan had no source of it. */
  public boolean isWhole(Component component) {
    int planned = plannedSources.getOrDefault(component, 0);
    return planned > 0
        && captures.stream().filter(c -> c.component().equals(component)).count() == planned;
  }

  /** The sources that retention let go of, each with the reason; they cannot be restored. */
  public Map<SourceName, String> retired() {
    return retired;
  }

  /** One per captured source that was not retired, in the order of capture. */
  public List<CaptureHeader> captures() {
    return captures;
  }

  /** Whether a pinned key signed it. */
  public boolean isAuthenticated() {
    return isAuthenticated;
  }

  /** The newest verification of exactly this entry, where there is one that we trust. */
  public Optional<VerificationRecord> verification() {
    return verifications.stream().findFirst();
  }

  /**
   * The newest verification of exactly this entry by each pinned signer, newest first: a writer's
   * own word does not take the place of another's.
   */
  public List<VerificationRecord> verifications() {
    return verifications;
  }

  /** Whether a principal other than its writer found it intact, and has not found damage since. */
  public boolean isVerifiedByAnother() {
    return verifications.stream().anyMatch(v -> v.isByAnother() && v.isIntact());
  }

  /** Whether somebody pinned found damage, and has not found it intact since. */
  public boolean isReportedDamaged() {
    return verifications.stream().anyMatch(v -> v.verdict() == VerificationReport.Verdict.DAMAGED);
  }

  /** Sum over the sources. */
  public long plainBytes() {
    return captures.stream().mapToLong(CaptureHeader::plainBytes).sum();
  }

  /** Bytes of the compressed chunks that were stored for it. */
  public long newBytes() {
    return captures.stream().mapToLong(CaptureHeader::newBytes).sum();
  }

  /**
   * What a verification left in the repository, signed by a key that is pinned for the log of
   * verifications.
   *
   * @param time when it was signed, by the verifier's clock
   * @param depth how deep it looked
   * @param verdict what it concluded
   * @param publicKey whose key signed it, {@code ssh-ed25519 AAAA…}
   * @param isByAnother whether that is another principal than the writer of the snapshot: its key
   *     neither signed anything in the snapshot's log nor is pinned for it
   */
  public record VerificationRecord(
      Instant time,
      VerificationReport.Depth depth,
      VerificationReport.Verdict verdict,
      String publicKey,
      boolean isByAnother) {
    /** Whether nothing was damaged. */
    public boolean isIntact() {
      return verdict == VerificationReport.Verdict.INTACT
          || verdict == VerificationReport.Verdict.INTACT_UNAUTHENTICATED;
    }
  }
}
