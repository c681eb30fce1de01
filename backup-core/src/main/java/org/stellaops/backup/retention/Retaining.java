package org.stellaops.backup.retention;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.retention.PrunePreview.Row;
import org.stellaops.backup.spi.RetentionPolicy;

/**
 * Decides what to keep of a history: what the policies keep, what is held, the safety floor, and
 * what all of these need. A value that computes and deletes nothing.
 *
 * <p>Policies see the captures of one source of one writer, so nothing that another writer commits
 * is ever a reason to release one. What no pinned key signed is a reason for nothing, and goes only
 * by name. A capture that somebody found damaged is decided upon as if it were sound, and the
 * others as if it were not there: a report of damage never releases anything.
 */
public final class Retaining {
  private final History history;
  private final RetentionRules rules;
  private final Map<SnapshotId, String> allowed;
  private final Captures captures;
  private final Dependencies dependencies;

  private Retaining(
      History history, RetentionRules rules, Map<SnapshotId, String> allowed, Captures captures) {
    this.history = history;
    this.rules = rules;
    this.allowed = allowed;
    this.captures = captures;
    this.dependencies = new Dependencies(captures, history);
  }

  /** What the rules decide. */
  public static PrunePreview decide(History history, RetentionRules rules) {
    return of(history, rules).decide();
  }

  /** For decisions beyond the rules; their minimum age holds for all. */
  public static Retaining of(History history, RetentionRules rules) {
    return new Retaining(history, rules, Map.of(), Captures.of(history));
  }

  /**
   * Lets a snapshot go though it is the last good one, or the last that another verified, and
   * builds the floor on the others. What is held, young or needed stays all the same.
   *
   * @param reason why it is known to be worthless; not blank; recorded with its release
   * @throws BackupException.Refused NOT_FOUND or AMBIGUOUS
   */
  public Retaining allowLastGood(SnapshotId snapshot, String reason) throws BackupException {
    if (reason.isBlank()) {
      throw new IllegalArgumentException("releasing the last good one needs a reason: " + snapshot);
    }
    requireOne(snapshot);
    Map<SnapshotId, String> more = new TreeMap<>(allowed);
    more.put(snapshot, reason);
    return new Retaining(history, rules, more, captures);
  }

  private void requireOne(SnapshotId snapshot) throws BackupException {
    List<String> found =
        history.snapshots().stream()
            .filter(s -> s.id().equals(snapshot))
            .map(s -> s.writer() + "/" + s.sequence())
            .toList();
    if (found.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.NOT_FOUND, "there is no snapshot '%s' to release".formatted(snapshot));
    }
    if (found.size() > 1) {
      throw new BackupException.Refused(
          CoreFailure.AMBIGUOUS,
          "'%s' could be any of %s; found in %d logs, expected one"
              .formatted(snapshot, found, found.size()));
    }
  }

  /** What the rules decide. */
  public PrunePreview decide() {
    Keeping keeping = kept(rules);
    return preview(keeping, c -> "kept by no rule: " + policy(rules, c).describe());
  }

  /**
   * Releases what is older than this, whatever the rules keep; the floor, what is held and what is
   * needed stay.
   */
  public PrunePreview olderThan(Duration age) {
    Keeping keeping = kept(rules.only(Retention.keepFor(age)));
    return preview(keeping, c -> "older than " + Retention.text(age));
  }

  /**
   * For a store that is full: releases, oldest first, what is not among the newest good captures of
   * its source, until so much was stored for what is released, or until all is said. How much of
   * that is shared with what stays is not known here.
   *
   * @param good how many good captures stay of each source, at least 1
   * @param bytesToFree when to stop, at least 1; {@link Long#MAX_VALUE} for never
   */
  public PrunePreview keepLast(int good, long bytesToFree) {
    if (bytesToFree < 1) {
      throw new IllegalArgumentException("bytes to free must be 1 or more, found " + bytesToFree);
    }
    Keeping keeping = kept(rules.only(Retention.keepLast(good)));
    new FullStore(captures, dependencies).keepBeyond(bytesToFree, keeping);
    return preview(keeping, c -> "not among the newest " + good + " good, and the store is full");
  }

  /**
   * Releases snapshots by name, of pinned writers or not, and nothing else.
   *
   * @param reason why; not blank; recorded with the release
   * @throws BackupException.Refused SAFETY_FLOOR naming everything that has to stay and why, if
   *     anything of them has to
   */
  public PrunePreview release(Collection<SnapshotId> snapshots, String reason)
      throws BackupException {
    if (reason.isBlank() || snapshots.isEmpty()) {
      throw new IllegalArgumentException("a release by name needs a name and a reason");
    }
    for (SnapshotId snapshot : snapshots) {
      requireOne(snapshot);
    }
    Set<SnapshotId> named = new HashSet<>(snapshots);
    Keeping keeping = new Keeping();
    captures.all().stream()
        .filter(c -> !named.contains(c.snapshot().id()))
        .forEach(c -> keeping.keep(c, "not named"));
    keepRegardless(keeping);
    requireReleased(named, keeping);
    return preview(keeping, c -> "released by name: " + reason);
  }

  private void requireReleased(Set<SnapshotId> named, Keeping keeping) throws BackupException {
    List<Finding> stay = new ArrayList<>();
    for (Capture capture : captures.all()) {
      if (named.contains(capture.snapshot().id()) && keeping.keeps(capture)) {
        stay.add(
            new Finding(
                CoreFailure.SAFETY_FLOOR,
                capture.toString(),
                String.join("; ", keeping.reasons(capture))));
      }
    }
    if (!stay.isEmpty()) {
      throw new BackupException.Refused(
          CoreFailure.SAFETY_FLOOR,
          "release of %s: it would take what has to stay: %s; hint: only allowLastGood(snapshot, reason) releases the last good one"
              .formatted(new TreeSet<>(named), stay),
          stay);
    }
  }

  private Keeping kept(RetentionRules by) {
    Keeping keeping = new Keeping();
    Captures.by(Series::of, captures.counted()).values().forEach(s -> keepByPolicy(s, by, keeping));
    captures.all().stream()
        .filter(c -> !c.counts())
        .forEach(c -> keeping.keep(c, "no pinned key signed it: released by name only"));
    keepRegardless(keeping);
    return keeping;
  }

  private void keepByPolicy(List<Capture> series, RetentionRules by, Keeping keeping) {
    RetentionPolicy policy = policy(by, series.get(0));
    List<Capture> sound = series.stream().filter(c -> !c.snapshot().isReportedDamaged()).toList();
    keepByPolicy(series, policy, keeping);
    if (sound.size() < series.size()) {
      keepByPolicy(sound, policy, keeping);
    }
  }

  private void keepByPolicy(List<Capture> series, RetentionPolicy policy, Keeping keeping) {
    List<CaptureHeader> headers = series.stream().map(Capture::header).toList();
    Map<SnapshotId, List<String>> kept = policy.decide(headers, history.now()).kept();
    for (Capture capture : series) {
      List<String> reasons = kept.get(capture.snapshot().id());
      if (reasons != null) {
        reasons.forEach(reason -> keeping.keep(capture, reason));
      }
    }
  }

  private static RetentionPolicy policy(RetentionRules rules, Capture capture) {
    return rules.policy(capture.header().source(), capture.header().component());
  }

  private void keepRegardless(Keeping keeping) {
    Set<Capture> mayGo = new HashSet<>();
    captures.all().stream().filter(c -> allowed.containsKey(c.snapshot().id())).forEach(mayGo::add);
    new Floor(captures, history, rules, mayGo).keepIn(keeping);
    dependencies.keepIn(keeping);
  }

  @FunctionalInterface
  private interface Why {
    String of(Capture released);
  }

  private PrunePreview preview(Keeping keeping, Why why) {
    List<Row> rows = new ArrayList<>();
    for (Capture c : captures.all()) {
      boolean isKept = keeping.keeps(c);
      List<String> reasons = isKept ? keeping.reasons(c) : released(c, why.of(c));
      rows.add(
          new Row(c.snapshot().name(), c.log(), c.snapshot().entry(), c.header(), isKept, reasons));
    }
    return PrunePreview.of(history.now(), rows, Clocks.blockers(history, captures));
  }

  private List<String> released(Capture capture, String why) {
    String last = allowed.get(capture.snapshot().id());
    return last == null ? List.of(why) : List.of(why, "allowed as the last good: " + last);
  }
}
