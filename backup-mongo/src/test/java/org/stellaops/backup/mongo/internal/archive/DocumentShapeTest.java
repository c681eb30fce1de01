package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HexFormat;
import org.bson.BSONException;
import org.bson.BsonDbPointer;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;

class DocumentShapeTest {
  private static final String EVERY_TYPE =
      "{d: 1.5, s: 'text', o: {a: {}}, arr: [1, 'two', [3]], bin: {$binary: {base64: 'AAEC',"
          + " subType: '80'}}, oid: {$oid: '0123456789abcdef01234567'}, t: true, at: {$date:"
          + " '2026-01-01T00:00:00Z'}, n: null, re: /a+/i, js: {$code: 'x'}, sc: {$code: 'y',"
          + " $scope: {z: {w: 1}}}, sym: {$symbol: 'q'}, i: 1, ts: {$timestamp: {t: 1, i: 2}}, l:"
          + " {$numberLong: '3'}, dec: {$numberDecimal: '1.0'}, min: {$minKey: 1}, max: {$maxKey:"
          + " 1}, und: {$undefined: true}}";

  private final DocumentShape shape = new DocumentShape();

  @Test
  void a_document_of_every_type_has_no_problem() {
    byte[] bytes = everyType();
    assertNull(shape.problem(bytes, 0, bytes.length));
    byte[] shifted = new byte[bytes.length + 20];
    System.arraycopy(bytes, 0, shifted, 7, bytes.length);
    assertNull(shape.problem(shifted, 7, bytes.length));
  }

  private static byte[] everyType() {
    return ArchiveWriter.encode(
        BsonDocument.parse(EVERY_TYPE)
            .append("p", new BsonDbPointer("a.b", new ObjectId("0123456789abcdef01234567"))));
  }

  @Test
  void nesting_is_bounded_and_does_not_recurse() {
    byte[] deep = ArchiveWriter.encode(nested(300));
    assertNotNull(shape.problem(deep, 0, deep.length));
    byte[] hundred = ArchiveWriter.encode(nested(199));
    assertNull(shape.problem(hundred, 0, hundred.length));
  }

  private static BsonDocument nested(int depth) {
    BsonDocument document = new BsonDocument();
    for (int i = 0; i < depth; i++) {
      document = new BsonDocument("d", document);
    }
    return document;
  }

  /** What the shape lets pass, the driver can walk through, or finds only text to complain of. */
  @Test
  void no_changed_byte_passes_that_breaks_the_structure() {
    byte[] good = everyType();
    int found = 0;
    for (int at = 0; at < good.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] bad = good.clone();
        bad[at] ^= (byte) (1 << bit);
        if (shape.problem(bad, 0, bad.length) == null) {
          walk(bad);
        } else {
          found++;
        }
      }
    }
    assertTrue(found > 500, found + " found");
  }

  private static void walk(byte[] bytes) {
    try {
      new RawBsonDocument(bytes).toJson();
    } catch (BSONException | IllegalArgumentException e) {
      boolean isText =
          String.valueOf(e.getMessage())
              .matches("(?s).*(boolean|regular|Regular|UUID|UTF|subtype|Decimal|decimal|name).*");
      assertTrue(isText, HexFormat.of().formatHex(bytes) + " " + e);
    }
  }

  @Test
  void every_truncation_is_a_problem() {
    byte[] good = everyType();
    for (int length = 0; length < good.length; length++) {
      byte[] cut = Arrays.copyOf(good, length);
      assertNotNull(shape.problem(cut, 0, length), "cut to " + length);
    }
  }

  @Test
  void a_run_with_an_invalid_document_names_the_collection_and_the_id() {
    byte[] good = ArchiveWriter.encode(BsonDocument.parse("{_id: 'k1', a: 'b'}"));
    byte[] bad = ArchiveWriter.encode(BsonDocument.parse("{_id: 'k2', a: 'b'}"));
    bad[bad.length - 8] = 0x42; // of no type
    byte[] both = Arrays.copyOf(good, good.length + bad.length);
    System.arraycopy(bad, 0, both, good.length, bad.length);
    var e =
        assertThrows(
            BackupException.Source.class,
            () -> DocumentRun.of(new Namespace("db", "keys"), both, both.length));
    assertEquals(MongoFailure.INVALID_DOCUMENT, e.code());
    assertTrue(e.getMessage().contains("db.keys"), e.getMessage());
    assertTrue(e.getMessage().contains("k2"), e.getMessage());
  }
}
