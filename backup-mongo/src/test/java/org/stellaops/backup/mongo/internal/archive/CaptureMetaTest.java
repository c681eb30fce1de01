package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

class CaptureMetaTest {
  @Test
  void it_reads_what_it_wrote() throws IOException {
    CaptureMeta meta = SmallArchive.whole().meta();
    assertEquals(meta, CaptureMeta.read(new ByteArrayInputStream(bytes(meta))));
  }

  @Test
  void a_key_that_looks_like_extended_json_stays_a_key() throws IOException {
    BsonDocument options =
        new BsonDocument("validator", new BsonDocument("$numberInt", new BsonString("1")));
    CollectionSpec spec = new CollectionSpec("x", "collection", options, List.of(), "");
    CaptureMeta whole = SmallArchive.whole().meta();
    CaptureMeta meta =
        new CaptureMeta(
            "db",
            "7.0.0",
            "NONE",
            1,
            whole.prelude(),
            List.of(new CaptureMeta.Item(spec, Tally.NOTHING)));
    CaptureMeta read = CaptureMeta.read(new ByteArrayInputStream(bytes(meta)));
    assertEquals(options, read.collections().get(0).spec().options());
  }

  @Test
  void every_truncation_is_corrupt() throws IOException {
    byte[] bytes = bytes(SmallArchive.whole().meta());
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      var e =
          assertThrows(
              BackupException.Corrupt.class,
              () -> CaptureMeta.read(new ByteArrayInputStream(cut)),
              "cut to " + length);
      assertEquals(CoreFailure.TRUNCATED, e.code(), "cut to " + length);
    }
  }

  @Test
  void no_flipped_bit_makes_the_reader_fail_in_another_way_than_corrupt() throws IOException {
    byte[] bytes = bytes(SmallArchive.whole().meta());
    for (int i = 0; i < bytes.length * 8; i++) {
      byte[] damaged = bytes.clone();
      damaged[i / 8] ^= (byte) (1 << (i % 8));
      try {
        CaptureMeta.read(new ByteArrayInputStream(damaged));
      } catch (BackupException.Corrupt e) {
        continue;
      } catch (RuntimeException e) {
        fail("bit " + i, e);
      }
    }
  }

  @Test
  void more_than_is_announced_is_corrupt_and_another_format_is_unsupported() throws IOException {
    byte[] bytes = bytes(SmallArchive.whole().meta());
    ByteArrayOutputStream more = new ByteArrayOutputStream();
    more.write(bytes);
    more.write(ArchiveWriter.encode(new BsonDocument("a", new BsonInt32(1))));
    assertCode(CoreFailure.MALFORMED, more.toByteArray());
    byte[] other =
        ArchiveWriter.encode(new BsonDocument("format", new BsonString("stella-mongo-meta/2")));
    assertCode(CoreFailure.UNSUPPORTED_FORMAT, other);
  }

  private static void assertCode(CoreFailure code, byte[] bytes) {
    var e =
        assertThrows(
            BackupException.Corrupt.class, () -> CaptureMeta.read(new ByteArrayInputStream(bytes)));
    assertEquals(code, e.code());
  }

  private static byte[] bytes(CaptureMeta meta) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    meta.writeTo(out);
    return out.toByteArray();
  }
}
