package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.bson.BsonBinary;
import org.bson.BsonDbPointer;
import org.bson.BsonDecimal128;
import org.bson.BsonDocument;
import org.bson.BsonDouble;
import org.bson.BsonJavaScriptWithScope;
import org.bson.BsonMaxKey;
import org.bson.BsonMinKey;
import org.bson.BsonRegularExpression;
import org.bson.BsonSymbol;
import org.bson.BsonTimestamp;
import org.bson.BsonUndefined;
import org.bson.types.Decimal128;
import org.bson.types.ObjectId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ArchiveRoundTripTest {
  static List<int[]> awkwardSizes() {
    int buffer = DocumentInput.INITIAL_BYTES;
    return List.of(
        new int[] {},
        new int[] {0},
        new int[] {0, 0, 0},
        new int[] {buffer - 100, buffer, buffer + 100, 3 * buffer, 1},
        new int[] {1, (16 << 20) - 100, 1},
        new int[] {(16 << 20) + (16 << 10) - 30, (16 << 20) + (16 << 10) - 30});
  }

  @ParameterizedTest
  @MethodSource("awkwardSizes")
  void documents_of_awkward_sizes_come_back_as_they_were(int[] payloads) throws IOException {
    List<byte[]> seen = new ArrayList<>();
    ArchiveContents contents =
        ArchiveReader.read(in(SmallArchive.of(payloads)), collecting("keys", seen));
    assertEquals(payloads.length, seen.size());
    for (int id = 0; id < payloads.length; id++) {
      assertArrayEquals(SmallArchive.document(id, payloads[id]), seen.get(id), "document " + id);
    }
    assertEquals(payloads.length, contents.tallies().get(keys()).documents());
  }

  @Test
  void namespaces_that_take_turns_are_told_apart() throws IOException {
    // given
    SmallArchive.Whole whole = SmallArchive.whole();
    List<byte[]> keys = new ArrayList<>();
    // when
    ArchiveContents contents = ArchiveReader.read(in(whole.archive()), collecting("keys", keys));
    // then
    assertEquals(3, keys.size());
    assertArrayEquals(SmallArchive.document(4, 20), keys.get(2));
    for (CaptureMeta.Item item : whole.meta().collections()) {
      assertEquals(item.tally(), contents.tallies().get(SmallArchive.namespace(item.spec())));
    }
    assertEquals(SmallArchive.prelude(SmallArchive.ALL), contents.prelude());
    assertEquals(whole.archive().length, contents.bytes());
    whole.meta().requireSame(contents);
  }

  @Test
  void a_chunk_ends_before_each_namespace_and_nowhere_else() throws IOException {
    BytesOutput out = new BytesOutput();
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(SmallArchive.prelude(SmallArchive.ALL));
    for (CollectionSpec spec : SmallArchive.ALL) {
      writer.begin(SmallArchive.namespace(spec));
      writer.end(SmallArchive.namespace(spec));
    }
    writer.finish();
    assertEquals(SmallArchive.ALL.size(), out.boundaries().size());
    assertEquals(writer.preludeBytes(), out.boundaries().get(0).longValue());
  }

  @Test
  void documents_no_decoder_would_keep_come_back_byte_for_byte() throws IOException {
    // given
    byte[] everyType =
        ArchiveWriter.encode(
            new BsonDocument("undefined", new BsonUndefined())
                .append("pointer", new BsonDbPointer("db.x", new ObjectId()))
                .append("symbol", new BsonSymbol("s"))
                .append("scope", new BsonJavaScriptWithScope("f()", new BsonDocument()))
                .append("min", new BsonMinKey())
                .append("max", new BsonMaxKey())
                .append("decimal", new BsonDecimal128(Decimal128.parse("-0E+6111")))
                .append("nan", new BsonDouble(Double.longBitsToDouble(0x7ff8000000000042L)))
                .append("regex", new BsonRegularExpression("^a", "im"))
                .append("timestamp", new BsonTimestamp(1, 2))
                .append("vendor", new BsonBinary((byte) 0x80, new byte[] {1, 2})));
    byte[] twice = hex("13000000" + "106a0001000000" + "106a0002000000" + "00");
    byte[] notUtf8 = hex("10000000" + "026d000400000080fffe00" + "00");
    List<byte[]> documents = List.of(everyType, twice, notUtf8);
    BytesOutput out = new BytesOutput();
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(SmallArchive.prelude(List.of(SmallArchive.KEYS)));
    writer.begin(keys());
    for (byte[] document : documents) {
      writer.document(keys(), document, 0, document.length);
    }
    writer.end(keys());
    // when
    List<byte[]> seen = new ArrayList<>();
    ArchiveReader.read(in(out.bytes()), collecting("keys", seen));
    // then
    for (int i = 0; i < documents.size(); i++) {
      assertArrayEquals(documents.get(i), seen.get(i), "document " + i);
    }
  }

  @Test
  void gzip_of_one_member_or_two_reads_the_same() throws IOException {
    byte[] archive = SmallArchive.whole().archive();
    for (int cut : new int[] {0, 1, 100, archive.length}) {
      ByteArrayOutputStream members = new ByteArrayOutputStream();
      members.write(gzip(Arrays.copyOf(archive, cut)));
      members.write(gzip(Arrays.copyOfRange(archive, cut, archive.length)));
      try (InputStream plain = ArchiveInput.open(in(members.toByteArray()))) {
        assertArrayEquals(archive, plain.readAllBytes(), "cut at " + cut);
      }
    }
  }

  @Test
  void a_time_series_has_its_documents_where_its_buckets_are() throws IOException {
    // given
    CollectionSpec series =
        new CollectionSpec("weather", "timeseries", new BsonDocument(), List.of(), "");
    BytesOutput out = new BytesOutput();
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(SmallArchive.prelude(List.of(series)));
    Namespace buckets = new Namespace(SmallArchive.DB, "system.buckets.weather");
    byte[] document = SmallArchive.document(1, 1);
    writer.begin(buckets);
    writer.document(buckets, document, 0, document.length);
    writer.end(buckets);
    writer.finish();
    // when
    List<byte[]> seen = new ArrayList<>();
    ArchiveContents contents = ArchiveReader.read(in(out.bytes()), collecting("weather", seen));
    // then
    assertEquals(1, seen.size());
    assertEquals(1, contents.tallies().get(SmallArchive.namespace(series)).documents());
  }

  @Test
  void archives_of_real_servers_are_read_and_all_their_checksums_are_right() throws IOException {
    assertEquals(Map.of("test.ixtest", 0L), documentsOf("4.0.14", "bad-format"));
    assertEquals(
        Map.of("test.foo", 25L, ".oplog", 18L, "admin.system.version", 1L),
        documentsOf("4.0.2", "dump-w-oplog"));
    assertEquals(
        Map.of("test.bar", 1L, "admin.system.version", 1L), documentsOf("3.4.3", "test.bar"));
    assertEquals(
        Map.of("admin.system.views", 0L, "timeseries_test.foo_ts", 10L, "admin.system.version", 1L),
        documentsOf("5.0.0-rc0", "timeseries"));
  }

  private static Map<String, Long> documentsOf(String server, String fixture) throws IOException {
    ArchiveContents contents = readFixture(fixture);
    assertEquals(server, contents.prelude().serverVersion());
    Map<String, Long> documents = new TreeMap<>();
    contents.tallies().forEach((of, tally) -> documents.put(of.toString(), tally.documents()));
    return documents;
  }

  static ArchiveContents readFixture(String name) throws IOException {
    try (InputStream in =
            ArchiveRoundTripTest.class.getResourceAsStream("/mongodump/" + name + ".archive");
        InputStream plain = ArchiveInput.open(in)) {
      return ArchiveReader.read(plain, new ArchiveReader.Visitor() {});
    }
  }

  @Test
  void the_writer_refuses_what_would_not_be_an_archive() throws IOException {
    ArchiveWriter writer = new ArchiveWriter(new BytesOutput());
    writer.prelude(SmallArchive.prelude(List.of(SmallArchive.KEYS)));
    Namespace other = new Namespace(SmallArchive.DB, "other");
    assertThrows(IllegalStateException.class, () -> writer.begin(other));
    assertThrows(IllegalStateException.class, () -> writer.document(keys(), new byte[5], 0, 5));
    assertThrows(IllegalStateException.class, writer::finish);
    writer.begin(keys());
    assertThrows(IllegalStateException.class, writer::finish);
    writer.end(keys());
    assertThrows(IllegalStateException.class, () -> writer.begin(keys()));
    writer.finish();
    assertTrue(writer.preludeBytes() > 0);
  }

  private static Namespace keys() {
    return SmallArchive.namespace(SmallArchive.KEYS);
  }

  private static InputStream in(byte[] bytes) {
    return new ByteArrayInputStream(bytes);
  }

  private static byte[] hex(String digits) {
    return HexFormat.of().parseHex(digits);
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  private static ArchiveReader.Visitor collecting(String collection, List<byte[]> into) {
    return new ArchiveReader.Visitor() {
      @Override
      public void document(Prelude.Entry of, byte[] buffer, int offset, int length) {
        if (of.namespace().collection().equals(collection)) {
          into.add(Arrays.copyOfRange(buffer, offset, offset + length));
        }
      }
    };
  }
}
