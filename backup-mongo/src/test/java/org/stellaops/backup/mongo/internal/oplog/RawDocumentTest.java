package org.stellaops.backup.mongo.internal.oplog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.Random;
import org.bson.BsonDbPointer;
import org.bson.BsonDocument;
import org.bson.BsonSymbol;
import org.bson.BsonUndefined;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.Test;

class RawDocumentTest {
  private static final BsonDocument EVERY_TYPE =
      BsonDocument.parse(
              "{double: 1.5, string: 'x', document: {a: {b: 1}}, array: [1, [2]], binary: {$binary: {base64: 'AAE=', subType: '80'}},"
                  + " oid: {$oid: '000102030405060708090a0b'}, bool: true, date: {$date: 1}, 'null': null,"
                  + " regex: {$regularExpression: {pattern: 'a', options: 'i'}},"
                  + " code: {$code: 'f'}, scope: {$code: 'f', $scope: {a: 1}}, int: 7, ts: {$timestamp: {t: 1, i: 2}},"
                  + " long: {$numberLong: '8'}, decimal: {$numberDecimal: '1.10'}, min: {$minKey: 1}, max: {$maxKey: 1}, '': 0}")
          .append("pointer", new BsonDbPointer("a.b", new ObjectId("000102030405060708090a0b")))
          .append("symbol", new BsonSymbol("s"))
          .append("undefined", new BsonUndefined());

  @Test
  void elements_of_every_type_are_copied_byte_for_byte() {
    RawDocument document = Entries.raw(EVERY_TYPE);
    DocumentBuilder copy = new DocumentBuilder(0);

    int count = 0;
    for (RawElement element : document) {
      copy.add(element);
      count++;
    }

    assertEquals(EVERY_TYPE.size(), count);
    assertEquals(document, copy.finish());
  }

  @Test
  void a_document_that_is_damaged_is_read_or_refused_and_nothing_else() {
    byte[] bytes = Entries.raw(EVERY_TYPE).bytes();
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = bytes.clone();
      damaged[4 + random.nextInt(bytes.length - 4)] = (byte) random.nextInt();
      refused += isReadable(damaged) ? 0 : 1;
    }
    assertEquals(true, refused > 1_000, "refused " + refused);
  }

  private static boolean isReadable(byte[] bytes) {
    try {
      for (RawElement element : RawDocument.of(bytes)) {
        if (element.isDocument()) {
          element.document().forEach(e -> {});
        }
      }
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  @Test
  void bytes_cut_short_are_no_document() {
    byte[] bytes = Entries.raw(EVERY_TYPE).bytes();
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThrows(IllegalArgumentException.class, () -> new RawDocument(cut, 0, cut.length));
    }
  }
}
