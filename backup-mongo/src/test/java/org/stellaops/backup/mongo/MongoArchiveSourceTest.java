package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.TestArchive;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

class MongoArchiveSourceTest {
  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("issuers.archive.gz");
  }

  private static byte[] archive() throws IOException {
    CollectionSpec keys = TestArchive.collection("keys", "{validationLevel: 'moderate'}");
    return TestArchive.of("issuers", List.of(keys), new BsonDocument("_id", new BsonInt32(1)));
  }

  private static byte[] gzip(byte[] plain) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
      gzip.write(plain);
    }
    return bytes.toByteArray();
  }

  private Captured capture() throws IOException {
    return CaptureHarness.of(MongoArchiveSource.of(file)).capture();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void what_is_stored_is_the_plain_archive_and_what_it_came_to(boolean isGzip) throws Exception {
    byte[] stored = isGzip ? gzip(archive()) : archive();
    Files.write(file, stored);

    Captured captured = capture();

    assertArrayEquals(archive(), captured.bytes("issuers.archive"));
    assertTrue(captured.bytes("mongo-meta.bson").length > 0);
    var header = captured.source();
    assertEquals("issuers.archive.gz", header.properties().get("registered.file"));
    assertEquals(Digest.ofContent(stored).hex(), header.properties().get("registered.sha256"));
    assertEquals("" + stored.length, header.properties().get("registered.bytes"));
    assertEquals("UNKNOWN", header.properties().get("consistency"));
    assertEquals(
        List.of("issuers.keys 1"),
        header.inventory().stream().map(i -> i.name() + " " + i.count()).toList());
  }

  /** It has databases, users and an oplog: all of it is kept, for mongorestore at least. */
  @Test
  void a_dump_of_a_whole_server_is_kept_as_it_is() throws Exception {
    byte[] real;
    try (InputStream in =
        MongoArchiveSourceTest.class.getResourceAsStream("/mongodump/dump-w-oplog.archive")) {
      real = in.readAllBytes();
    }
    Files.write(file, real);

    Captured captured = capture();

    assertArrayEquals(real, captured.bytes("instance.archive"));
    assertEquals(1, captured.names().size());
    assertTrue(
        captured.source().inventory().stream().map(InventoryItem::name).anyMatch(".oplog"::equals),
        captured.source().inventory().toString());
  }

  @Test
  void every_flipped_byte_and_every_truncation_is_never_a_capture() throws Exception {
    byte[] whole = archive();
    long prelude =
        ArchiveReader.read(new ByteArrayInputStream(whole), new ArchiveReader.Visitor() {})
            .preludeBytes();
    assertTrue(whole.length - prelude > 100);
    for (int at = 0; at < whole.length; at++) {
      byte[] flipped = whole.clone();
      flipped[at] ^= 0x20;
      // What an archive announces of itself, names, versions and options, no checksum covers.
      assertFalse(isCaptured(flipped) && at >= prelude, "byte " + at);
      assertFalse(isCaptured(Arrays.copyOf(whole, at)), "cut to " + at);
    }
  }

  @Test
  void every_flipped_byte_of_a_gzip_is_never_a_capture_of_another_archive() throws Exception {
    byte[] whole = gzip(archive());
    for (int at = 0; at < whole.length; at++) {
      byte[] flipped = whole.clone();
      flipped[at] ^= 0x20;
      Files.write(file, flipped);
      try {
        assertArrayEquals(archive(), capture().bytes("issuers.archive"), "byte " + at);
      } catch (BackupException e) {
        assertTrue(e instanceof BackupException.Corrupt, e.toString());
      }
      Files.write(file, Arrays.copyOf(whole, at));
      assertThrows(BackupException.Corrupt.class, this::capture, "cut to " + at);
    }
  }

  private boolean isCaptured(byte[] archive) throws IOException {
    Files.write(file, archive);
    try {
      capture();
      return true;
    } catch (BackupException.Corrupt e) {
      return false;
    }
  }

  @Test
  void a_check_reads_what_the_archive_announces() throws Exception {
    CheckResult absent = check();
    assertEquals(CheckResult.Verdict.FAIL, absent.verdict());
    assertTrue(absent.evidence().contains(file.toString()), absent.evidence());
    Files.writeString(file, "no archive at all");
    CheckResult other = check();
    assertEquals(CheckResult.Verdict.FAIL, other.verdict());
    assertTrue(other.evidence().contains("not a mongodump archive"), other.evidence());
    Files.write(file, gzip(archive()));
    CheckResult good = check();
    assertEquals(CheckResult.Verdict.PASS, good.verdict());
    assertTrue(good.evidence().contains("announces 1 namespaces"), good.evidence());
  }

  private CheckResult check() throws IOException {
    List<CheckResult> results = CaptureHarness.checks(MongoArchiveSource.of(file));
    assertEquals(1, results.size());
    return results.get(0);
  }

  @Test
  void a_file_that_is_not_there_is_named() {
    var e = assertThrows(BackupException.Source.class, this::capture);
    assertEquals(CoreFailure.NOT_FOUND, e.code());
    assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
  }
}
