package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

class MetadataJsonTest {
  @Test
  void it_is_the_text_that_mongodump_writes() {
    CollectionSpec spec =
        new CollectionSpec(
            "x",
            "collection",
            new BsonDocument(),
            List.of(SmallArchive.index("_id_", "_id")),
            "a104ede478cc4819a7bb68203c32d143");
    assertEquals(
        "{\"indexes\": [{\"v\": {\"$numberInt\": \"2\"},"
            + " \"key\": {\"_id\": {\"$numberInt\": \"1\"}}, \"name\": \"_id_\"}],"
            + " \"uuid\": \"a104ede478cc4819a7bb68203c32d143\","
            + " \"collectionName\": \"x\", \"type\": \"collection\"}",
        MetadataJson.write(spec));
  }

  @Test
  void quotes_backslashes_and_dollars_in_keys_survive() throws Exception {
    for (CollectionSpec spec : SmallArchive.ALL) {
      assertEquals(
          spec, MetadataJson.parse(entry(MetadataJson.write(spec), spec.type(), spec.name())));
    }
  }

  @Test
  void number_types_and_the_order_of_keys_survive() throws Exception {
    BsonDocument options =
        new BsonDocument("z", new BsonInt64(1))
            .append("a", new BsonDouble(1))
            .append("m", new BsonArray(List.of(new BsonInt32(1), new BsonString("{[\"\\"))));
    CollectionSpec spec = new CollectionSpec("x", "collection", options, List.of(), "");
    CollectionSpec parsed = MetadataJson.parse(entry(MetadataJson.write(spec), "collection", "x"));
    assertEquals(List.of("z", "a", "m"), List.copyOf(parsed.options().keySet()));
    assertEquals(spec, parsed);
  }

  @Test
  void what_older_tools_wrote_is_read() throws Exception {
    CollectionSpec spec =
        MetadataJson.parse(
            entry(
                "{\"options\":{\"capped\":true,\"size\":4096},\"indexes\":[{\"v\":2,"
                    + "\"key\":{\"_id\":1},\"name\":\"_id_\",\"ns\":\"db.x\"}]}",
                "",
                "x"));
    assertEquals("collection", spec.type());
    assertEquals(true, spec.isCapped());
    assertEquals(1, spec.indexes().size());
    CollectionSpec view =
        MetadataJson.parse(entry("{\"options\":{\"viewOn\":\"x\"},\"indexes\":[]}", "", "v"));
    assertEquals(true, view.isView());
    assertEquals(List.of(), MetadataJson.parse(entry("", "", "system.users")).indexes());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{",
        "[]",
        "null",
        "{\"indexes\": 1}",
        "{\"indexes\": [1]}",
        "{\"options\": []}",
        "{\"uuid\": 1}",
        "{\"a\" \"b\"}"
      })
  void other_text_is_corrupt(String text) {
    var e =
        assertThrows(BackupException.Corrupt.class, () -> MetadataJson.parse(entry(text, "", "x")));
    assertEquals(CoreFailure.MALFORMED, e.code());
  }

  @Test
  void text_that_nests_without_end_is_refused_before_it_is_parsed() {
    String deep = "{\"options\":{\"a\":" + "[".repeat(100_000);
    assertThrows(BackupException.Corrupt.class, () -> MetadataJson.parse(entry(deep, "", "x")));
  }

  @Test
  void a_definition_that_an_old_mongodump_did_not_escape_is_called_corrupt() throws Exception {
    Prelude prelude = ArchiveRoundTripTest.readFixture("bad-format").prelude();
    assertThrows(BackupException.Corrupt.class, () -> MetadataJson.parse(prelude.entries().get(0)));
  }

  private static Prelude.Entry entry(String text, String type, String name) {
    return new Prelude.Entry(new Namespace("db", name), text, type);
  }
}
