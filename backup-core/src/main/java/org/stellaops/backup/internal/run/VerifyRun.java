package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Identity;

/**
 * Re-reads a snapshot and compares. Changes nothing of it; collects damage instead of stopping at
 * the first.
 */
public final class VerifyRun {
  private final Context context;
  private final Repository repository;
  private final StopSignal stopping;
  private final Verification depth;
  private final EpochKeys epochs;
  private final ProgressMeter progress;
  private final SnapshotNeeds needs;

  /** Everything stays the caller's. */
  public VerifyRun(
      Context context,
      Repository repository,
      StopSignal stopping,
      Verification depth,
      EpochKeys epochs)
      throws IOException {
    this.context = context;
    this.repository = repository;
    this.stopping = stopping;
    this.depth = depth;
    this.epochs = epochs;
    this.progress =
        new ProgressMeter(BackupRun.newRun(context), context.clock(), context.listeners());
    this.needs = new SnapshotNeeds(repository.retention(), repository.role());
  }

  /** Opens the epoch of a snapshot; only called for a full verification. */
  @FunctionalInterface
  public interface EpochKeys {
    /** The identity, which stays whose it is. */
    Identity open(SnapshotEntry snapshot, List<Identity> owners) throws IOException;
  }

  /**
   * A snapshot that is verified.
   *
   * @param snapshot which
   * @param need what has to be there of it
   * @param damage what is known to be wrong before that is looked at
   */
  record Subject(SnapshotList.Known snapshot, ObjectCheck.Need need, List<Finding> damage) {}

  /**
   * Verifies one snapshot. Damage is in the report; only a store that cannot be read is an
   * exception.
   */
  public VerificationReport verify(SnapshotList.Known snapshot, Freshness freshness)
      throws IOException {
    // The key comes first: without it a full verification is not begun.
    Subject subject = subject(snapshot, epochOf(snapshot));
    try (ObjectCheck check = objectCheck()) {
      check.collect(List.of(subject.need()));
      if (check.needsListing()) {
        repository.store().everythingOf(snapshot.log().log(), check::isListed);
      }
      check.look(List.of(subject.need()));
      return report(subject, check, freshness);
    }
  }

  /** The identity that opens a snapshot, where it is to be opened. */
  Optional<Identity> epochOf(SnapshotList.Known snapshot) throws IOException {
    return depth.depth() == Depth.FULL
        ? Optional.of(epochs.open(snapshot.entry(), depth.identities()))
        : Optional.empty();
  }

  Subject subject(SnapshotList.Known snapshot, Optional<Identity> epoch) throws IOException {
    List<Finding> damage = new ArrayList<>(snapshot.chainDamage());
    return new Subject(snapshot, needs.of(snapshot, epoch, damage::add), damage);
  }

  /** What is wrong with one source of a snapshot, when everything was looked at. */
  List<Finding> damageOf(SnapshotList.Known snapshot, SourceName source, ObjectCheck check) {
    List<Finding> damage = new ArrayList<>();
    damage.addAll(check.of(needs.of(snapshot, source, damage::add)).damage());
    return damage;
  }

  /** A new look at stored objects, as deep as this verification. */
  ObjectCheck objectCheck() {
    return new ObjectCheck(context, repository.store(), stopping, progress, depth);
  }

  /** What is to be said of a snapshot whose objects were looked at. */
  VerificationReport report(Subject subject, ObjectCheck check, Freshness freshness)
      throws IOException {
    SnapshotList.Known snapshot = subject.snapshot();
    List<Finding> damage = new ArrayList<>(subject.damage());
    damage.addAll(staleness(freshness));
    int known = damage.size();
    ObjectCheck.Looked looked = check.of(subject.need());
    damage.addAll(looked.damage());
    Optional<Identity> epoch = subject.need().epoch();
    if (epoch.isPresent() && damage.size() == known) {
      verifyPlain(snapshot, epoch.get(), damage);
    }
    return new VerificationReport(
        snapshot.summary().id(),
        depth.depth(),
        verdict(snapshot.summary(), damage),
        looked.objects(),
        looked.bytes(),
        damage,
        List.of(freshness),
        depth.sample().stream().toList());
  }

  /** What the reader knows better than the store: heads that he saw, and how old all may be. */
  private List<Finding> staleness(Freshness freshness) throws IOException {
    List<Finding> findings = new ArrayList<>();
    for (LogHead expected : depth.expectedHeads()) {
      repository.missing(expected).ifPresent(findings::add);
    }
    Optional<Duration> maxAge = depth.maxAge();
    Duration age = Duration.between(freshness.time(), context.clock().instant());
    if (maxAge.isPresent() && age.compareTo(maxAge.get()) > 0) {
      findings.add(
          new Finding(
              CoreFailure.STALE,
              "log/" + freshness.newest().log(),
              "%s; nothing newer than %s was allowed for".formatted(freshness, maxAge.get())));
    }
    return findings;
  }

  private static Verdict verdict(SnapshotSummary summary, List<Finding> damage) {
    if (!damage.isEmpty()) {
      return Verdict.DAMAGED;
    }
    return summary.isAuthenticated() ? Verdict.INTACT : Verdict.INTACT_UNAUTHENTICATED;
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private static void collect(List<Finding> damage, String subject, Step step) throws IOException {
    try {
      step.run();
    } catch (BackupException.Corrupt e) {
      damage.add(new Finding(e.code(), subject, e.detail()));
      damage.addAll(e.damage());
    }
  }

  /** A part of the packs makes no artifact; the manifest is read where it is in the part. */
  private void verifyPlain(SnapshotList.Known snapshot, Identity epoch, List<Finding> damage)
      throws IOException {
    ObjectRef manifest = snapshot.entry().manifest();
    if (!depth.sample().map(part -> part.holds(manifest.name())).orElse(true)) {
      return;
    }
    SnapshotReader reader =
        new SnapshotReader(context, repository.store(), snapshot, epoch, stopping);
    collect(
        damage,
        manifest.toString(),
        () -> {
          List<CapturedSource> sources = reader.sources();
          if (depth.sample().isEmpty()) {
            verifyArtifacts(reader, unretired(sources, snapshot.summary()), damage);
          }
        });
  }

  private void verifyArtifacts(
      SnapshotReader reader, List<CapturedSource> sources, List<Finding> damage)
      throws IOException {
    progress.begin("verify plain", sources.stream().mapToLong(s -> s.header().plainBytes()).sum());
    for (CapturedSource source : sources) {
      for (CapturedArtifact artifact : source.artifacts()) {
        collect(
            damage,
            source.header().source() + "/" + artifact.name(),
            () -> drain(reader.open(source.header().source(), artifact)));
      }
    }
    progress.end();
  }

  private static List<CapturedSource> unretired(
      List<CapturedSource> sources, SnapshotSummary summary) {
    return sources.stream()
        .filter(s -> !summary.retired().containsKey(s.header().source()))
        .toList();
  }

  private void drain(InputStream artifact) throws IOException {
    byte[] buffer = new byte[128 << 10];
    try (artifact) {
      for (int n = artifact.read(buffer); n >= 0; n = artifact.read(buffer)) {
        progress.add(n, 0);
      }
    }
  }

  /** Everything that is wrong in the repository besides its snapshots: logs, keys, fixed files. */
  public static List<Finding> checkSurroundings(
      Repository repository, List<LogView> logs, StopSignal stopping) throws IOException {
    List<Finding> findings = new ArrayList<>(repository.checkFixedFiles());
    for (LogView log : logs) {
      findings.addAll(log.damage());
      for (LogView.Standing standing : log.entries()) {
        // What somebody unknown signed next to the pinned writers is no claim on the store.
        if (standing.isTrusted() || !repository.isPinned()) {
          verifyKeys(repository, standing.entry(), stopping, findings);
        }
      }
    }
    return findings;
  }

  private static void verifyKeys(
      Repository repository, Entry entry, StopSignal stopping, List<Finding> findings)
      throws IOException {
    for (Entry.Line line : entry.lines()) {
      if (line.path().startsWith("keys/")) {
        verifyKey(repository, line, stopping, findings);
      }
    }
  }

  private static void verifyKey(
      Repository repository, Entry.Line line, StopSignal stopping, List<Finding> findings)
      throws IOException {
    try {
      repository
          .store()
          .verify(ObjectName.of(line.path()), line.stored(), Epochs.MAX_KEY_BYTES, stopping);
    } catch (BackupException.Corrupt e) {
      findings.add(new Finding(e.code(), line.path(), e.detail()));
    }
  }
}
