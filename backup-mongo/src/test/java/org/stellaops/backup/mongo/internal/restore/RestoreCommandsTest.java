package org.stellaops.backup.mongo.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Optional;
import org.bson.BsonDocument;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

class RestoreCommandsTest {
  @Test
  void a_collection_is_created_with_its_options_in_their_order() {
    CollectionSpec spec =
        spec(
            "collection",
            "{capped: true, size: {$numberLong: '4096'}, validator: {$expr: {$gt: ['$b', '$a']}},"
                + " validationLevel: 'moderate', collation: {locale: 'de'},"
                + " changeStreamPreAndPostImages: {enabled: true}}");
    assertEquals(
        "{\"create\": \"x\", \"capped\": true, \"size\": 4096,"
            + " \"validator\": {\"$expr\": {\"$gt\": [\"$b\", \"$a\"]}},"
            + " \"validationLevel\": \"moderate\", \"collation\": {\"locale\": \"de\"},"
            + " \"changeStreamPreAndPostImages\": {\"enabled\": true}}",
        RestoreCommands.create(spec).toJson());
  }

  @Test
  void options_that_only_old_servers_tell_are_left_out() {
    CollectionSpec spec = spec("collection", "{create: 'y', autoIndexId: true, size: 1}");
    assertEquals("{\"create\": \"x\", \"size\": 1}", RestoreCommands.create(spec).toJson());
  }

  @Test
  void a_view_is_created_from_its_options() {
    CollectionSpec view = spec("view", "{viewOn: 'y', pipeline: [{$match: {a: 1}}]}");
    assertEquals(
        "{\"create\": \"x\", \"viewOn\": \"y\", \"pipeline\": [{\"$match\": {\"a\": 1}}]}",
        RestoreCommands.create(view).toJson());
    assertEquals(Optional.empty(), RestoreCommands.createIndexes(view));
  }

  @Test
  void indexes_are_created_as_they_were_without_the_namespace() {
    assertIndexes(
        "{v: 2, key: {a: 1, b: -1}, name: 'ab', unique: true, expireAfterSeconds: 5,"
            + " partialFilterExpression: {a: {$gt: 1}}}",
        "{v: 2, key: {a: 1, b: -1}, name: 'ab', unique: true, expireAfterSeconds: 5,"
            + " partialFilterExpression: {a: {$gt: 1}}, ns: 'db.x'}",
        "{}");
  }

  @Test
  void the_plain_index_on_id_comes_with_the_collection_and_others_on_id_do_not() {
    assertNoIndexes("{v: 2, key: {_id: 1}, name: '_id_'}");
    assertNoIndexes("{v: 1, key: {_id: 1.0}, name: '_id_', ns: 'db.x'}");
    assertNoIndexes("{v: 2, key: {_id: 1}, name: 'c', unique: true, clustered: true}");
    String hashed = "{v: 2, key: {_id: 'hashed'}, name: '_id_hashed'}";
    assertIndexes(hashed, hashed, "{}");
    String compound = "{v: 2, key: {_id: 1, a: 1}, name: '_id_1_a_1'}";
    assertIndexes(compound, compound, "{}");
    String descending = "{v: 2, key: {_id: -1}, name: '_id_-1'}";
    assertIndexes(descending, descending, "{}");
  }

  @Test
  void an_index_without_collation_keeps_the_simple_one_in_a_collection_that_has_another() {
    String german = "{collation: {locale: 'de'}}";
    assertIndexes(
        "{v: 2, key: {a: 1}, name: 'a', collation: {locale: 'simple'}}",
        "{v: 2, key: {a: 1}, name: 'a'}",
        german);
    String own = "{v: 2, key: {a: 1}, name: 'a', collation: {locale: 'fr'}}";
    assertIndexes(own, own, german);
    String version1 = "{v: 1, key: {a: 1}, name: 'a'}";
    assertIndexes(version1, version1, german);
    String simple = "{v: 2, key: {a: 1}, name: 'a'}";
    assertIndexes(simple, simple, "{collation: {locale: 'simple'}}");
  }

  @Test
  void a_view_follows_the_view_it_is_made_of() throws Exception {
    List<CollectionSpec> ordered =
        RestoreCommands.viewsInOrder(
            List.of(view("a", "b"), view("b", "c"), view("c", "x"), spec("collection", "{}")));
    assertEquals(List.of("c", "b", "a"), ordered.stream().map(CollectionSpec::name).toList());
  }

  @Test
  void views_made_of_each_other_are_refused() {
    assertThrows(
        BackupException.Corrupt.class,
        () -> RestoreCommands.viewsInOrder(List.of(view("a", "b"), view("b", "a"))));
  }

  /** Version 2 is not said: every supported server makes it, and some know no other. */
  private static void assertIndexes(String expected, String captured, String options) {
    CollectionSpec spec = spec("collection", options, captured);
    assertEquals(
        BsonDocument.parse(
            "{createIndexes: 'x', indexes: [" + expected.replace("v: 2, ", "") + "]}"),
        RestoreCommands.createIndexes(spec).orElseThrow());
  }

  private static void assertNoIndexes(String captured) {
    assertEquals(
        Optional.empty(), RestoreCommands.createIndexes(spec("collection", "{}", captured)));
  }

  private static CollectionSpec view(String name, String on) {
    return new CollectionSpec(
        name, "view", BsonDocument.parse("{viewOn: '" + on + "', pipeline: []}"), List.of(), "");
  }

  private static CollectionSpec spec(String type, String options, String... indexes) {
    return new CollectionSpec(
        "x",
        type,
        BsonDocument.parse(options),
        List.of(indexes).stream().map(BsonDocument::parse).toList(),
        "");
  }
}
