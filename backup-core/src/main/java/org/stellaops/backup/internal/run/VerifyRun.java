package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epochs;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Freshness;
import org.stellaops.backup.model.LogHead;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotSummary;
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
  private final ProgressMeter progress;
  private final List<Finding> damage = new ArrayList<>();
  private long objects;
  private long bytes;

  /** Everything stays the caller's. */
  public VerifyRun(Context context, Repository repository, StopSignal stopping) {
    this.context = context;
    this.repository = repository;
    this.stopping = stopping;
    this.progress =
        new ProgressMeter(BackupRun.newRun(context), context.clock(), context.listeners());
  }

  /** Opens the epoch of a snapshot; only called for a full verification. */
  @FunctionalInterface
  public interface EpochKeys {
    /** The identity, which stays whose it is. */
    Identity open(SnapshotEntry snapshot, List<Identity> owners) throws IOException;
  }

  /**
   * Verifies one snapshot. Damage is in the report; only a store that cannot be read is an
   * exception.
   */
  public VerificationReport verify(
      SnapshotList.Known snapshot, Verification depth, EpochKeys epochs, Freshness freshness)
      throws IOException {
    // The key comes first: without it a full verification is not begun.
    Optional<Identity> epoch =
        depth.depth() == Depth.FULL
            ? Optional.of(epochs.open(snapshot.entry(), depth.identities()))
            : Optional.empty();
    List<Finding> chain = snapshot.chainDamage();
    damage.addAll(chain);
    damage.addAll(staleness(depth, freshness));
    int known = damage.size();
    Set<ObjectRef> needed = needed(snapshot);
    verifyStored(needed);
    if (epoch.isPresent() && damage.size() == known) {
      verifyPlain(snapshot, epoch.get());
    }
    Verdict verdict = verdict(snapshot.summary());
    return new VerificationReport(
        snapshot.summary().id(),
        depth.depth(),
        verdict,
        objects,
        bytes,
        damage,
        List.of(freshness));
  }

  /** What the reader knows better than the store: heads that he saw, and how old all may be. */
  private List<Finding> staleness(Verification depth, Freshness freshness) throws IOException {
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

  private Verdict verdict(SnapshotSummary summary) {
    if (!damage.isEmpty()) {
      return Verdict.DAMAGED;
    }
    return summary.isAuthenticated() ? Verdict.INTACT : Verdict.INTACT_UNAUTHENTICATED;
  }

  /**
   * What it takes to restore it, and the writer's state as far as nobody let go of that: older
   * state is of no use.
   */
  private Set<ObjectRef> needed(SnapshotList.Known snapshot) throws IOException {
    SnapshotEntry entry = snapshot.entry();
    RetentionLog retention = repository.retention();
    Set<ObjectRef> needed = new LinkedHashSet<>();
    needed.add(entry.manifest());
    for (StateRef state : entry.state()) {
      if (!retention.isSwept(state.object())) {
        needed.add(state.object());
      }
    }
    for (SnapshotEntry.Part part : entry.parts()) {
      if (!snapshot.summary().retired().containsKey(part.header().source())) {
        for (ObjectRef list : part.lists()) {
          collect(list.toString(), () -> PackLists.read(repository.store(), list, needed::add));
          objects++;
          bytes += list.lengthBytes();
        }
      }
    }
    return needed;
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }

  private void collect(String subject, Step step) throws IOException {
    try {
      step.run();
    } catch (BackupException.Corrupt e) {
      damage.add(new Finding(e.code(), subject, e.detail()));
      damage.addAll(e.damage());
    }
  }

  private void verifyStored(Set<ObjectRef> needed) throws IOException {
    progress.begin("verify stored", needed.stream().mapToLong(ObjectRef::lengthBytes).sum());
    ArrayDeque<Reading> reading = new ArrayDeque<>();
    try {
      for (ObjectRef object : needed) {
        reading.add(new Reading(object, read(object)));
        while (reading.size() > context.parallelism()) {
          count(reading.remove());
        }
      }
      while (!reading.isEmpty()) {
        count(reading.remove());
      }
    } finally {
      // After a failure: nothing may read on once the caller thinks it is over.
      reading.forEach(r -> r.bytes().handle((read, failure) -> read).join());
    }
    progress.end();
  }

  private record Reading(ObjectRef object, CompletableFuture<Long> bytes) {}

  private CompletableFuture<Long> read(ObjectRef object) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return repository.store().verify(object, stopping);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        context.executor());
  }

  private void count(Reading reading) throws IOException {
    collect(
        reading.object().toString(),
        () -> {
          try {
            long read = reading.bytes().join();
            objects++;
            bytes += read;
            progress.add(read, 1);
          } catch (CompletionException e) {
            if (e.getCause() instanceof IOException io) {
              throw io;
            }
            throw e;
          }
        });
  }

  private void verifyPlain(SnapshotList.Known snapshot, Identity epoch) throws IOException {
    SnapshotReader reader =
        new SnapshotReader(context, repository.store(), snapshot, epoch, stopping);
    collect(
        snapshot.entry().manifest().toString(),
        () -> {
          List<CapturedSource> sources = reader.sources();
          progress.begin(
              "verify plain", sources.stream().mapToLong(s -> s.header().plainBytes()).sum());
          for (CapturedSource source : unretired(sources, snapshot.summary())) {
            for (CapturedArtifact artifact : source.artifacts()) {
              collect(
                  source.header().source() + "/" + artifact.name(),
                  () -> drain(reader.open(source.header().source(), artifact)));
            }
          }
          progress.end();
        });
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

  /** Everything that is wrong with a stream: its log, and the stored bytes of what it names. */
  public static List<Finding> checkStream(Repository repository, StreamLog log, StopSignal stopping)
      throws IOException {
    List<Finding> findings = new ArrayList<>(log.damage());
    for (StreamLog.Standing standing : log.entries()) {
      for (ObjectRef object : standing.entry().objects()) {
        try {
          repository.store().verify(object, stopping);
        } catch (BackupException.Corrupt e) {
          findings.add(new Finding(e.code(), object.toString(), e.detail()));
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
