package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

class EntryTest {
  private static final Digest DIGEST = Digest.ofContent(new byte[1]);
  private final TestSigner signer = new TestSigner();

  private byte[] honest() throws Exception {
    return signer.entry(
        "host-a",
        2,
        Optional.of(DIGEST),
        new Entry.Draft("snapshot")
            .field("name", "a name")
            .field("part", "one")
            .line(DIGEST, "w/host-a/x")
            .field("part", "two")
            .field("empty", ""));
  }

  private static Entry parse(byte[] bytes) throws BackupException {
    return Entry.parse(bytes, "the entry", new SeenSignatures());
  }

  private static BackupException.Corrupt refused(byte[] bytes) {
    return assertThrows(BackupException.Corrupt.class, () -> parse(bytes));
  }

  private BackupException.Corrupt refused(String text) throws Exception {
    return refused(signer.signed(text));
  }

  private String text() throws Exception {
    String whole = new String(honest(), StandardCharsets.US_ASCII);
    return whole.substring(0, whole.indexOf("#sig "));
  }

  @Test
  void what_is_written_is_read() throws Exception {
    Entry entry = parse(honest());
    assertEquals(TestSigner.REPOSITORY, entry.repository());
    assertEquals("host-a", entry.log());
    assertEquals(2, entry.sequence());
    assertEquals(Optional.of(DIGEST), entry.previous());
    assertEquals("snapshot", entry.kind());
    assertEquals(signer.publicKey(), entry.publicKey());
    assertEquals(Digest.ofContent(honest()).hex().length(), entry.digest().hex().length());
    assertEquals(Optional.of("a name"), entry.field("name"));
    assertEquals(List.of("one", "two"), entry.fields("part"));
    assertEquals(Optional.of(""), entry.field("empty"));
    assertEquals(Optional.empty(), entry.field("absent"));
    assertEquals(List.of(new Entry.Line(DIGEST, "w/host-a/x")), entry.lines());
    assertEquals(
        List.of(
            new Entry.Section("one", List.of(new Entry.Line(DIGEST, "w/host-a/x"))),
            new Entry.Section("two", List.of())),
        entry.sections("part"));
    assertEquals("log/host-a/0000000002.entry", entry.objectName());
    assertEquals(Set.of(), entry.required());
  }

  @Test
  void every_flipped_bit_is_refused_or_signed_by_another_key() throws Exception {
    byte[] entry = honest();
    Random bits = new Random(7);
    for (int at = 0; at < entry.length; at++) {
      byte[] flipped = entry.clone();
      flipped[at] ^= (byte) (1 << bits.nextInt(8));
      try {
        assertTrue(!parse(flipped).publicKey().equals(signer.publicKey()), "byte " + at);
      } catch (BackupException.Corrupt e) {
        assertTrue(e.getMessage().contains("the entry"), e.getMessage());
      }
    }
  }

  @Test
  void every_truncation_is_refused() throws Exception {
    byte[] entry = honest();
    for (int length = 0; length < entry.length; length++) {
      refused(Arrays.copyOf(entry, length));
    }
  }

  @Test
  void a_signature_that_was_seen_vouches_for_exactly_its_bytes() throws Exception {
    SeenSignatures seen = new SeenSignatures();
    byte[] entry = honest();
    assertEquals(
        Entry.parse(entry, "first", seen).publicKey(),
        Entry.parse(entry.clone(), "again", seen).publicKey());
    byte[] changed = entry.clone();
    changed[40] ^= 1;
    assertThrows(BackupException.Corrupt.class, () -> Entry.parse(changed, "changed", seen));
    assertThrows(BackupException.Corrupt.class, () -> Entry.parse(changed, "changed", seen));
  }

  @Test
  void a_newer_title_is_told_apart_from_damage() throws Exception {
    var newer = refused(text().replace("entry 1\n", "entry 2\n"));
    assertEquals(CoreFailure.UNSUPPORTED_FORMAT, newer.code());
    assertEquals(CoreFailure.MALFORMED, refused("x".getBytes(StandardCharsets.US_ASCII)).code());
  }

  @Test
  void every_field_of_the_header_must_be_there() throws Exception {
    for (String field :
        List.of("repository", "log", "seq", "prev", "nonce", "time", "kind", "seen")) {
      String without = text().replaceFirst("(?m)^# " + field + ": .*\n", "");
      assertEquals(CoreFailure.MALFORMED, refused(without).code(), field);
    }
  }

  @Test
  void what_is_no_line_of_an_entry_is_refused() throws Exception {
    String hex = DIGEST.hex();
    for (String line :
        List.of(
            "",
            "text",
            "#",
            "# no colon",
            "# Upper: x",
            "# x:  two",
            "# x: trailing ",
            hex + " one-space",
            hex.substring(1) + "  w/x",
            hex.toUpperCase(java.util.Locale.ROOT) + "  w/x",
            hex + "  ../x",
            hex + "  /x",
            hex + "  w/../x",
            hex + "  w//x",
            hex + "  w/./x",
            hex + "  w/x/",
            hex + "  w\\x")) {
      assertEquals(CoreFailure.MALFORMED, refused(text() + line + "\n").code(), line);
    }
    for (String wrong : List.of("# seq: x", "# time: now", "# prev: nothing")) {
      String field = wrong.substring(0, wrong.indexOf(':') + 1);
      refused(text().replaceFirst("(?m)^" + field + ".*$", wrong));
    }
  }

  @Test
  void bytes_that_are_no_printable_ascii_are_refused() throws Exception {
    for (byte b : new byte[] {0, 9, 13, 27, 127, (byte) 0x80, (byte) 0xff}) {
      byte[] entry = honest();
      entry[entry.length / 2] = b;
      assertEquals(CoreFailure.MALFORMED, refused(entry).code());
    }
    assertEquals(CoreFailure.MALFORMED, refused(new byte[Entry.MAX_BYTES + 1]).code());
  }

  @Test
  void a_draft_takes_no_value_that_would_be_two_lines() {
    for (String value : List.of("a\nb", "a\r", " a", "a ", "\u00e9", "\0")) {
      assertThrows(
          IllegalArgumentException.class, () -> new Entry.Draft("x").field("name", value), value);
    }
    for (String path : List.of("", "a b", "a\nb", "#x", ".x")) {
      assertThrows(
          IllegalArgumentException.class, () -> new Entry.Draft("x").line(DIGEST, path), path);
    }
  }
}
