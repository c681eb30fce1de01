package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.mongo.MongoFailure;

class ArchiveDamageTest {
  private static final byte[] TERMINATOR = ArchiveWriter.littleEndian(-1);

  @Test
  void every_flipped_bit_is_noticed() throws IOException {
    SmallArchive.Whole whole = SmallArchive.whole();
    byte[] archive = whole.archive();
    for (int i = 0; i < archive.length; i++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] damaged = archive.clone();
        damaged[i] ^= (byte) (1 << bit);
        requireNoticed(whole.meta(), damaged, "bit %d of byte %d".formatted(bit, i));
      }
    }
  }

  @Test
  void every_truncation_is_noticed_without_the_side_artifact() throws IOException {
    byte[] archive = SmallArchive.whole().archive();
    for (int length = 0; length < archive.length; length++) {
      byte[] cut = Arrays.copyOf(archive, length);
      var e = assertThrows(BackupException.Corrupt.class, () -> read(cut), "cut to " + length);
      assertEquals(CoreFailure.TRUNCATED, e.code(), e.getMessage());
    }
  }

  @Test
  void every_byte_left_out_or_doubled_is_noticed() throws IOException {
    SmallArchive.Whole whole = SmallArchive.whole();
    byte[] archive = whole.archive();
    for (int i = 0; i < archive.length; i++) {
      ByteArrayOutputStream without = new ByteArrayOutputStream();
      without.write(archive, 0, i);
      without.write(archive, i + 1, archive.length - i - 1);
      requireNoticed(whole.meta(), without.toByteArray(), "without byte " + i);
      ByteArrayOutputStream doubled = new ByteArrayOutputStream();
      doubled.write(archive, 0, i + 1);
      doubled.write(archive, i, archive.length - i);
      requireNoticed(whole.meta(), doubled.toByteArray(), "byte " + i + " twice");
    }
  }

  @Test
  void documents_that_changed_places_are_noticed() throws IOException {
    byte[] archive = SmallArchive.of(10, 10);
    int first = indexOf(archive, SmallArchive.document(0, 10));
    int length = SmallArchive.document(0, 10).length;
    byte[] swapped = archive.clone();
    System.arraycopy(archive, first, swapped, first + length, length);
    System.arraycopy(archive, first + length, swapped, first, length);
    requireCode(MongoFailure.CHECKSUM_DIFFERS, swapped);
  }

  @Test
  void an_archive_of_another_capture_is_noticed() throws IOException {
    CaptureMeta meta = SmallArchive.whole().meta();
    ArchiveContents other = read(SmallArchive.of(1, 2, 3));
    var e = assertThrows(BackupException.Corrupt.class, () -> meta.requireSame(other));
    assertEquals(MongoFailure.ARCHIVE_DIFFERS, e.code());
    assertEquals(
        List.of("prelude", "issuers.audit", "issuers.empty", "issuers.keys", "issuers.view"),
        e.damage().stream().map(f -> f.subject()).toList());
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, 4, (16 << 20) + (16 << 10) + 1, Integer.MAX_VALUE, Integer.MIN_VALUE, -2})
  void a_document_of_impossible_length_is_refused_before_it_is_read(int length) throws IOException {
    byte[] archive = SmallArchive.of(10);
    int at = indexOf(archive, SmallArchive.document(0, 10));
    System.arraycopy(ArchiveWriter.littleEndian(length), 0, archive, at, 4);
    requireCode(CoreFailure.MALFORMED, archive);
  }

  @Test
  void what_is_no_archive_is_called_that() {
    requireCode(CoreFailure.MALFORMED, "%PDF-1.7 and more".getBytes());
    requireCode(CoreFailure.TRUNCATED, new byte[0]);
    requireCode(CoreFailure.UNSUPPORTED_FORMAT, bytes(0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0));
  }

  @Test
  void a_version_we_do_not_know_is_refused() throws IOException {
    byte[] archive = SmallArchive.of(1);
    archive[indexOf(archive, "0.1".getBytes())] = '9';
    requireCode(CoreFailure.UNSUPPORTED_FORMAT, archive);
  }

  @Test
  void blocks_that_break_the_order_of_things_are_refused() throws IOException {
    byte[] good = SmallArchive.of(1);
    requireCode(CoreFailure.MALFORMED, join(good, header("keys", false, 0), TERMINATOR));
    requireCode(CoreFailure.MALFORMED, join(good, header("keys", true, 0), TERMINATOR));
    requireCode(CoreFailure.MALFORMED, join(good, header("other", true, 0), TERMINATOR));
    requireCode(CoreFailure.MALFORMED, join(good, TERMINATOR));
  }

  @Test
  void headers_with_more_or_other_fields_are_refused() throws IOException {
    byte[] prelude = preludeOf(SmallArchive.KEYS);
    BsonDocument more =
        new BsonDocument("db", new BsonString(SmallArchive.DB))
            .append("collection", new BsonString("keys"))
            .append("EOF", BsonBoolean.TRUE)
            .append("CRC", new BsonInt64(0))
            .append("more", new BsonInt32(1));
    requireCode(CoreFailure.MALFORMED, join(prelude, ArchiveWriter.encode(more), TERMINATOR));
    BsonDocument narrow = more.clone();
    narrow.remove("more");
    narrow.put("CRC", new BsonInt32(0));
    requireCode(CoreFailure.MALFORMED, join(prelude, ArchiveWriter.encode(narrow), TERMINATOR));
    narrow.put("CRC", new BsonInt64(0));
    assertDoesNotThrow(() -> read(join(prelude, ArchiveWriter.encode(narrow), TERMINATOR)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/b", "a\\b", "a.b", "a b", "a\"b", "$a", "a\0b"})
  void database_names_no_server_has_are_refused(String database) {
    byte[] archive = join(header(), meta(database, "keys", "{}"), TERMINATOR);
    requireCode(CoreFailure.UNSAFE_NAME, archive);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\0b", ".a"})
  void collection_names_no_server_has_are_refused(String collection) {
    byte[] archive = join(header(), meta("db", collection, "{}"), TERMINATOR);
    requireCode(CoreFailure.UNSAFE_NAME, archive);
  }

  @Test
  void a_namespace_of_256_bytes_is_refused_and_one_of_255_is_not() {
    assertDoesNotThrow(() -> new Namespace("db", "x".repeat(252)));
    requireCode(
        CoreFailure.UNSAFE_NAME, join(header(), meta("db", "x".repeat(253), "{}"), TERMINATOR));
  }

  @Test
  void a_namespace_announced_twice_is_refused() {
    byte[] meta = meta("db", "x", "{}");
    requireCode(CoreFailure.MALFORMED, join(header(), meta, meta, TERMINATOR));
  }

  @Test
  void a_prelude_without_end_is_refused_with_bounded_memory() {
    byte[] small = meta("db", "x", "{}");
    Stream<byte[]> distinct =
        IntStream.range(0, Integer.MAX_VALUE).mapToObj(i -> meta("db", "x" + i, "{}"));
    requireRefused(Stream.concat(Stream.of(header()), distinct));
    byte[] large = meta("db", "x", " ".repeat(4_000_000));
    requireRefused(
        Stream.concat(
            Stream.of(header()),
            IntStream.range(0, Integer.MAX_VALUE)
                .mapToObj(i -> meta("db", "y" + i, " ".repeat(4_000_000)))));
    assertTrue(large.length > small.length);
  }

  @Test
  void metadata_of_more_than_four_mebibytes_is_refused() {
    byte[] archive = join(header(), meta("db", "x", " ".repeat((4 << 20) + 1)), TERMINATOR);
    requireCode(CoreFailure.MALFORMED, archive);
  }

  private static void requireRefused(Stream<byte[]> parts) {
    Iterator<InputStream> streams = parts.<InputStream>map(ByteArrayInputStream::new).iterator();
    Enumeration<InputStream> enumeration =
        new Enumeration<>() {
          @Override
          public boolean hasMoreElements() {
            return streams.hasNext();
          }

          @Override
          public InputStream nextElement() {
            return streams.next();
          }
        };
    var e =
        assertThrows(
            BackupException.Corrupt.class,
            () ->
                ArchiveReader.read(
                    new SequenceInputStream(enumeration), new ArchiveReader.Visitor() {}));
    assertEquals(CoreFailure.MALFORMED, e.code());
  }

  private static void requireNoticed(CaptureMeta meta, byte[] damaged, String how) {
    try {
      meta.requireSame(read(damaged));
    } catch (BackupException.Corrupt e) {
      return;
    } catch (IOException | RuntimeException e) {
      fail(how, e);
    }
    fail(how + " was not noticed");
  }

  private static void requireCode(FailureCode code, byte[] archive) {
    var e = assertThrows(BackupException.Corrupt.class, () -> read(archive));
    assertEquals(code, e.code(), e.getMessage());
  }

  private static ArchiveContents read(byte[] archive) throws IOException {
    try (InputStream plain = ArchiveInput.open(new ByteArrayInputStream(archive))) {
      return ArchiveReader.read(plain, new ArchiveReader.Visitor() {});
    }
  }

  private static byte[] preludeOf(CollectionSpec spec) throws IOException {
    BytesOutput out = new BytesOutput();
    new ArchiveWriter(out).prelude(SmallArchive.prelude(List.of(spec)));
    return out.bytes();
  }

  private static byte[] header() {
    return join(
        ArchiveWriter.littleEndian(ArchiveFormat.MAGIC),
        ArchiveWriter.encode(
            new BsonDocument("concurrent_collections", new BsonInt32(1))
                .append("version", new BsonString("0.1"))
                .append("server_version", new BsonString("7.0.0"))
                .append("tool_version", new BsonString(""))));
  }

  private static byte[] meta(String database, String collection, String metadata) {
    return ArchiveWriter.encode(
        new BsonDocument("db", new BsonString(database))
            .append("collection", new BsonString(collection))
            .append("metadata", new BsonString(metadata))
            .append("size", new BsonInt32(0))
            .append("type", new BsonString("")));
  }

  private static byte[] header(String collection, boolean isEnd, long crc) {
    return ArchiveWriter.encode(
        new BsonDocument("db", new BsonString(SmallArchive.DB))
            .append("collection", new BsonString(collection))
            .append("EOF", BsonBoolean.valueOf(isEnd))
            .append("CRC", new BsonInt64(crc)));
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      joined.writeBytes(part);
    }
    return joined.toByteArray();
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private static int indexOf(byte[] haystack, byte[] needle) {
    for (int i = 0; i + needle.length <= haystack.length; i++) {
      if (Arrays.equals(haystack, i, i + needle.length, needle, 0, needle.length)) {
        return i;
      }
    }
    throw new AssertionError("not found");
  }
}
