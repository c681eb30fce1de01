package org.stellaops.backup.mongo;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;

/**
 * What an audit trail says about a restored database, and what it does not.
 *
 * @param collection of the entries, with its database
 * @param window from the beginning of what was asked to the end of it
 * @param cut when the backup was taken
 * @param entries of the whole trail
 * @param entriesInWindow from the window's beginning to the cut
 * @param first time of the oldest entry
 * @param last time of the newest entry
 * @param largestGap between two entries, the later of them in the window
 * @param orphans entries and things that do not fit each other
 * @param clock entries whose times cannot be right
 * @param lost what the old system has and this one has not; empty if it was not asked
 * @param verdict what it comes to
 */
public record AuditReconciliation(
    String collection,
    Span window,
    Instant cut,
    long entries,
    long entriesInWindow,
    Optional<Instant> first,
    Optional<Instant> last,
    Optional<Span> largestGap,
    Orphans orphans,
    ClockDisorder clock,
    Optional<Lost> lost,
    Verdict verdict) {
  /** A stretch of time. */
  public record Span(Instant from, Instant to) {}

  /**
   * What does not fit.
   *
   * @param entriesWithoutEntity ids that entries are about, none of them a deletion at last, and
   *     that nothing has
   * @param entitiesWithoutEntry things that no entry is about
   * @param entitiesNewerThanEntry things that changed after the last entry about them
   * @param named the first of them, in words
   */
  public record Orphans(
      long entriesWithoutEntity,
      long entitiesWithoutEntry,
      long entitiesNewerThanEntry,
      List<String> named) {
    public Orphans {
      named = List.copyOf(named);
    }

    /** All of them. */
    public long count() {
      return entriesWithoutEntity + entitiesWithoutEntry + entitiesNewerThanEntry;
    }
  }

  /**
   * Times that cannot be right.
   *
   * @param undated entries without a date
   * @param afterCut entries of a time after the backup was taken
   * @param backwards entries that are older than one that was written before them, by {@code _id}
   */
  public record ClockDisorder(long undated, long afterCut, long backwards) {
    /** Whether there is any. */
    public boolean isPresent() {
      return undated + afterCut + backwards > 0;
    }
  }

  /**
   * Entries that only the old system has, exported.
   *
   * @param count of lines
   * @param sha256 of the export
   * @param span of their times; empty if there are none
   */
  public record Lost(long count, Digest sha256, Optional<Span> span) {}

  /**
   * What it comes to.
   *
   * @param kind in one word
   * @param gap what is not covered; empty unless the kind is GAP
   * @param why in words
   */
  public record Verdict(Kind kind, Optional<Span> gap, String why) {}

  /** What a trail can come to. */
  public enum Kind {
    /** Every change in the window has its entry, here or in the export. */
    COVERED,
    /** A stretch of time has none. */
    GAP,
    /** It cannot be said. */
    UNKNOWN
  }

  /** What somebody should look at. */
  public List<Finding> findings() {
    List<Finding> findings = new ArrayList<>();
    if (verdict.kind() != Kind.COVERED) {
      findings.add(
          new Finding(
              verdict.kind() == Kind.GAP ? MongoFailure.AUDIT_GAP : MongoFailure.NOT_CHECKED,
              collection,
              verdict.why()));
    }
    orphans.named().forEach(n -> findings.add(new Finding(MongoFailure.AUDIT_GAP, collection, n)));
    if (clock.isPresent()) {
      findings.add(
          new Finding(
              MongoFailure.AUDIT_CLOCK,
              collection,
              "%d entries without a date, %d after the cut, %d older than one written before"
                  .formatted(clock.undated(), clock.afterCut(), clock.backwards())));
    }
    return findings;
  }
}
