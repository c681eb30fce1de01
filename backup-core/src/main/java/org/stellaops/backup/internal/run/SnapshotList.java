package org.stellaops.backup.internal.run;

import static java.util.Comparator.naturalOrder;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.internal.repository.SnapshotEntry;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SnapshotSummary.VerificationRecord;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.SnapshotFilter;

/**
 * The snapshots of a repository as its logs tell them: no key, no manifest, no local state needed.
 */
public final class SnapshotList {
  private final List<Known> snapshots;
  private final List<Known> retired;
  private final List<LogView> logs;
  private final boolean isPinned;

  private SnapshotList(
      List<Known> snapshots, List<Known> retired, List<LogView> logs, boolean isPinned) {
    this.snapshots = snapshots;
    this.retired = retired;
    this.logs = logs;
    this.isPinned = isPinned;
  }

  /**
   * A snapshot and where it stands.
   *
   * @param summary for callers
   * @param signed its entry
   * @param log the log it stands in
   */
  public record Known(SnapshotSummary summary, Entry signed, LogView log) {
    /** What it says in clear; read when it is asked for, as it is long and there are many. */
    public SnapshotEntry entry() {
      try {
        return SnapshotEntry.of(signed);
      } catch (BackupException e) {
        throw new AssertionError("it could be read when it was listed: " + signed, e);
      }
    }

    /** Whether everything of it was let go. */
    public boolean isRetired() {
      return summary.captures().isEmpty() && !summary.retired().isEmpty();
    }

    /**
     * What is wrong with the chain that leads to it. An entry of a newer format is not: it is
     * chained like any other, we only cannot read it.
     */
    List<Finding> chainDamage() {
      return log.damage().stream()
          .filter(f -> f.code() != CoreFailure.UNSUPPORTED_FORMAT)
          .filter(f -> Names.slot(f.subject()).orElse(Long.MAX_VALUE) <= summary.sequence())
          .toList();
    }
  }

  /** Reads every log but those of streams. */
  public static SnapshotList read(Repository repository) throws IOException {
    List<LogView> views =
        HeadWitnesses.compared(
            repository.views(), repository.isPinned(), repository.role(), repository::knows);
    VerificationLog verified = VerificationLog.read(views);
    RetentionLog retention = retention(repository, views);
    List<Known> snapshots = new ArrayList<>();
    List<LogView> logs = new ArrayList<>();
    for (LogView view : views) {
      List<Finding> damage = new ArrayList<>(view.damage());
      Predicate<String> isOfWriter = isOfWriter(repository, view);
      for (LogView.Standing standing : view.entries()) {
        if (SnapshotEntry.isSnapshot(standing.entry())) {
          add(standing, view, retention, d -> verified.of(d, isOfWriter), snapshots, damage);
        }
      }
      if (view.log().equals(Names.RETENTION)) {
        retention.damage().stream().filter(f -> !view.damage().contains(f)).forEach(damage::add);
      }
      logs.add(view.with(damage, view.isHeadSound()));
    }
    snapshots.sort(
        Comparator.comparing((Known k) -> k.summary().time())
            .thenComparing(k -> k.summary().sequence())
            .reversed());
    return new SnapshotList(
        snapshots.stream().filter(k -> !k.isRetired()).toList(),
        snapshots.stream().filter(Known::isRetired).toList(),
        List.copyOf(logs),
        repository.isPinned());
  }

  private static RetentionLog retention(Repository repository, List<LogView> views)
      throws IOException {
    for (LogView view : views) {
      if (view.log().equals(Names.RETENTION)) {
        return repository.retention(view);
      }
    }
    return repository.retention();
  }

  /** Those who signed in a log, keys that were replaced among them, and who may. */
  private static Predicate<String> isOfWriter(Repository repository, LogView view) {
    Set<String> signers =
        view.entries().stream().map(s -> s.entry().publicKey()).collect(Collectors.toSet());
    return key -> signers.contains(key) || repository.isPinned(view.log(), key);
  }

  private static void add(
      LogView.Standing standing,
      LogView view,
      RetentionLog retention,
      Function<Digest, List<VerificationRecord>> verified,
      List<Known> snapshots,
      List<Finding> damage) {
    Entry entry = standing.entry();
    try {
      SnapshotEntry.Outline snapshot = SnapshotEntry.outline(entry);
      Digest digest = entry.digest();
      Map<SourceName, String> gone =
          retention.retired(
              entry, snapshot.captures().stream().map(CaptureHeader::source).toList());
      snapshots.add(
          new Known(
              summary(standing, snapshot, digest, gone, verified.apply(digest)), entry, view));
    } catch (BackupException e) {
      damage.add(new Finding(e.code(), entry.objectName(), e.detail()));
    }
  }

  private static SnapshotSummary summary(
      LogView.Standing standing,
      SnapshotEntry.Outline snapshot,
      Digest digest,
      Map<SourceName, String> retired,
      List<VerificationRecord> verifications) {
    return new SnapshotSummary(
        snapshot.id(),
        snapshot.name(),
        snapshot.plan(),
        standing.entry().log(),
        standing.entry().sequence(),
        digest,
        snapshot.time(),
        snapshot.outcome(),
        snapshot.planned(),
        snapshot.captures().stream().filter(h -> !retired.containsKey(h.source())).toList(),
        retired,
        standing.isTrusted(),
        verifications);
  }

  /** All of them, newest first. */
  public List<Known> all() {
    return snapshots;
  }

  /** Those that were let go as a whole, newest first. */
  public List<Known> retired() {
    return retired;
  }

  /** The snapshot of this id, whether or not it was let go: others may build on it. */
  Known requireAny(SnapshotId id) throws BackupException {
    List<Known> gone =
        retired.stream()
            .filter(k -> k.summary().id().equals(id))
            .filter(k -> !isPinned || k.summary().isAuthenticated())
            .toList();
    return gone.size() == 1 ? gone.get(0) : require(id);
  }

  /** Every log that was read, with its damage. */
  public List<LogView> logs() {
    return logs;
  }

  /** Snapshots, those of one writer behind another's: of few writers it is remembered what went. */
  static List<Known> byWriter(List<Known> snapshots) {
    return snapshots.stream().sorted(Comparator.comparing(k -> k.log().log())).toList();
  }

  /** Those that pass the filter, newest first. */
  public List<Known> matching(SnapshotFilter filter, Instant now) throws BackupException {
    Optional<String> component = filter.component();
    if (component.isPresent() && snapshots.stream().noneMatch(k -> holds(k, component.get()))) {
      List<String> known =
          snapshots.stream()
              .flatMap(k -> k.summary().captures().stream())
              .map(c -> c.component() + "/" + c.source())
              .distinct()
              .sorted()
              .toList();
      throw new BackupException.Refused(
          CoreFailure.NOT_FOUND,
          "no snapshot holds '%s'; there are %s".formatted(component.get(), known));
    }
    return snapshots.stream()
        .filter(k -> !k.summary().time().isBefore(filter.notBefore(now)))
        .filter(k -> component.isEmpty() || holds(k, component.get()))
        .filter(k -> filter.plan().isEmpty() || k.summary().plan().equals(filter.plan().get()))
        .filter(k -> !filter.isWholeOnly() || k.summary().isWhole())
        .filter(k -> !filter.isUnverifiedOnly() || !isVerified(k))
        .toList();
  }

  private static boolean holds(Known known, String componentOrSource) {
    return captures(known, componentOrSource).findAny().isPresent();
  }

  private static Stream<CaptureHeader> captures(Known known, String componentOrSource) {
    return known.summary().captures().stream()
        .filter(
            c ->
                c.component().value().equals(componentOrSource)
                    || c.source().value().equals(componentOrSource)
                    || (c.component() + "/" + c.source()).equals(componentOrSource));
  }

  private static boolean isGood(Known known, Optional<String> holding) {
    SnapshotSummary summary = known.summary();
    if (holding.isEmpty()) {
      return summary.isWhole() && summary.outcome() == Outcome.GOOD;
    }
    String wanted = holding.get();
    return holds(known, wanted)
        && captures(known, wanted).allMatch(c -> c.outcome() == Outcome.GOOD)
        && summary.plannedSources().keySet().stream()
            .filter(component -> component.value().equals(wanted))
            .allMatch(summary::isWhole);
  }

  private static boolean isVerified(Known known) {
    return known
        .summary()
        .verification()
        .filter(v -> v.verdict() == Verdict.INTACT || v.verdict() == Verdict.INTACT_UNAUTHENTICATED)
        .isPresent();
  }

  /**
   * The snapshot that is meant.
   *
   * @throws BackupException.Refused NOT_FOUND with the nearest names, or AMBIGUOUS
   */
  public Known require(SnapshotRef ref) throws BackupException {
    List<Known> matches = find(ref);
    if (matches.isEmpty() && !meant(ref, snapshots).isEmpty()) {
      throw new BackupException.Corrupt(
          CoreFailure.UNTRUSTED_WRITER,
          "snapshot '%s' stands in the log %s, for which no key is pinned"
              .formatted(ref, meant(ref, snapshots).get(0).summary().writer()));
    }
    if (matches.size() > 1) {
      throw new BackupException.Refused(
          CoreFailure.AMBIGUOUS,
          "'%s' could be any of %s; hint: name it by its id"
              .formatted(
                  ref,
                  matches.stream()
                      .map(k -> k.summary().writer() + "/" + k.summary().id())
                      .toList()));
    }
    if (matches.isEmpty() && !(ref instanceof SnapshotRef.Newest)) {
      requireNotRetired(ref);
    }
    if (matches.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.NOT_FOUND,
          "there is no snapshot '%s'; nearest: %s".formatted(ref, nearest(ref)));
    }
    return matches.get(0);
  }

  private void requireNotRetired(SnapshotRef ref) throws BackupException {
    if (ref instanceof SnapshotRef.Reaching) {
      return;
    }
    for (Known gone : meant(ref, retired)) {
      throw new BackupException.Refused(
          CoreFailure.RETIRED,
          "snapshot '%s' was retired: %s; hint: until it is swept it can be recalled"
              .formatted(ref, gone.summary().retired()));
    }
  }

  /**
   * The snapshots that a reference can mean: none, one, or of several writers. Where a reader has
   * pinned writers, whoever can write to the store must not be able to slip in another "newest", or
   * a second of the same name: only the pinned ones' are meant.
   */
  public List<Known> find(SnapshotRef ref) {
    return meant(ref, believed());
  }

  /** Where a reader has pinned writers only theirs, newest first. */
  List<Known> believed() {
    return isPinned
        ? snapshots.stream().filter(k -> k.summary().isAuthenticated()).toList()
        : snapshots;
  }

  /**
   * The snapshots from which a point may be reached, newest first: those in which everything that
   * is wanted is good, and that reach no farther than the point themselves, as far as can be told.
   *
   * @param only what is wanted: sources or components; empty means everything
   */
  List<Known> reaching(RecoveryPoint point, List<String> only) {
    return reaching(point, only, believed());
  }

  private static List<Known> reaching(
      RecoveryPoint point, List<String> only, List<Known> snapshots) {
    return snapshots.stream()
        .filter(k -> isGoodFor(k, only))
        .filter(k -> mayLeadTo(k, point, only))
        .toList();
  }

  /** What to tell somebody who wants to go back too far. */
  String earliest(List<String> only) {
    return believed().stream()
        .filter(k -> isGoodFor(k, only))
        .flatMap(k -> spans(k, only).map(CaptureSpan::recoverableFrom).max(naturalOrder()).stream())
        .min(naturalOrder())
        .map(earliest -> "the earliest that can be reached is " + earliest)
        .orElse("none has a history that could be replayed");
  }

  private static boolean isGoodFor(Known known, List<String> only) {
    return only.isEmpty()
        ? isGood(known, Optional.empty())
        : only.stream().allMatch(wanted -> isGood(known, Optional.of(wanted)));
  }

  /** Of the captures that are wanted. */
  private static Stream<CaptureSpan> spans(Known known, List<String> only) {
    Stream<CaptureHeader> wanted =
        only.isEmpty()
            ? known.summary().captures().stream()
            : only.stream().flatMap(w -> captures(known, w)).distinct();
    return wanted.flatMap(c -> c.span().stream());
  }

  private static boolean mayLeadTo(Known known, RecoveryPoint point, List<String> only) {
    List<CaptureSpan> spans = spans(known, only).toList();
    return !spans.isEmpty() && spans.stream().allMatch(span -> mayLeadTo(span, point));
  }

  private static boolean mayLeadTo(CaptureSpan span, RecoveryPoint point) {
    if (point instanceof RecoveryPoint.AtTime at) {
      return !at.time().isBefore(span.recoverableFrom());
    }
    return !(point instanceof RecoveryPoint.AtPosition at)
        || Long.compareUnsigned(span.end().offset(), at.offset()) <= 0;
  }

  private static List<Known> meant(SnapshotRef ref, List<Known> snapshots) {
    if (ref instanceof SnapshotId id) {
      return snapshots.stream().filter(k -> k.summary().id().equals(id)).toList();
    }
    if (ref instanceof SnapshotRef.Named named) {
      return snapshots.stream().filter(k -> k.summary().name().equals(named.name())).toList();
    }
    if (ref instanceof SnapshotRef.Reaching reaching) {
      return reaching(reaching.point(), List.of(), snapshots).stream().limit(1).toList();
    }
    SnapshotRef.Newest newest = (SnapshotRef.Newest) ref;
    return snapshots.stream()
        .filter(k -> isGood(k, newest.holding()))
        .filter(k -> newest.quality() == SnapshotRef.Quality.GOOD || isVerified(k))
        .limit(1)
        .toList();
  }

  private List<String> nearest(SnapshotRef ref) {
    String wanted = ref.toString();
    return snapshots.stream()
        .map(k -> k.summary().name().value())
        .distinct()
        .sorted(Comparator.comparingInt(n -> distance(wanted, n)))
        .limit(3)
        .toList();
  }

  /** Levenshtein distance. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substitution, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
