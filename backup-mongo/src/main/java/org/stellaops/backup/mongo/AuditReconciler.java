package org.stellaops.backup.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.AuditReconciliation.ClockDisorder;
import org.stellaops.backup.mongo.AuditReconciliation.Kind;
import org.stellaops.backup.mongo.AuditReconciliation.Lost;
import org.stellaops.backup.mongo.AuditReconciliation.Orphans;
import org.stellaops.backup.mongo.AuditReconciliation.Span;
import org.stellaops.backup.mongo.AuditReconciliation.Verdict;
import org.stellaops.backup.mongo.internal.audit.LostEntries;
import org.stellaops.backup.mongo.internal.audit.ReferenceJoin;
import org.stellaops.backup.mongo.internal.audit.Trail;
import org.stellaops.backup.mongo.internal.audit.TrailTimes;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.Stopping;

/**
 * Holds an audit trail of a restored database to what it is about, and exports what only the old
 * system still knows. Writes to neither. A value; any thread.
 *
 * <pre>{@code
 * AuditReconciler.of(client, "issuer-directory", "issuer_audit", "at", "issuerId")
 *     .deletion("action", "deleted")
 *     .entities("issuers", "_id", "updatedAt")
 *     .lostFrom(oldClient, "issuer-directory", export)
 *     .between(backupBegan, backupTaken, restored, Stopping.never());
 * }</pre>
 *
 * <p>Collections are sorted by the server, which takes an index or, from version 4.4 on, its disk.
 */
public final class AuditReconciler {
  /** How far clocks of those who write entries may be apart. */
  private static final Duration SLACK = Duration.ofMinutes(5);

  private final RawDatabase database;
  private final Trail trail;
  private final @Nullable Old old;

  private AuditReconciler(RawDatabase database, Trail trail, @Nullable Old old) {
    this.database = database;
    this.trail = trail;
    this.old = old;
  }

  private record Old(RawDatabase database, OutputStream export) {}

  /**
   * A trail in a restored database. The client stays the caller's.
   *
   * @param collection of the entries
   * @param timeField date of an entry; a path with dots, as all fields here
   * @param referenceField id of what an entry is about
   */
  public static AuditReconciler of(
      MongoClient client, String db, String collection, String timeField, String referenceField) {
    return new AuditReconciler(
        new RawDatabase(client, db),
        new Trail(collection, timeField, referenceField, "", Set.of(), List.of()),
        null);
  }

  /** Which entries say that what they are about is gone. */
  public AuditReconciler deletion(String actionField, String... values) {
    return with(
        new Trail(
            trail.collection(),
            trail.timeField(),
            trail.referenceField(),
            actionField,
            Set.of(values),
            trail.entities()));
  }

  /** A collection that entries are about. */
  public AuditReconciler entities(String collection, String idField) {
    return entities(collection, idField, "");
  }

  /**
   * A collection that entries are about.
   *
   * @param changedField date of the last change of a document
   */
  public AuditReconciler entities(String collection, String idField, String changedField) {
    List<Trail.Entities> more = new ArrayList<>(trail.entities());
    more.add(new Trail.Entities(collection, idField, changedField));
    return with(
        new Trail(
            trail.collection(),
            trail.timeField(),
            trail.referenceField(),
            trail.actionField(),
            trail.deletions(),
            more));
  }

  /**
   * The old system, if it can still be reached: its entries that are not in the restored one are
   * exported, as lines of canonical Extended JSON, oldest first.
   *
   * @param export stays open
   */
  public AuditReconciler lostFrom(MongoClient client, String db, OutputStream export) {
    return new AuditReconciler(database, trail, new Old(new RawDatabase(client, db), export));
  }

  private AuditReconciler with(Trail other) {
    return new AuditReconciler(database, other, old);
  }

  /**
   * Looks at the window.
   *
   * @param from its beginning, when the backup began or earlier
   * @param cut when the backup was taken: nothing behind it was restored
   * @param now its end, when the restored system took over
   * @throws BackupException.Source if a database cannot be read
   */
  public AuditReconciliation between(Instant from, Instant cut, Instant now, Stopping stopping)
      throws IOException {
    if (cut.isBefore(from) || now.isBefore(cut)) {
      throw new IllegalArgumentException(
          "expected from, cut and now in this order: %s, %s, %s".formatted(from, cut, now));
    }
    try {
      TrailTimes.Found times = new TrailTimes(database, trail, from, cut, stopping).read();
      ReferenceJoin.Found join = new ReferenceJoin(database, trail, stopping).read();
      Optional<Lost> lost = lost(from, stopping);
      return new AuditReconciliation(
          database.name() + "." + trail.collection(),
          new Span(from, now),
          cut,
          times.entries(),
          times.inWindow(),
          Optional.ofNullable(times.first()),
          Optional.ofNullable(times.last()),
          span(times.gapFrom(), times.gapTo()),
          new Orphans(
              join.withoutEntity(), join.withoutEntry(), join.newerThanEntry(), join.named()),
          new ClockDisorder(times.undated(), times.behindCut(), times.backwards()),
          lost,
          verdict(times, join, lost, cut, now));
    } catch (MongoException e) {
      stopping.check();
      throw DriverErrors.source("reading the audit trail " + trail.collection(), e);
    }
  }

  private Optional<Lost> lost(Instant from, Stopping stopping) throws IOException {
    if (old == null) {
      return Optional.empty();
    }
    LostEntries.Written written =
        new LostEntries(database, trail, old.export(), stopping)
            .write(old.database(), from.minus(SLACK));
    return Optional.of(
        new Lost(written.count(), written.sha256(), span(written.first(), written.last())));
  }

  private static Optional<Span> span(@Nullable Instant from, @Nullable Instant to) {
    return from == null || to == null ? Optional.empty() : Optional.of(new Span(from, to));
  }

  private static Verdict verdict(
      TrailTimes.Found times,
      ReferenceJoin.Found join,
      Optional<Lost> lost,
      Instant cut,
      Instant now) {
    Instant last = times.last();
    Instant changed = join.newestChange();
    if (last == null) {
      return new Verdict(Kind.UNKNOWN, Optional.empty(), "the trail has no dated entry");
    }
    if (times.behindCut() > 0) {
      return new Verdict(
          Kind.UNKNOWN,
          Optional.empty(),
          "%d entries are of a time after the cut, so times cannot be relied upon"
              .formatted(times.behindCut()));
    }
    if (changed != null && changed.isAfter(last)) {
      return gap(last, changed, "something changed after the last entry");
    }
    if (join.withoutEntity() + join.withoutEntry() + join.newerThanEntry() > 0) {
      return gap(last, cut, "entries and what they are about do not fit each other");
    }
    if (lost.isEmpty() && cut.isBefore(now)) {
      return gap(cut, now, "what was written after the cut is not known");
    }
    return new Verdict(
        Kind.COVERED,
        Optional.empty(),
        lost.map(l -> l.count() + " entries that were lost are exported").orElse("up to the cut"));
  }

  private static Verdict gap(Instant from, Instant to, String why) {
    return new Verdict(
        Kind.GAP, Optional.of(new Span(from, to)), "%s: %s to %s".formatted(why, from, to));
  }
}
