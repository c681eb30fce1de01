package org.stellaops.backup.crypto;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.Decryptor.SealedReader;

/** Altered files are reported, each kind of damage with its code, and never accepted. */
class AgeDamageTest {
  private static final String CORRUPT = "STELLA-400";
  private static final String TRUNCATED = "STELLA-401";
  private static final String MALFORMED = "STELLA-406";
  private static final ExecutorService EXECUTOR = Executors.newFixedThreadPool(2);

  private AgeIdentity identity;

  static Stream<Age> formats() {
    return Stream.of(Age.format(), Age.withoutConscrypt(), Age.parallel(EXECUTOR, 2));
  }

  @BeforeEach
  void makeIdentity() throws IOException {
    identity = AgeIdentity.generate();
  }

  @AfterEach
  void closeIdentity() {
    identity.close();
  }

  @AfterAll
  static void stopExecutor() {
    EXECUTOR.shutdownNow();
  }

  @Test
  void every_flipped_bit_of_a_small_file_is_reported() throws IOException {
    byte[] stored = AgeBytes.seal(Age.format(), AgeBytes.plain(100), identity.recipient());
    for (int at = 0; at < stored.length; at++) {
      for (int bit = 0; bit < 8; bit++) {
        byte[] damaged = stored.clone();
        damaged[at] ^= (byte) (1 << bit);
        assertReported(Age.format(), damaged, "bit %d of byte %d".formatted(bit, at));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void every_flipped_byte_of_a_small_file_is_reported(Age format) throws IOException {
    byte[] stored = AgeBytes.seal(format, AgeBytes.plain(100), identity.recipient());
    for (int at = 0; at < stored.length; at++) {
      byte[] damaged = stored.clone();
      damaged[at] = (byte) ~damaged[at];
      assertReported(format, damaged, "byte " + at);
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void every_truncation_of_a_small_file_is_reported(Age format) throws IOException {
    byte[] stored = AgeBytes.seal(format, AgeBytes.plain(100), identity.recipient());
    for (int length = 0; length < stored.length; length++) {
      assertReported(format, Arrays.copyOf(stored, length), "cut at " + length);
    }
  }

  @Test
  void seeded_flips_of_a_large_file_are_reported_as_corrupt_or_at_its_end_as_truncated()
      throws IOException {
    long seed = 20260103;
    var random = new Random(seed);
    byte[] stored =
        AgeBytes.seal(Age.format(), AgeBytes.plain(5 * AgeBytes.SEGMENT + 9), identity.recipient());
    int start = AgeBytes.payloadStart(stored);
    int lastSegment = start + 5 * AgeBytes.SEALED_SEGMENT;
    for (int i = 0; i < 300; i++) {
      int at = start + random.nextInt(stored.length - start);
      byte[] damaged = stored.clone();
      damaged[at] ^= (byte) (1 << random.nextInt(8));
      String code = at < lastSegment ? CORRUPT : TRUNCATED;
      String what = "byte %d, seed %d".formatted(at, seed);
      assertEquals(Set.of(code), codes(Age.format(), damaged), what);
    }
  }

  @Test
  void every_truncation_of_a_large_file_is_reported_as_truncated() throws IOException {
    byte[] stored =
        AgeBytes.seal(Age.format(), AgeBytes.plain(3 * AgeBytes.SEGMENT), identity.recipient());
    int second = AgeBytes.payloadStart(stored) + AgeBytes.SEALED_SEGMENT;
    int[] lengths = {
      second,
      second + 1,
      second + 15,
      second + 16,
      second + 17,
      second + 1000,
      second + AgeBytes.SEALED_SEGMENT - 1,
      second + AgeBytes.SEALED_SEGMENT,
      stored.length - 1
    };
    for (int length : lengths) {
      byte[] cut = Arrays.copyOf(stored, length);
      assertEquals(Set.of(TRUNCATED), codes(Age.format(), cut), "cut at " + length);
    }
  }

  @Test
  void a_cut_header_is_reported_as_truncated() throws IOException {
    byte[] stored = AgeBytes.seal(Age.format(), AgeBytes.plain(10), identity.recipient());
    for (int length = 0; length < AgeBytes.payloadStart(stored); length++) {
      byte[] cut = Arrays.copyOf(stored, length);
      assertEquals(Set.of(TRUNCATED), codes(Age.format(), cut), "cut at " + length);
    }
  }

  @Test
  void a_file_that_ends_before_its_first_tag_is_reported_as_truncated() throws IOException {
    byte[] stored = AgeBytes.seal(Age.format(), AgeBytes.plain(10), identity.recipient());
    for (int bytes = 0; bytes < 16; bytes++) {
      byte[] cut = Arrays.copyOf(stored, AgeBytes.payloadStart(stored) + bytes);
      assertEquals(Set.of(TRUNCATED), codes(Age.format(), cut), bytes + " bytes of payload");
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void bytes_behind_the_end_are_reported(Age format) throws IOException {
    for (int size : new int[] {0, 1, AgeBytes.SEGMENT - 1, AgeBytes.SEGMENT, 20 * 65536}) {
      byte[] stored = AgeBytes.seal(format, AgeBytes.plain(size), identity.recipient());
      for (int more : new int[] {1, 16, 17, AgeBytes.SEALED_SEGMENT}) {
        byte[] longer = AgeBytes.concat(stored, new byte[more]);
        assertReported(format, longer, "%d bytes behind %d".formatted(more, size));
      }
    }
  }

  @Test
  void bytes_behind_a_full_last_segment_are_reported_as_corrupt() throws IOException {
    byte[] stored =
        AgeBytes.seal(Age.format(), AgeBytes.plain(AgeBytes.SEGMENT), identity.recipient());

    byte[] longer = AgeBytes.concat(stored, new byte[100]);

    var failure = Failures.assertCorrupt(CORRUPT, () -> open(Age.format(), longer));
    assertTrue(failure.getMessage().contains("goes on behind"), failure.getMessage());
  }

  @ParameterizedTest
  @MethodSource("formats")
  void swapped_repeated_and_missing_segments_are_reported_as_corrupt(Age format)
      throws IOException {
    byte[] stored =
        AgeBytes.seal(format, AgeBytes.plain(12 * AgeBytes.SEGMENT + 5), identity.recipient());
    int start = AgeBytes.payloadStart(stored);
    int length = AgeBytes.SEALED_SEGMENT;
    byte[] head = AgeBytes.slice(stored, 0, start + 3 * length);
    byte[] third = AgeBytes.slice(stored, start + 3 * length, start + 4 * length);
    byte[] fourth = AgeBytes.slice(stored, start + 4 * length, start + 5 * length);
    byte[] tail = AgeBytes.slice(stored, start + 5 * length, stored.length);

    assertAll(
        () ->
            assertEquals(
                Set.of(CORRUPT),
                codes(format, AgeBytes.concat(head, fourth, third, tail)),
                "swapped"),
        () ->
            assertEquals(
                Set.of(CORRUPT),
                codes(format, AgeBytes.concat(head, third, third, fourth, tail)),
                "repeated"),
        () -> assertEquals(Set.of(CORRUPT), codes(format, AgeBytes.concat(head, fourth, tail))));
  }

  @Test
  void a_segment_of_another_file_to_the_same_recipient_is_reported() throws IOException {
    byte[] plain = AgeBytes.plain(3 * AgeBytes.SEGMENT);
    byte[] one = AgeBytes.seal(Age.format(), plain, identity.recipient());
    byte[] other = AgeBytes.seal(Age.format(), plain, identity.recipient());
    int start = AgeBytes.payloadStart(one);

    System.arraycopy(other, start, one, start, AgeBytes.SEALED_SEGMENT);

    assertEquals(Set.of(CORRUPT), codes(Age.format(), one));
  }

  @Test
  void the_header_of_another_file_is_reported_as_corrupt() throws IOException {
    byte[] one = AgeBytes.seal(Age.format(), AgeBytes.plain(50), identity.recipient());
    byte[] other = AgeBytes.seal(Age.format(), AgeBytes.plain(50), identity.recipient());
    int start = AgeBytes.payloadStart(one);

    byte[] mixed =
        AgeBytes.concat(AgeBytes.slice(one, 0, start), AgeBytes.slice(other, start, other.length));

    assertEquals(Set.of(CORRUPT), codes(Age.format(), mixed));
  }

  @Test
  void a_changed_mac_is_reported_as_corrupt() throws IOException {
    byte[] stored = AgeBytes.seal(Age.format(), AgeBytes.plain(50), identity.recipient());
    int firstOfMac = AgeBytes.payloadStart(stored) - 16 - 1 - 43;
    stored[firstOfMac] = (byte) (stored[firstOfMac] == 'A' ? 'B' : 'A');

    var failure = Failures.assertCorrupt(CORRUPT, () -> open(Age.format(), stored));

    assertTrue(failure.getMessage().contains("MAC"), failure.getMessage());
  }

  @Test
  void an_added_stanza_is_reported_as_corrupt() throws IOException {
    byte[] stored = AgeBytes.seal(Age.format(), AgeBytes.plain(50), identity.recipient());
    String text = new String(stored, StandardCharsets.ISO_8859_1);
    String added = text.replace("\n---", "\n-> grease\n\n---");

    assertEquals(Set.of(CORRUPT), codes(Age.format(), added.getBytes(StandardCharsets.ISO_8859_1)));
  }

  @Test
  void what_is_no_age_file_is_reported_as_malformed() {
    for (String text : List.of("x", "hello, world\n", "age-encryption/v1\n", "\0\0\0\0")) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      assertEquals(Set.of(MALFORMED), codes(Age.format(), bytes), text);
    }
  }

  @Test
  void a_later_version_of_age_is_reported_as_unsupported() {
    for (String text : List.of("age-encryption.org/v2\n", "age-encryption.org/v10\n")) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      assertEquals(Set.of("STELLA-405"), codes(Age.format(), bytes), text);
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void no_byte_of_a_damaged_segment_comes_out_and_the_failure_stays(Age format) throws IOException {
    byte[] stored =
        AgeBytes.seal(format, AgeBytes.plain(40 * AgeBytes.SEGMENT), identity.recipient());
    stored[AgeBytes.payloadStart(stored) + 30 * AgeBytes.SEALED_SEGMENT + 7] ^= 1;

    try (InputStream plain = format.open(new ByteArrayInputStream(stored), List.of(identity))) {
      byte[] expected = AgeBytes.plain(40 * AgeBytes.SEGMENT);
      int at = 0;
      byte[] buffer = new byte[10_000];
      while (true) {
        int n;
        try {
          n = plain.read(buffer);
        } catch (BackupException.Corrupt e) {
          break;
        }
        assertTrue(n > 0, "an end before the damage");
        assertTrue(Arrays.equals(buffer, 0, n, expected, at, at + n));
        at += n;
      }
      assertTrue(at <= 30 * AgeBytes.SEGMENT, at + " bytes came out");
      Failures.assertCorrupt(CORRUPT, plain::read);
    }
  }

  @Test
  void damage_elsewhere_does_not_keep_a_range_from_being_read() throws IOException {
    byte[] plain = AgeBytes.plain(4 * AgeBytes.SEGMENT);
    byte[] stored = AgeBytes.seal(Age.format(), plain, identity.recipient());
    stored[AgeBytes.payloadStart(stored)] ^= 1;

    try (SealedReader reader =
        Age.format().open(AgeBytes.reader(stored), stored.length, List.of(identity))) {
      byte[] found = AgeBytes.read(reader, new ByteRange(AgeBytes.SEGMENT, 100));

      assertTrue(Arrays.equals(plain, AgeBytes.SEGMENT, AgeBytes.SEGMENT + 100, found, 0, 100));
      Failures.assertCorrupt(CORRUPT, () -> AgeBytes.read(reader, new ByteRange(0, 1)));
    }
  }

  @Test
  void reading_the_end_authenticates_the_length() throws IOException {
    byte[] stored =
        AgeBytes.seal(Age.format(), AgeBytes.plain(4 * AgeBytes.SEGMENT), identity.recipient());
    int cut = stored.length - AgeBytes.SEALED_SEGMENT;

    try (SealedReader reader = Age.format().open(AgeBytes.reader(stored), cut, List.of(identity))) {
      assertEquals(3 * AgeBytes.SEGMENT, reader.plainBytes());
      Failures.assertCorrupt(
          TRUNCATED, () -> AgeBytes.read(reader, new ByteRange(reader.plainBytes(), 1)));
    }
  }

  @Test
  void a_store_that_gives_fewer_bytes_than_it_listed_is_reported_as_truncated() throws IOException {
    byte[] stored =
        AgeBytes.seal(Age.format(), AgeBytes.plain(4 * AgeBytes.SEGMENT), identity.recipient());
    byte[] shorter = Arrays.copyOf(stored, stored.length - 70_000);

    try (SealedReader reader =
        Age.format().open(AgeBytes.reader(shorter), stored.length, List.of(identity))) {
      Failures.assertCorrupt(TRUNCATED, () -> AgeBytes.read(reader, ByteRange.ALL));
    }
  }

  @Test
  void a_wrong_key_a_wrong_passphrase_a_cut_and_an_altered_file_are_four_failures()
      throws IOException {
    byte[] toKey = AgeBytes.seal(Age.format(), AgeBytes.plain(200_000), identity.recipient());
    byte[] toPassphrase =
        AgeBytes.seal(
            Age.format(),
            AgeBytes.plain(10),
            AgeRecipient.passphrase(Secret.of("correct horse"), 10));
    byte[] altered = toKey.clone();
    altered[AgeBytes.payloadStart(toKey) + 5] ^= 1;
    byte[] cut = Arrays.copyOf(toKey, 150_000);

    try (AgeIdentity other = AgeIdentity.generate();
        AgeIdentity wrong = AgeIdentity.passphrase(Secret.of("battery staple"))) {
      var wrongKey =
          Failures.assertCrypto("STELLA-500", () -> AgeBytes.open(Age.format(), toKey, other));
      assertTrue(wrongKey.getMessage().contains("header is damaged"), wrongKey.getMessage());
      Failures.assertCrypto("STELLA-500", () -> AgeBytes.open(Age.format(), toKey, wrong));
      Failures.assertCrypto("STELLA-501", () -> AgeBytes.open(Age.format(), toPassphrase, wrong));
      Failures.assertCrypto(
          "STELLA-500", () -> AgeBytes.open(Age.format(), toPassphrase, identity));
      Failures.assertCorrupt(TRUNCATED, () -> open(Age.format(), cut));
      Failures.assertCorrupt(CORRUPT, () -> open(Age.format(), altered));
    }
  }

  @Test
  void a_file_cannot_be_opened_with_no_identity() throws IOException {
    byte[] stored = AgeBytes.seal(Age.format(), new byte[1], identity.recipient());

    Failures.assertCrypto("STELLA-502", () -> AgeBytes.open(Age.format(), stored));
  }

  /** In one pass and at random: both fail, and as a failure of the world. */
  private void assertReported(Age format, byte[] damaged, String what) {
    assertThrows(BackupException.class, () -> open(format, damaged), what);
    assertThrows(
        BackupException.class, () -> AgeBytes.openAtRandom(format, damaged, identity), what);
  }

  private byte[] open(Age format, byte[] damaged) throws IOException {
    return AgeBytes.open(format, damaged, identity);
  }

  private Set<String> codes(Age format, byte[] damaged) {
    var codes = new TreeSet<String>();
    codes.add(assertThrows(BackupException.class, () -> open(format, damaged)).code().code());
    codes.add(
        assertThrows(BackupException.class, () -> AgeBytes.openAtRandom(format, damaged, identity))
            .code()
            .code());
    return codes;
  }
}
