package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Stanza;

class AgeHeaderTest {
  private static final String VERSION = "age-encryption.org/v1\n";
  private static final String MAC = "--- " + "A".repeat(43) + "\n";
  private static final String FULL = "A".repeat(64) + "\n";
  private static final FileKey KEY = FileKey.of(new byte[16]);

  @Test
  void a_written_header_is_read_again() throws IOException {
    List<Stanza> stanzas =
        List.of(
            new Stanza("X25519", List.of("QUJD"), "A".repeat(43)),
            new Stanza("other", List.of("a", "b!~", "c"), ""),
            new Stanza("exact", List.of(), "A".repeat(64)),
            new Stanza("long", List.of(), "A".repeat(128 + 12)));
    AgeHeader written = AgeHeader.of(stanzas, KEY);

    var stored = new ByteArrayInputStream(concat(written.toBytes(), new byte[] {1, 2, 3}));
    AgeHeader read = AgeHeader.read(stored);

    assertEquals(stanzas, read.stanzas());
    assertTrue(read.isAuthentic(KEY));
    assertFalse(read.isAuthentic(FileKey.of(new byte[] {1})));
    assertEquals(3, stored.available(), "not a byte of the payload is taken");
    assertEquals(written.toBytes().length, read.lengthBytes());
    assertArrayEquals(written.toBytes(), read.toBytes());
  }

  @Test
  void a_body_that_ends_with_a_full_line_is_followed_by_an_empty_one() {
    AgeHeader header = AgeHeader.of(List.of(new Stanza("x", List.of(), "A".repeat(64))), KEY);

    String text = new String(header.toBytes(), ISO_8859_1);

    assertTrue(text.startsWith(VERSION + "-> x\n" + FULL + "\n--- "), text);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--- M\n", // no stanza
        "-> \n\n--- M\n", // no type
        "->\n\n--- M\n",
        "->x\n\n--- M\n",
        "-> x  y\n\n--- M\n", // an empty argument
        "-> x \n\n--- M\n",
        "->  x\n\n--- M\n",
        "-> x\ty\n\n--- M\n",
        "-> x\u007f\n\n--- M\n",
        "-> \u00e4\n\n--- M\n",
        "-> x\r\n\r\n--- M\n", // CRLF
        "-> x\n--- M\n", // no last line
        "-> x\nF--- M\n", // no line behind a full one
        "-> x\nQUJD\nQUJD\n--- M\n", // a line behind the last one
        "-> x\n\n\n--- M\n",
        "-> x\nFA\n\n--- M\n",
        "-> x\nQUJDRA==\n--- M\n", // padding
        "-> x\nQUJDRB\n--- M\n", // bits that carry nothing
        "-> x\nQ\n--- M\n",
        "-> x\nQU JD\n--- M\n",
        "-> x\nQUJ-\n--- M\n",
        "-> x\n\n---M\n",
        "-> x\n\n---  M\n",
        "-> x\n\n--- M \n",
        "-> x\n\n--- M\r\n",
        "-> x\n\n--- \n",
        "-> x\n\n---\n",
        "-> x\n\n--- QUJD\n",
        "-> x\n\n--- M=\n",
        "-> x\n\n--- L\n", // bits that carry nothing
        "-> scrypt\n\n-> X25519\n\n--- M\n" // a passphrase must stand alone
      })
  void what_is_not_strictly_a_header_is_refused(String text) {
    String tooLong = text.replace("FA", "A".repeat(65));
    String header =
        VERSION
            + tooLong
                .replace("F", FULL)
                .replace("M", "A".repeat(43))
                .replace("L", "A".repeat(42) + "B");

    assertMalformed(new ByteArrayInputStream(header.getBytes(ISO_8859_1)));
  }

  @Test
  void an_empty_body_is_a_body() throws IOException {
    String header = VERSION + "-> x\n\n" + MAC;

    assertEquals(
        List.of(new Stanza("x", List.of(), "")),
        AgeHeader.read(new ByteArrayInputStream(header.getBytes(ISO_8859_1))).stanzas());
  }

  @Test
  void an_endless_header_is_refused() {
    assertMalformed(endless(VERSION + "-> x\n", "A"));
    assertMalformed(endless(VERSION, "-> x\n\n"));
    assertMalformed(endless(VERSION + "-> x\n", FULL));
    assertMalformed(endless(VERSION, "-> x " + "y ".repeat(2000) + "z\n\n"));
  }

  @Test
  void a_header_that_would_be_too_large_is_not_written() {
    var small = new Stanza("x", List.of(), "");
    var large = new Stanza("x", List.of("y".repeat(600_000)), "");

    AgeHeader.of(Collections.nCopies(1000, small), KEY);
    for (List<Stanza> bad :
        List.of(List.<Stanza>of(), Collections.nCopies(1001, small), List.of(large, large))) {
      assertThrows(IllegalArgumentException.class, () -> AgeHeader.of(bad, KEY));
    }
  }

  private static void assertMalformed(InputStream stored) {
    var refusal = assertThrows(BackupException.Corrupt.class, () -> AgeHeader.read(stored));
    assertEquals("STELLA-406", refusal.code().code(), refusal.getMessage());
  }

  /** {@code start}, and then {@code again} for ever. */
  private static InputStream endless(String start, String again) {
    return new InputStream() {
      private int at;

      @Override
      public int read() {
        int index = at++;
        return index < start.length()
            ? start.charAt(index)
            : again.charAt((index - start.length()) % again.length());
      }
    };
  }

  private static byte[] concat(byte[] one, byte[] two) {
    byte[] both = new byte[one.length + two.length];
    System.arraycopy(one, 0, both, 0, one.length);
    System.arraycopy(two, 0, both, one.length, two.length);
    return both;
  }
}
