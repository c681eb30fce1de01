package org.stellaops.backup.mongo.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bson.BsonDocument;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;

class RenamingTest {
  @Test
  void what_a_star_stands_for_goes_where_the_other_star_is() {
    assertEquals(Optional.of("drill.keys"), rename("issuers.*", "drill.*", "issuers.keys"));
    assertEquals(Optional.of("d.b.x.a"), rename("a*.*", "d.b.*.*", "ax.a"));
    assertEquals(Optional.of("d.c"), rename("a.c", "d.c", "a.c"));
    assertEquals(Optional.empty(), rename("a.c", "d.c", "a.cc"));
    assertEquals(Optional.empty(), rename("a.c", "d.c", "axc"));
  }

  @Test
  void signs_of_regular_expressions_are_only_signs() {
    assertEquals(Optional.of("b.x"), rename("a.(+)$\\E*", "b.*", "a.(+)$\\Ex"));
    assertEquals(Optional.empty(), rename("a.[x]", "b.x", "a.x"));
  }

  @Test
  void patterns_with_different_numbers_of_stars_are_refused() {
    assertThrows(IllegalArgumentException.class, () -> rename("a.*", "b.c", "a.x"));
    assertThrows(IllegalArgumentException.class, () -> new NamePattern(""));
  }

  @Test
  void a_view_reads_from_what_its_collections_are_called_now_however_deep() {
    ViewRewriting views = new ViewRewriting("db", "drill", Map.of("a", "x.a", "b", "x.b"));
    CollectionSpec view =
        view(
            "{viewOn: 'a', pipeline: [{$lookup: {from: 'b', as: 'from', pipeline:"
                + " [{$unionWith: 'a'}, {$unionWith: {coll: 'b', pipeline: []}}]}},"
                + " {$facet: {f: [{$graphLookup: {from: 'a', startWith: '$b'}}]}},"
                + " {$match: {b: 'b', from: 'a'}}], collation: {locale: 'de'}}");
    assertEquals(
        BsonDocument.parse(
            "{viewOn: 'x.a', pipeline: [{$lookup: {from: 'x.b', as: 'from', pipeline:"
                + " [{$unionWith: 'x.a'}, {$unionWith: {coll: 'x.b', pipeline: []}}]}},"
                + " {$facet: {f: [{$graphLookup: {from: 'x.a', startWith: '$b'}}]}},"
                + " {$match: {b: 'b', from: 'a'}}], collation: {locale: 'de'}}"),
        views.rewrite(view).options());
    assertEquals(List.of(), views.findings());
  }

  @Test
  void what_a_view_reads_that_is_not_restored_is_told() {
    ViewRewriting views = new ViewRewriting("db", "db", Map.of("a", "a"));
    views.rewrite(
        view(
            "{viewOn: 'a', pipeline: [{$lookup: {from: 'gone', as: 'x'}},"
                + " {$lookup: {from: {db: 'other', coll: 'a'}, as: 'x'}}]}"));
    assertEquals(
        List.of("reads gone, which is not restored"),
        views.findings().stream().map(Finding::found).filter(f -> f.contains("gone")).toList());
  }

  private static Optional<String> rename(String from, String to, String name) {
    return new Renaming(new NamePattern(from), new NamePattern(to)).rename(name);
  }

  private static CollectionSpec view(String options) {
    return new CollectionSpec("v", "view", BsonDocument.parse(options), List.of(), "");
  }
}
