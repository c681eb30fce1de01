package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.mongo.AuditReconciliation.Kind;
import org.stellaops.backup.mongo.AuditReconciliation.Span;
import org.stellaops.backup.spi.Stopping;

class AuditReconcilerIT {
  private static final Instant START = Instant.parse("2026-11-01T00:00:00Z");
  private static final Instant CUT = START.plusSeconds(1_000);
  private static final Instant NOW = START.plusSeconds(2_000);

  private static WireServer server;
  private final ByteArrayOutputStream export = new ByteArrayOutputStream();
  private int entries;

  @BeforeAll
  static void start() {
    server = WireServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void fill() {
    for (String db : List.of("restored", "old")) {
      server.database(db).drop();
      entries = 0;
      for (int i = 0; i < 20; i++) {
        issuer(db, "issuer-" + i, i * 10);
        entry(db, "issuer-" + i, "created", i * 10);
      }
      entry(db, "issuer-gone", "created", 300);
      entry(db, "issuer-gone", "deleted", 700);
      entry(db, "issuer-3", "updated", 900);
    }
  }

  @Test
  void a_trail_that_fits_and_whose_lost_entries_are_exported_covers_the_window() throws Exception {
    entry("old", "issuer-4", "updated", 1_100);
    entry("old", "issuer-5", "updated", 1_200);
    AuditReconciliation found =
        reconciler()
            .lostFrom(server.client(), "old", export)
            .between(START, CUT, NOW, Stopping.never());
    assertEquals(Kind.COVERED, found.verdict().kind(), found.verdict().toString());
    assertEquals(23, found.entries());
    assertEquals(Optional.of(START.plusSeconds(900)), found.last());
    assertEquals(
        Optional.of(new Span(START.plusSeconds(300), START.plusSeconds(700))), found.largestGap());
    assertEquals(0, found.orphans().count(), found.orphans().toString());
    String lines = export.toString(StandardCharsets.UTF_8);
    assertEquals(2, lines.lines().count());
    assertTrue(lines.startsWith("{\"_id\": {\"$numberInt\": \"23\"}"), lines);
    assertEquals(2, found.lost().orElseThrow().count());
    assertEquals(Digest.ofContent(export.toByteArray()), found.lost().orElseThrow().sha256());
    assertEquals(List.of(), found.findings());
  }

  @Test
  void without_the_old_system_what_was_written_after_the_cut_is_a_gap() throws Exception {
    AuditReconciliation found = reconciler().between(START, CUT, NOW, Stopping.never());
    assertEquals(Kind.GAP, found.verdict().kind());
    assertEquals(Optional.of(new Span(CUT, NOW)), found.verdict().gap());
    assertEquals(
        Kind.COVERED, reconciler().between(START, CUT, CUT, Stopping.never()).verdict().kind());
  }

  @Test
  void a_torn_dump_shows_on_both_sides() throws Exception {
    server.database("restored").getCollection("issuers").deleteOne(new Document("_id", "issuer-7"));
    issuer("restored", "issuer-new", 950);
    AuditReconciliation found = reconciler().between(START, CUT, CUT, Stopping.never());
    assertEquals(1, found.orphans().entriesWithoutEntity());
    assertEquals(1, found.orphans().entitiesWithoutEntry());
    assertEquals(Kind.GAP, found.verdict().kind());
    assertEquals(
        Optional.of(new Span(START.plusSeconds(900), START.plusSeconds(950))),
        found.verdict().gap());
    assertTrue(found.orphans().named().toString().contains("issuer-7"));
    assertTrue(found.orphans().named().toString().contains("issuer-new has no entry"));
  }

  @Test
  void a_change_that_is_newer_than_its_last_entry_is_found() throws Exception {
    server
        .database("restored")
        .getCollection("issuers")
        .updateOne(
            new Document("_id", "issuer-9"),
            new Document("$set", new Document("updatedAt", date(400))));
    AuditReconciliation found = reconciler().between(START, CUT, CUT, Stopping.never());
    assertEquals(1, found.orphans().entitiesNewerThanEntry());
    assertEquals(Kind.GAP, found.verdict().kind());
  }

  @Test
  void clocks_that_cannot_be_right_leave_it_unknown() throws Exception {
    entry("restored", "issuer-1", "updated", 1_500);
    entry("restored", "issuer-1", "updated", 20);
    AuditReconciliation found = reconciler().between(START, CUT, CUT, Stopping.never());
    assertEquals(Kind.UNKNOWN, found.verdict().kind());
    assertEquals(1, found.clock().afterCut());
    assertEquals(1, found.clock().backwards());
    assertFalse(found.findings().isEmpty());
  }

  @Test
  void an_empty_trail_says_nothing() throws Exception {
    server.database("restored").getCollection("issuer_audit").drop();
    AuditReconciliation found = reconciler().between(START, CUT, CUT, Stopping.never());
    assertEquals(Kind.UNKNOWN, found.verdict().kind());
  }

  private static AuditReconciler reconciler() {
    return AuditReconciler.of(server.client(), "restored", "issuer_audit", "at", "issuer")
        .deletion("action", "deleted")
        .entities("issuers", "_id", "updatedAt");
  }

  private static void issuer(String db, String id, int second) {
    server
        .database(db)
        .getCollection("issuers")
        .insertOne(new Document("_id", id).append("updatedAt", date(second)));
  }

  private void entry(String db, String issuer, String action, int second) {
    server
        .database(db)
        .getCollection("issuer_audit")
        .insertOne(
            new Document("_id", entries++)
                .append("at", date(second))
                .append("issuer", issuer)
                .append("action", action));
  }

  private static Date date(int second) {
    return Date.from(START.plusSeconds(second));
  }
}
