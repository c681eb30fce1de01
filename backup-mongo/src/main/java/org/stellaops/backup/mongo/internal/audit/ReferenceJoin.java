package org.stellaops.backup.mongo.internal.audit;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.Stopping;

/**
 * Entries beside what they are about: both sorted by id, and read once. In memory is one document
 * of each collection, and the first that do not fit.
 */
public final class ReferenceJoin {
  private static final int MAX_NAMED = 20;

  private final RawDatabase database;
  private final Trail trail;
  private final Stopping stopping;
  private final List<String> named = new ArrayList<>();
  private long withoutEntity;
  private long withoutEntry;
  private long newerThanEntry;
  private @Nullable Instant newestChange;

  /** Of a client that outlives this. */
  public ReferenceJoin(RawDatabase database, Trail trail, Stopping stopping) {
    this.database = database;
    this.trail = trail;
    this.stopping = stopping;
  }

  /**
   * What was found.
   *
   * @param withoutEntity ids with entries, the last of them no deletion, that nothing has
   * @param withoutEntry things that no entry is about
   * @param newerThanEntry things that changed after the last entry about them
   * @param named the first of all those, in words
   * @param newestChange date of the last change of anything
   */
  public record Found(
      long withoutEntity,
      long withoutEntry,
      long newerThanEntry,
      List<String> named,
      @Nullable Instant newestChange) {
    public Found {
      named = List.copyOf(named);
    }
  }

  /** Reads everything once. */
  public Found read() throws IOException {
    List<SortedDocuments> entities = new ArrayList<>();
    try (SortedDocuments entries =
        new SortedDocuments(
            database, trail.collection(), trail.referenceField(), trail.timeField(), stopping)) {
      for (Trail.Entities of : trail.entities()) {
        entities.add(new SortedDocuments(database, of.collection(), of.idField(), "", stopping));
      }
      for (BsonValue id = smallest(entries, entities);
          id != null;
          id = smallest(entries, entities)) {
        join(id, entries, entities);
      }
    } finally {
      entities.forEach(SortedDocuments::close);
    }
    return new Found(withoutEntity, withoutEntry, newerThanEntry, named, newestChange);
  }

  private static @Nullable BsonValue smallest(
      SortedDocuments entries, List<SortedDocuments> entities) {
    BsonValue smallest = entries.current() == null ? null : entries.key();
    for (SortedDocuments of : entities) {
      boolean isSmaller =
          of.current() != null
              && (smallest == null || IdOrder.INSTANCE.compare(of.key(), smallest) < 0);
      smallest = isSmaller ? of.key() : smallest;
    }
    return smallest;
  }

  private void join(BsonValue id, SortedDocuments entries, List<SortedDocuments> entities)
      throws IOException {
    RawBsonDocument lastEntry = null;
    while (entries.current() != null && isSame(entries.key(), id)) {
      lastEntry = entries.current();
      entries.advance();
    }
    boolean isThere = false;
    for (int i = 0; i < entities.size(); i++) {
      SortedDocuments of = entities.get(i);
      while (of.current() != null && isSame(of.key(), id)) {
        isThere = true;
        judge(trail.entities().get(i), of, id, lastEntry);
        of.advance();
      }
    }
    if (lastEntry != null && !isThere && !id.isNull() && !trail.isDeletion(lastEntry)) {
      withoutEntity += name("entry about %s, which is not there".formatted(Fields.shown(id)));
    }
  }

  private static boolean isSame(BsonValue a, BsonValue b) {
    return IdOrder.INSTANCE.compare(a, b) == 0;
  }

  private void judge(
      Trail.Entities kind, SortedDocuments of, BsonValue id, @Nullable RawBsonDocument lastEntry) {
    RawBsonDocument entity = of.current();
    Optional<Instant> changed =
        kind.changedField().isEmpty() || entity == null
            ? Optional.empty()
            : Fields.time(entity, kind.changedField());
    changed.ifPresent(
        c -> newestChange = newestChange == null || c.isAfter(newestChange) ? c : newestChange);
    if (lastEntry == null) {
      withoutEntry += name("%s %s has no entry".formatted(of.collection(), Fields.shown(id)));
      return;
    }
    Optional<Instant> noted = Fields.time(lastEntry, trail.timeField());
    if (changed.isPresent() && noted.isPresent() && changed.get().isAfter(noted.get())) {
      newerThanEntry +=
          name(
              "%s %s changed at %s, its last entry is of %s"
                  .formatted(of.collection(), Fields.shown(id), changed.get(), noted.get()));
    }
  }

  private int name(String what) {
    if (named.size() < MAX_NAMED) {
      named.add(what);
    }
    return 1;
  }
}
