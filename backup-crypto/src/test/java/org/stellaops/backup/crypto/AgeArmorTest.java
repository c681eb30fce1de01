package org.stellaops.backup.crypto;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;

class AgeArmorTest {
  private static final String BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----\n";
  private static final String END = "-----END AGE ENCRYPTED FILE-----\n";
  private static final String LINE =
      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";

  @ParameterizedTest
  @ValueSource(ints = {1, 47, 48, 49, 50, 96, 97, 1000})
  void what_was_armored_is_unarmored(int size) throws IOException {
    byte[] file = AgeBytes.plain(size);

    String text = AgeArmor.encode(file);

    assertTrue(text.startsWith(BEGIN) && text.endsWith("\n" + END), text);
    assertTrue(text.lines().allMatch(line -> line.length() <= 64));
    assertArrayEquals(file, AgeArmor.decode(text));
    assertArrayEquals(file, AgeArmor.decode(text.replace("\n", "\r\n")));
    assertArrayEquals(file, AgeArmor.decode(text.stripTrailing()));
    assertArrayEquals(file, AgeArmor.decode(text + " \t\r\n\n"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-----BEGIN AGE ENCRYPTED FILE----\n",
        " " + BEGIN + END,
        BEGIN + "QUJD\nQUJD\n" + END,
        BEGIN + LINE + "A" + LINE + END,
        BEGIN + "\nQUJD\n" + END,
        BEGIN + "QUJD\n\n" + END,
        BEGIN + "Comment: x\n\nQUJD\n" + END,
        BEGIN + "QUI\n" + END,
        BEGIN + "QUJ=\n" + END,
        BEGIN + "QU JD\n" + END,
        BEGIN + "QU=D\n" + END,
        BEGIN + "QUJD\n" + END + "x",
        BEGIN + "QUJD\n" + END + BEGIN + "QUJD\n" + END,
        BEGIN + "QUJD \n" + END
      })
  void what_is_not_strictly_armor_is_refused_as_malformed(String text) {
    Failures.assertCorrupt("STELLA-406", () -> AgeArmor.decode(text));
  }

  @Test
  void cut_armor_is_reported_as_truncated_at_every_length() {
    String text = AgeArmor.encode(AgeBytes.plain(200)).stripTrailing();
    for (int length = BEGIN.length(); length < text.length(); length++) {
      String cut = text.substring(0, length);
      Failures.assertCorrupt("STELLA-401", () -> AgeArmor.decode(cut));
    }
  }

  @Test
  void endless_white_space_behind_the_end_is_refused() {
    String text = BEGIN + "QUJD\n" + END + " ".repeat(2000);

    Failures.assertCorrupt("STELLA-406", () -> AgeArmor.decode(text));
  }

  @Test
  void an_armored_file_is_recognised_and_cannot_be_read_at_random() throws IOException {
    byte[] plain = AgeBytes.plain(200_000);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      byte[] sealed = AgeBytes.seal(Age.format(), plain, identity.recipient());
      byte[] armored = AgeArmor.encode(sealed).getBytes(US_ASCII);

      assertArrayEquals(plain, AgeBytes.open(Age.format(), armored, identity));
      assertEquals(
          "STELLA-406",
          assertThrows(
                  BackupException.Corrupt.class,
                  () -> AgeBytes.openAtRandom(Age.format(), armored, identity))
              .code()
              .code());
    }
  }

  @Test
  void every_flipped_character_of_an_armored_file_is_reported() throws IOException {
    byte[] plain = AgeBytes.plain(40);
    try (AgeIdentity identity = AgeIdentity.generate()) {
      byte[] sealed = AgeBytes.seal(Age.format(), plain, identity.recipient());
      byte[] armored = AgeArmor.encode(sealed).getBytes(US_ASCII);
      long seed = 20260104;
      var random = new Random(seed);
      int lastLineEnd = armored.length - 1; // may become other white space, or be left out
      for (int at = 0; at < lastLineEnd; at++) {
        byte[] damaged = armored.clone();
        damaged[at] ^= (byte) (1 << random.nextInt(8));
        assertThrows(
            BackupException.class,
            () -> AgeBytes.open(Age.format(), damaged, identity),
            "byte %d, seed %d".formatted(at, seed));
      }
    }
  }
}
