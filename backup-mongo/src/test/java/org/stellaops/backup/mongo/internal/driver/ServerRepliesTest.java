package org.stellaops.backup.mongo.internal.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.bson.BsonDocument;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;

/** Replies as mongod documents and sends them, for the test server sends others. */
class ServerRepliesTest {
  @Test
  void a_listed_collection_keeps_options_indexes_and_uuid_verbatim() {
    BsonDocument listed =
        BsonDocument.parse(
            "{name: 'log', type: 'collection', options: {capped: true, size: 4096, max: 10},"
                + " info: {readOnly: false, uuid: {$binary:"
                + " {base64: 'oQTt5HjMSBmnu2ggPDLRQw==', subType: '04'}}},"
                + " idIndex: {v: 2, key: {_id: 1}, name: '_id_'}}");
    BsonDocument index = BsonDocument.parse("{v: 2, key: {_id: 1}, name: '_id_'}");
    CollectionSpec spec = ListedCollection.spec(listed, List.of(index));
    assertEquals(
        new CollectionSpec(
            "log",
            "collection",
            BsonDocument.parse("{capped: true, size: 4096, max: 10}"),
            List.of(index),
            "a104ede478cc4819a7bb68203c32d143"),
        spec);
    assertTrue(spec.isCapped());
    assertTrue(
        MetadataJson.write(spec).startsWith("{\"options\": {\"capped\": true, \"size\":"),
        MetadataJson.write(spec));
  }

  @Test
  void a_listed_view_has_no_uuid_and_no_indexes() {
    BsonDocument listed =
        BsonDocument.parse(
            "{name: 'v', type: 'view', options: {viewOn: 'x', pipeline: [{$match: {z: 1, a: 2}}]},"
                + " info: {readOnly: true}}");
    CollectionSpec spec = ListedCollection.spec(listed, List.of());
    assertTrue(spec.isView());
    assertEquals(
        "{\"options\": {\"viewOn\": \"x\", \"pipeline\": [{\"$match\":"
            + " {\"z\": {\"$numberInt\": \"1\"}, \"a\": {\"$numberInt\": \"2\"}}}]},"
            + " \"indexes\": [], \"collectionName\": \"v\", \"type\": \"view\"}",
        MetadataJson.write(spec));
  }

  @Test
  void a_listed_time_series_has_its_documents_in_its_buckets() {
    BsonDocument listed =
        BsonDocument.parse(
            "{name: 'w', type: 'timeseries', options: {timeseries: {timeField: 't'}}, info: {}}");
    CollectionSpec spec = ListedCollection.spec(listed, List.of());
    assertTrue(spec.isTimeseries());
    assertEquals("system.buckets.w", spec.dataName());
  }

  @Test
  void only_system_collections_are_the_servers_own_and_system_js_is_not() {
    for (String own : List.of("system.views", "system.profile", "system.buckets.w")) {
      assertTrue(ListedCollection.isTheServersOwn(named(own)), own);
    }
    for (String ours : List.of("system.js", "systems", "x.system.y", "fs.chunks")) {
      assertFalse(ListedCollection.isTheServersOwn(named(ours)), ours);
    }
  }

  @Test
  void hello_tells_the_topology() {
    BsonDocument build = BsonDocument.parse("{version: '7.0.14'}");
    assertEquals(
        new ServerFacts("7.0.14", 7, 0, ServerFacts.Topology.STANDALONE, "", false),
        ServerFacts.of(BsonDocument.parse("{ok: 1}"), build));
    assertEquals(
        ServerFacts.Topology.REPLICA_SET,
        ServerFacts.of(BsonDocument.parse("{setName: 'rs0'}"), build).topology());
    assertEquals(
        ServerFacts.Topology.SHARDED,
        ServerFacts.of(BsonDocument.parse("{msg: 'isdbgrid'}"), build).topology());
  }

  @Test
  void versions_compare_by_their_numbers() {
    ServerFacts server =
        ServerFacts.of(new BsonDocument(), BsonDocument.parse("{version: '8.10.0-rc1'}"));
    assertTrue(server.isAtLeast(8, 3));
    assertTrue(server.isAtLeast(7, 99));
    assertFalse(server.isAtLeast(8, 11));
    assertFalse(server.isAtLeast(9, 0));
  }

  private static BsonDocument named(String name) {
    return BsonDocument.parse("{name: '" + name + "', type: 'collection'}");
  }
}
