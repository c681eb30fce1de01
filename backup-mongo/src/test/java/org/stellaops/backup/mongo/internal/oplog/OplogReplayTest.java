package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.bson.BsonDocument;
import org.bson.BsonTimestamp;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

class OplogReplayTest {
  private static final OplogSelection A = OplogSelection.databases(Set.of("a"));

  private final MapServer server = new MapServer();
  private Definitions definitions = new Definitions();

  private static ReplaySettings to(int second) {
    return ReplaySettings.of(A, ReplayTarget.at(Entries.ts(second), true));
  }

  private ReplayCounts replay(ReplaySettings settings, RawDocument... entries) throws IOException {
    OplogReplay replay = new OplogReplay(server, definitions, settings);
    for (RawDocument entry : entries) {
      replay.document(entry.array(), entry.start(), entry.length());
    }
    return replay.finish();
  }

  private static MongoFailure code(BackupException e) {
    return (MongoFailure) e.code();
  }

  @Test
  void inserts_updates_and_deletes_come_to_the_last_of_them() throws Exception {
    server.put("a.x", "{_id: 7, n: 1}");
    ReplayCounts counts =
        replay(
            to(99),
            Entries.insert(1, "a.x", "{_id: 1, n: 1}"),
            Entries.update(2, "a.x", "1", "{$v: 2, diff: {u: {n: 2}}}"),
            Entries.update(3, "a.x", "7", "{$v: 2, diff: {i: {m: 2}}}"),
            Entries.insert(4, "a.x", "{_id: 2}"),
            Entries.delete(5, "a.x", "2"),
            Entries.insert(6, "b.x", "{_id: 2}"),
            Entries.update(7, "a.x", "1", "{_id: 1, whole: true}"));
    assertEquals(
        Map.of("a.x", List.of("{\"_id\": 1, \"whole\": true}", "{\"_id\": 7, \"n\": 1, \"m\": 2}")),
        server.contents());
    assertEquals(Optional.of(Entries.ts(7)), counts.last());
    assertEquals(6, counts.writes());
    assertEquals(false, counts.isBehindTarget());
  }

  @Test
  void entries_behind_the_target_are_not_replayed() throws Exception {
    RawDocument[] entries = {
      Entries.insert(1, "a.x", "{_id: 1}"),
      Entries.insert(2, "a.x", "{_id: 2}"),
      Entries.insert(3, "a.x", "{_id: 3}")
    };
    ReplayCounts counts = replay(to(2), entries);
    assertEquals(2, server.contents().get("a.x").size());
    assertEquals(true, counts.isBehindTarget());
    ReplayTarget before = ReplayTarget.at(Instant.ofEpochSecond(3), false);
    assertEquals(Optional.of(Entries.ts(2)), replay(ReplaySettings.of(A, before), entries).last());
    ReplayTarget at = ReplayTarget.at(Instant.ofEpochSecond(3), true);
    assertEquals(Optional.of(Entries.ts(3)), replay(ReplaySettings.of(A, at), entries).last());
  }

  @Test
  void a_transaction_is_replayed_only_if_it_was_committed_up_to_the_target() throws Exception {
    RawDocument[] entries = {
      Entries.link(1, 1, 0, "{applyOps: [{op: 'i', ns: 'a.x', o: {_id: 1}}], partialTxn: true}"),
      Entries.insert(2, "a.x", "{_id: 9}"),
      Entries.link(3, 1, 1, "{applyOps: [{op: 'i', ns: 'a.y', o: {_id: 2}}], prepare: true}"),
      Entries.link(5, 1, 3, "{commitTransaction: 1, commitTimestamp: {$timestamp: {t: 4, i: 1}}}")
    };
    replay(to(4), entries);
    assertEquals(Set.of("a.x"), server.contents().keySet());
    replay(to(5), entries);
    assertEquals(2, server.contents().get("a.x").size());
    assertEquals(1, server.contents().get("a.y").size());
  }

  @Test
  void what_the_base_has_is_not_replayed_and_a_transaction_that_it_has_not_is() throws Exception {
    ReplayCounts counts =
        replay(
            to(99).after(Entries.ts(3)),
            Entries.insert(1, "a.x", "{_id: 'old'}"),
            Entries.link(
                2, 1, 0, "{applyOps: [{op: 'i', ns: 'a.x', o: {_id: 'late'}}], prepare: true}"),
            Entries.link(2 + 1, 2, 1, "{applyOps: [{op: 'i', ns: 'a.x', o: {_id: 'headless'}}]}"),
            Entries.link(
                4, 1, 2, "{commitTransaction: 1, commitTimestamp: {$timestamp: {t: 4, i: 1}}}"));
    assertEquals(Map.of("a.x", List.of("{\"_id\": \"late\"}")), server.contents());
    assertEquals(1, counts.transactions());
  }

  @Test
  void one_that_was_visible_in_the_base_before_its_commit_was_written_is_not_replayed()
      throws Exception {
    replay(
        to(99).after(Entries.ts(4)),
        Entries.link(2, 1, 0, "{applyOps: [{op: 'i', ns: 'a.x', o: {_id: 1}}], prepare: true}"),
        Entries.link(
            5, 1, 2, "{commitTransaction: 1, commitTimestamp: {$timestamp: {t: 4, i: 1}}}"));
    assertEquals(Map.of(), server.contents());
  }

  @Test
  void a_document_that_is_gone_from_a_newer_base_is_counted_and_later_is_a_failure()
      throws Exception {
    RawDocument update = Entries.update(5, "a.x", "'gone'", "{$v: 2, diff: {u: {n: 2}}}");
    assertEquals(1, replay(to(9).tolerantUntil(Entries.ts(5)), update).missing());
    BackupException.Target e =
        assertThrows(
            BackupException.Target.class, () -> replay(to(9).tolerantUntil(Entries.ts(4)), update));
    assertEquals(MongoFailure.REPLAY_DIVERGED, code(e));
    for (String named : List.of("5.1", "a.x", "gone")) {
      assertEquals(true, e.getMessage().contains(named), e.getMessage());
    }
  }

  @Test
  void commands_wait_for_what_is_before_them() throws Exception {
    replay(
        to(99),
        Entries.command(1, "a", "{create: 'x', capped: true, size: 4096, idIndex: {v: 2}}"),
        Entries.insert(2, "a.x", "{_id: 1}"),
        Entries.command(3, "a", "{renameCollection: 'a.x', to: 'a.y', stayTemp: false}"),
        Entries.insert(4, "a.x", "{_id: 2}"),
        Entries.command(5, "a", "{drop: 'x'}"));
    assertEquals(Map.of("a.y", List.of("{\"_id\": 1}")), server.contents());
    assertEquals(
        List.of(
            "a {\"create\": \"x\", \"capped\": true, \"size\": 4096}",
            "admin {\"renameCollection\": \"a.x\", \"to\": \"a.y\", \"dropTarget\": false}",
            "a {\"drop\": \"x\"}"),
        server.commands());
  }

  @Test
  void indexes_and_views_are_told_and_not_made() throws Exception {
    definitions =
        Definitions.of(
            "a",
            List.of(
                new CollectionSpec(
                    "x",
                    "collection",
                    new BsonDocument(),
                    List.of(
                        BsonDocument.parse("{v: 2, key: {_id: 1}, name: '_id_'}"),
                        BsonDocument.parse("{v: 2, key: {a: 1}, name: 'a_1', unique: true}")),
                    "")));
    replay(
        to(99),
        Entries.command(1, "a", "{createIndexes: 'x', v: 2, key: {b: 1}, name: 'b_1'}"),
        Entries.command(2, "a", "{dropIndexes: 'x', index: 'a_1'}"),
        Entries.command(
            3, "a", "{commitIndexBuild: 'x', indexes: [{v: 2, key: {c: 1}, name: 'c_1'}]}"),
        Entries.command(4, "a", "{collMod: 'x', index: {name: 'c_1', expireAfterSeconds: 9}}"),
        Entries.command(5, "a", "{renameCollection: 'a.x', to: 'a.z'}"),
        Entries.insert(6, "a.system.views", "{_id: 'a.v', viewOn: 'z', pipeline: []}"),
        Entries.insert(7, "a.system.views", "{_id: 'a.w', viewOn: 'z', pipeline: []}"),
        Entries.delete(8, "a.system.views", "'a.w'"));
    List<CollectionSpec> specs = definitions.collections("a");
    assertEquals(List.of("z", "v"), specs.stream().map(CollectionSpec::name).toList());
    assertEquals(
        List.of("_id_", "b_1", "c_1"),
        specs.get(0).indexes().stream().map(i -> i.getString("name").getValue()).toList());
    assertEquals(9, specs.get(0).indexes().get(2).getInt32("expireAfterSeconds").getValue());
    assertEquals("view", specs.get(1).type());
    assertEquals(
        List.of("admin {\"renameCollection\": \"a.x\", \"to\": \"a.z\", \"dropTarget\": false}"),
        server.commands());
  }

  @Test
  void a_database_is_replayed_under_another_name_and_keeps_the_marker() throws Exception {
    server.put("copy.stella.backup.unfinished", "{_id: 'restore'}");
    ReplaySettings renamed =
        ReplaySettings.of(OplogSelection.renamed("a", "copy"), ReplayTarget.latest());
    replay(
        renamed,
        Entries.insert(1, "a.x", "{_id: 1}"),
        Entries.insert(2, "a.stella.backup.unfinished", "{_id: 'restore', foreign: 1}"),
        Entries.command(3, "a", "{dropDatabase: 1}"),
        Entries.insert(4, "a.y", "{_id: 1}"));
    assertEquals(
        Map.of(
            "copy.y", List.of("{\"_id\": 1}"),
            "copy.stella.backup.unfinished", List.of("{\"_id\": \"restore\"}")),
        server.contents());
  }

  @Test
  void what_is_not_known_or_malformed_stops_and_is_named() {
    for (RawDocument entry :
        List.of(
            Entries.command(5, "a", "{convertToCapped: 'x'}"),
            Entries.rawEntry(5, "op: 'zz', ns: 'a.x'"),
            Entries.insert(5, "a.system.new", "{_id: 1}"),
            Entries.insert(5, "a.x", "{noid: 1}"),
            Entries.update(5, "a.x", "1", "{$v: 9}"),
            Entries.command(5, "a", "{renameCollection: 'a.x', to: 'b.x'}"))) {
      server.put("a.x", "{_id: 1}");
      BackupException.Target e =
          assertThrows(BackupException.Target.class, () -> replay(to(9), entry), "" + entry);
      assertEquals(true, e.getMessage().contains("5.1"), e.getMessage());
    }
  }

  @Test
  void ids_that_a_server_takes_for_one_are_written_in_order() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try {
      RawDocument one = Ids.of(Entries.raw("{_id: 1}").get("_id"));
      for (String same : List.of("{_id: 1.0}", "{_id: {$numberLong: '1'}}")) {
        RawDocument other = Ids.of(Entries.raw(same).get("_id"));
        assertEquals(Ids.partition(one, 64), Ids.partition(other, 64));
      }
      for (int i = 1; i < 2_000; i++) {
        replay(
            to(99_999).parallel(4, pool),
            Entries.insert(i, "a.x", "{_id: %d}".formatted(i)),
            Entries.delete(i + 1, "a.x", "" + (i / 2)));
      }
      assertEquals(1_000, server.contents().get("a.x").size());
    } finally {
      pool.shutdown();
    }
  }

  /** Random histories, replayed whole, in two attempts, and twice: always the same state. */
  @Test
  void a_replay_that_was_killed_anywhere_and_goes_on_comes_to_the_same() throws Exception {
    for (int seed = 0; seed < 60; seed++) {
      Random random = new Random(seed);
      MapServer expected = new MapServer();
      List<RawDocument> history = new ArrayList<>();
      for (int second = 1; second < 80; second++) {
        history.add(random(random, second));
      }
      RawDocument[] all = history.toArray(RawDocument[]::new);
      ReplaySettings lenient = to(1_000).tolerantUntil(Entries.ts(1_000));
      new Attempt(expected).replay(lenient, history);

      MapServer resumed = new MapServer();
      List<BsonTimestamp> told = new ArrayList<>();
      List<RawDocument> begun = history.subList(0, random.nextInt(all.length));
      new Attempt(resumed).replay(lenient.telling(told::add), begun);
      BsonTimestamp from =
          told.isEmpty() ? new BsonTimestamp(0, 0) : told.get(random.nextInt(told.size()));
      new Attempt(resumed).replay(lenient.resumeAfter(from), history);
      assertEquals(expected.contents(), resumed.contents(), "seed " + seed + " from " + from);
    }
  }

  private record Attempt(MapServer into) {
    void replay(ReplaySettings settings, List<RawDocument> entries) throws IOException {
      OplogReplay replay = new OplogReplay(into, new Definitions(), settings);
      for (RawDocument entry : entries) {
        replay.document(entry.array(), entry.start(), entry.length());
      }
      replay.finish();
    }
  }

  private static RawDocument random(Random random, int second) {
    String ns = "a." + (char) ('x' + random.nextInt(2));
    int id = random.nextInt(6);
    return switch (random.nextInt(9)) {
      case 0, 1, 2 -> Entries.insert(second, ns, "{_id: %d, s: %d}".formatted(id, second));
      case 3, 4 -> Entries.delete(second, ns, "" + id);
      case 5 -> Entries.update(second, ns, "" + id, "{_id: %d, r: %d}".formatted(id, second));
      case 6 -> Entries.command(second, "a", "{drop: '%s'}".formatted(ns.substring(2)));
      default ->
          Entries.update(
              second, ns, "" + id, "{$v: 2, diff: {u: {f%d: %d}}}".formatted(second, second));
    };
  }
}
