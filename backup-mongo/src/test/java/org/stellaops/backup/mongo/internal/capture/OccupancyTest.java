package org.stellaops.backup.mongo.internal.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Tally;

class OccupancyTest {
  private static final CollectionSpec KEYS = spec("keys", "{}");
  private static final CollectionSpec AUDIT = spec("audit", "{}");
  private static final Occupancy BEFORE =
      occupancy(100, Map.of("keys", 3L, "audit", 5L), KEYS, AUDIT);

  @Test
  void a_quiet_database_has_not_changed() {
    assertEquals(List.of(), BEFORE.changes(BEFORE, read(3, 5)));
  }

  @Test
  void counts_before_while_and_after_reading_are_compared() {
    Occupancy grown = occupancy(100, Map.of("keys", 4L, "audit", 5L), KEYS, AUDIT);
    assertEquals(
        List.of("keys had 3 documents before, 3 were read, it had 4 after"),
        BEFORE.changes(grown, read(3, 5)));
    assertEquals(
        List.of("audit had 5 documents before, 6 were read, it had 5 after"),
        BEFORE.changes(BEFORE, read(3, 6)));
  }

  @Test
  void created_dropped_and_changed_collections_are_named() {
    Occupancy after =
        occupancy(
            100, Map.of("keys", 3L, "new", 0L), spec("keys", "{capped: true}"), spec("new", "{}"));
    assertEquals(
        List.of("audit was dropped", "keys has other options or indexes", "new was created"),
        BEFORE.changes(after, read(3, 5)));
  }

  @Test
  void documents_that_grew_are_seen_by_the_size_of_all() {
    Occupancy after = occupancy(120, Map.of("keys", 3L, "audit", 5L), KEYS, AUDIT);
    assertEquals(
        List.of("all documents took 100 bytes before, 120 after"),
        BEFORE.changes(after, read(3, 5)));
  }

  private static Occupancy occupancy(
      long bytes, Map<String, Long> counts, CollectionSpec... collections) {
    return new Occupancy(List.of(collections), counts, bytes);
  }

  private static CollectionSpec spec(String name, String options) {
    return new CollectionSpec(name, "collection", BsonDocument.parse(options), List.of(), "");
  }

  @Test
  void what_came_went_or_was_exchanged_is_named_by_one_listing() {
    List<CollectionSpec> later =
        List.of(
            new CollectionSpec("keys", "collection", new BsonDocument(), List.of(), "ab"),
            spec("new", "{}"));
    assertEquals(List.of(), BEFORE.moves(List.of(KEYS, AUDIT)));
    assertEquals(
        List.of(
            "keys was exchanged for another one",
            "audit was dropped or renamed",
            "new was created"),
        BEFORE.moves(later));
  }

  private static Map<String, Tally> read(long keys, long audit) {
    return Map.of("keys", tally(keys), "audit", tally(audit));
  }

  private static Tally tally(long documents) {
    return new Tally(documents, 0, 0, Digest.ofContent(new byte[0]));
  }
}
