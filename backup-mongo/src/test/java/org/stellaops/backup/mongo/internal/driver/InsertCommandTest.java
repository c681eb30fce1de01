package org.stellaops.backup.mongo.internal.driver;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import org.bson.BsonArray;
import org.bson.BsonBinaryReader;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.Test;

class InsertCommandTest {
  private static final String WRITE_CONCERN = "writeConcern: {w: 'majority'}";

  @Test
  void a_command_holds_the_documents_in_their_order() {
    List<RawBsonDocument> documents = documents(1_234);
    RawBsonDocument command = InsertCommand.of("c", documents, true, false);
    BsonDocument expected =
        BsonDocument.parse("{insert: 'c', ordered: true, " + WRITE_CONCERN + "}");
    expected.append("documents", new BsonArray(documents));
    assertEquals(expected, BsonDocument.parse(command.toJson()));
  }

  @Test
  void an_array_has_its_indexes_for_names() {
    RawBsonDocument command = InsertCommand.of("c", documents(1_001), true, false);
    byte[] bytes = command.getByteBuffer().asNIO().array();
    int array;
    try (BsonBinaryReader reader = new BsonBinaryReader(ByteBuffer.wrap(bytes))) {
      reader.readStartDocument();
      for (int i = 0; i < 3; i++) {
        reader.readName();
        reader.skipValue();
      }
      assertEquals("documents", reader.readName());
      array = reader.getBsonInput().getPosition();
    }
    int length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(array);
    // An array is written as a document, and read as one it has names.
    List<String> names = List.copyOf(new RawBsonDocument(bytes, array, length).keySet());
    assertEquals(IntStream.range(0, 1_001).mapToObj(Integer::toString).toList(), names);
  }

  @Test
  void a_validator_is_passed_over_where_that_is_asked() {
    BsonDocument command = InsertCommand.of("c", documents(1), false, true);
    assertEquals(
        BsonDocument.parse(
            "{insert: 'c', ordered: false, "
                + WRITE_CONCERN
                + ", bypassDocumentValidation: true, documents: [{_id: 0}]}"),
        BsonDocument.parse(command.toJson()));
  }

  @Test
  void a_document_that_is_a_part_of_a_larger_buffer_goes_alone() {
    RawBsonDocument whole = RawBsonDocument.parse("{a: {b: 1}, c: 2}");
    RawBsonDocument part = (RawBsonDocument) whole.getDocument("a");
    BsonDocument command = InsertCommand.of("c", List.of(part), false, false);
    assertEquals(BsonDocument.parse("{b: 1}"), command.getArray("documents").get(0).asDocument());
  }

  private static List<RawBsonDocument> documents(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> RawBsonDocument.parse("{_id: " + i + "}"))
        .toList();
  }
}
