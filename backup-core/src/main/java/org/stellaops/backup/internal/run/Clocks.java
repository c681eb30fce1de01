package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.retention.Retimed;

/** Compares the clocks of writers, of the store and of whoever deletes by age. */
final class Clocks {
  static final String RETIME = "retime";
  private static final Duration TOLERANCE = Duration.ofMinutes(15);
  private static final Pattern ACCEPTED =
      Pattern.compile("([a-z0-9][a-z0-9._-]{0,119})/([1-9][0-9]{0,9}) ([0-9a-f]{64})");

  private final Repository repository;
  private final Instant now;

  Clocks(Repository repository, Instant now) {
    this.repository = repository;
    this.now = now;
  }

  /**
   * Where times contradict each other; where the reader has pinned anybody, only those that such a
   * key signed. Stores nothing.
   */
  List<Finding> ofWriters(List<LogView> logs) throws IOException {
    Map<String, Long> accepted = accepted(logs);
    List<Finding> findings = new ArrayList<>();
    for (LogView log : logs) {
      if (Names.isWriter(log.log())) {
        check(log, accepted.getOrDefault(log.log(), 0L), findings);
      }
    }
    return findings;
  }

  private void check(LogView log, long accepted, List<Finding> findings) throws IOException {
    List<Entry> entries =
        log.entries().stream()
            .filter(s -> s.isTrusted() || !repository.isPinned())
            .map(Standing::entry)
            .toList();
    Instant before = Instant.MIN;
    for (Entry entry : entries) {
      if (entry.sequence() > accepted) {
        if (isAhead(before, entry.time())) {
          found(entry, "says %s, an entry before it %s".formatted(entry.time(), before), findings);
        }
        if (isAhead(entry.time(), now)) {
          // Without what it is now: who is asked again a second later is told the same.
          found(
              entry, "says %s, which is ahead of the clock here".formatted(entry.time()), findings);
        }
      }
      before = entry.sequence() < accepted ? Instant.MIN : later(before, entry.time());
    }
    if (!entries.isEmpty()) {
      compareWithStore(entries.get(entries.size() - 1), accepted, findings);
    }
  }

  /** By more than is tolerated; whatever the two say, nothing overflows. */
  private static boolean isAhead(Instant one, Instant other) {
    return Duration.between(other, one).compareTo(TOLERANCE) > 0;
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }

  private void compareWithStore(Entry newest, long accepted, List<Finding> findings)
      throws IOException {
    ObjectName name = StoreAccess.entry(newest.log(), newest.sequence());
    Optional<Instant> stored = repository.store().storedAt(name);
    if (stored.isPresent()
        && isAhead(newest.time(), stored.get())
        && newest.sequence() > accepted) {
      found(
          newest,
          "says %s, the store took it at %s".formatted(newest.time(), stored.get()),
          findings);
    }
  }

  private static void found(Entry entry, String what, List<Finding> findings) {
    findings.add(new Finding(CoreFailure.CLOCK_UNSOUND, entry.objectName(), what));
  }

  /**
   * Of the snapshots whose times were accepted those that ran ahead of what was committed after
   * them, or of us: each counts as begun when the next one was.
   */
  List<Retimed> retimed(SnapshotList list) {
    Map<String, Long> accepted = accepted(list.logs());
    Map<String, Instant> later = new HashMap<>();
    List<Retimed> retimed = new ArrayList<>();
    List<SnapshotSummary> newestFirst =
        list.all().stream()
            .map(SnapshotList.Known::summary)
            .sorted(Comparator.comparingLong(SnapshotSummary::sequence).reversed())
            .toList();
    for (SnapshotSummary snapshot : newestFirst) {
      Instant limit = later.getOrDefault(snapshot.writer(), now);
      boolean isAhead = snapshot.time().isAfter(limit);
      if (isAhead && snapshot.sequence() <= accepted.getOrDefault(snapshot.writer(), 0L)) {
        retimed.add(new Retimed(snapshot.writer(), snapshot.sequence(), limit));
      }
      later.put(snapshot.writer(), isAhead ? limit : snapshot.time());
    }
    return retimed;
  }

  /** Compares our clock with the store's, where that has one. */
  Optional<Finding> ofStore(String nonce) throws IOException {
    return repository
        .store()
        .now(nonce)
        .filter(s -> Duration.between(s, now).abs().compareTo(TOLERANCE) > 0)
        .map(
            s ->
                new Finding(
                    CoreFailure.CLOCK_UNSOUND,
                    "clock",
                    "here it is %s, in the store %s".formatted(now, s)));
  }

  /** Up to which entry of a log the times were accepted as they are. */
  private Map<String, Long> accepted(List<LogView> logs) {
    Map<String, Long> accepted = new HashMap<>();
    for (LogView admin : logs) {
      for (Standing standing : admin.log().equals(Names.ADMIN) ? admin.entries() : NONE) {
        if (standing.entry().kind().equals(RETIME)
            && (standing.isTrusted() || !repository.isPinned())) {
          for (String field : standing.entry().fields(RETIME)) {
            accept(field, logs, accepted);
          }
        }
      }
    }
    return accepted;
  }

  private static final List<Standing> NONE = List.of();

  private static void accept(String field, List<LogView> logs, Map<String, Long> accepted) {
    Matcher match = ACCEPTED.matcher(field);
    if (!match.matches()) {
      return;
    }
    long sequence = Long.parseLong(match.group(2));
    boolean isThere =
        logs.stream()
            .filter(l -> l.log().equals(match.group(1)))
            .flatMap(l -> l.entries().stream())
            .anyMatch(
                s ->
                    s.entry().sequence() == sequence
                        && s.entry().digest().hex().equals(match.group(3)));
    if (isThere) {
      accepted.merge(match.group(1), sequence, Math::max);
    }
  }
}
