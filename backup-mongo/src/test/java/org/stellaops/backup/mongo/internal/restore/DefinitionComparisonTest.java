package org.stellaops.backup.mongo.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.bson.BsonDocument;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

class DefinitionComparisonTest {
  private static final String INDEX = "{v: 2, key: {a: 1}, name: 'a', unique: true}";

  @Test
  void what_servers_set_as_they_like_makes_no_difference() {
    assertDifferences(
        List.of(),
        List.of(),
        spec("collection", "{size: 1, autoIndexId: true}", INDEX),
        spec(
            "collection",
            "{size: {$numberLong: '1'}}",
            "{v: 1, ns: 'db.x', key: {a: 1}, name: 'a', unique: true}"));
  }

  @Test
  void a_missing_index_and_another_type_are_losses() {
    assertDifferences(
        List.of("expected a view, found a collection"),
        List.of(),
        spec("view", "{}"),
        spec("collection", "{}"));
    assertDifferences(
        List.of("index a is missing"),
        List.of(),
        spec("collection", "{}", INDEX),
        spec("collection", "{}"));
  }

  @Test
  void other_options_and_other_definitions_are_named_with_both_values() {
    assertDifferences(
        List.of(),
        List.of("option capped: expected BsonBoolean{value=true}, found null"),
        spec("collection", "{capped: true}"),
        spec("collection", "{}"));
    assertDifferences(
        List.of(),
        List.of("index a, unique: expected BsonBoolean{value=true}, found null"),
        spec("collection", "{}", INDEX),
        spec("collection", "{}", "{v: 2, key: {a: 1}, name: 'a'}"));
    assertDifferences(
        List.of(),
        List.of("index a was not captured"),
        spec("collection", "{}"),
        spec("collection", "{}", INDEX));
  }

  @Test
  void the_order_of_an_indexs_keys_matters() {
    DefinitionComparison comparison =
        DefinitionComparison.of(
            spec("collection", "{}", "{key: {a: 1, b: 1}, name: 'i'}"),
            spec("collection", "{}", "{key: {b: 1, a: 1}, name: 'i'}"));
    assertEquals(1, comparison.different().size());
    DefinitionComparison nested =
        DefinitionComparison.of(
            spec("collection", "{pipeline: [{$sort: {a: 1, b: 1}}]}"),
            spec("collection", "{pipeline: [{$sort: {b: 1, a: 1}}]}"));
    assertEquals(1, nested.different().size());
  }

  private static void assertDifferences(
      List<String> missing, List<String> different, CollectionSpec expected, CollectionSpec found) {
    DefinitionComparison comparison = DefinitionComparison.of(expected, found);
    assertEquals(missing, comparison.missing());
    assertEquals(different, comparison.different());
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
