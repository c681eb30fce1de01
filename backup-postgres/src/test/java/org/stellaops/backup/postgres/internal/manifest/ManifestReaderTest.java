package org.stellaops.backup.postgres.internal.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.postgres.PostgresFailure;

class ManifestReaderTest {
  /** Check value of CRC-32C, of 123456789, is e3069283. */
  private static final String CHECKED = "839206e3";

  private static final String BEFORE_CHECKSUM =
      """
      { "PostgreSQL-Backup-Manifest-Version": 2,
      "System-Identifier": 7400000000000000001,
      "Files": [
      { "Path": "backup_label", "Size": 9, "Last-Modified": "2026-01-02 03:04:05 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "%s" },
      { "Path": "odd \\"name\\" \\\\ \\u00e9", "Size": 0, "Last-Modified": "2026-01-02 03:04:05 GMT", "Checksum-Algorithm": "CRC32C", "Checksum": "00000000" }
      ],
      "WAL-Ranges": [
      { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
      ],
      """
          .formatted(CHECKED);

  @Test
  void every_file_is_handed_out() throws IOException {
    assertEquals(
        Map.of(
            "backup_label", new FileContents(9, 0xe3069283),
            "odd \"name\" \\ é", new FileContents(0, 0)),
        read(sealed(BEFORE_CHECKSUM), 7));
  }

  @Test
  void version_1_has_no_system_identifier() throws IOException {
    String version1 =
        BEFORE_CHECKSUM.replace("Version\": 2", "Version\": 1").replaceAll("\"System-.*\n", "");

    assertEquals(2, read(sealed(version1), 1000).size());
  }

  @Test
  void every_truncation_is_an_error() {
    byte[] whole = sealed(BEFORE_CHECKSUM).stripTrailing().getBytes(StandardCharsets.UTF_8);
    for (int length = 0; length < whole.length; length++) {
      String part = new String(whole, 0, length, StandardCharsets.UTF_8);
      assertThrows(
          BackupException.Corrupt.class, () -> read(part, 4096), "cut to " + length + " bytes");
    }
  }

  @Test
  void every_flipped_bit_is_an_error() {
    byte[] whole = sealed(BEFORE_CHECKSUM).stripTrailing().getBytes(StandardCharsets.UTF_8);
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThrows(BackupException.Corrupt.class, () -> read(flipped, 4096), "bit " + bit);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "CRC32C, SHA256",
    "Version\": 2, Version\": 3",
    "\"Size\": 9, \"Size\": -1",
    "\\u00e9, \\u00zz",
    "\\\\, \\x",
  })
  void another_form_is_an_error_even_under_a_good_checksum(String one, String other) {
    String different = BEFORE_CHECKSUM.replace(one, other);
    assertTrue(!different.equals(BEFORE_CHECKSUM), one);

    var e = assertThrows(BackupException.Corrupt.class, () -> read(sealed(different), 4096));

    assertEquals(PostgresFailure.MANIFEST_MALFORMED, e.code());
    assertTrue(e.getMessage().contains("line "), e.getMessage());
  }

  @Test
  void a_name_that_is_no_text_is_refused_and_shown() {
    String encoded =
        BEFORE_CHECKSUM.replace("\"Path\": \"backup_label\"", "\"Encoded-Path\": \"636166e95c\"");

    var e = assertThrows(BackupException.Corrupt.class, () -> read(sealed(encoded), 4096));

    assertEquals(PostgresFailure.NAME_NOT_UTF8, e.code());
    assertTrue(e.getMessage().contains("line 4: the name 'caf\\xe9\\x5c'"), e.getMessage());
  }

  @Test
  void a_line_without_end_is_refused_before_it_fills_the_memory() throws IOException {
    var reader = new ManifestReader((path, contents) -> {});
    byte[] piece = new byte[1024];
    Arrays.fill(piece, (byte) 'x');
    for (int i = 0; i < 16; i++) {
      reader.accept(piece, 0, piece.length);
    }

    assertThrows(BackupException.Corrupt.class, () -> reader.accept(piece, 0, piece.length));
  }

  private static String sealed(String text) {
    String digest = Digest.ofContent(text.getBytes(StandardCharsets.UTF_8)).hex();
    return text + "\"Manifest-Checksum\": \"" + digest + "\"}\n";
  }

  private static Map<String, FileContents> read(String text, int piece) throws IOException {
    return read(text.getBytes(StandardCharsets.UTF_8), piece);
  }

  private static Map<String, FileContents> read(byte[] bytes, int piece) throws IOException {
    Map<String, FileContents> files = new LinkedHashMap<>();
    var reader = new ManifestReader(files::put);
    for (int at = 0; at < bytes.length; at += piece) {
      reader.accept(bytes, at, Math.min(piece, bytes.length - at));
    }
    reader.finish();
    return files;
  }
}
