package org.stellaops.backup.crypto.internal.age;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Bech32Test {
  /** BIP 173, "Test vectors". */
  @ParameterizedTest
  @CsvSource({
    "a, '', a12uel5l",
    "abcdef, 00443214c74254b635cf84653a56d7c675be77df,"
        + " abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
  })
  void the_vectors_of_the_specification_hold(String prefix, String data, String text) {
    byte[] bytes = HexFormat.of().parseHex(data);

    assertEquals(text, new String(Bech32.encode(prefix, bytes)));
    assertArrayEquals(bytes, Bech32.decode(prefix, text.toCharArray()));
  }

  /** BIP 173, "Test vectors". */
  @ParameterizedTest
  @CsvSource({
    "de, de1lg7wt", // too short a checksum
    "x, x1b4n0q5v", // not in the alphabet
    "li, li1dgmt3", // too short a checksum
    "a, A1G7SGD8" // checksum of the upper case prefix
  })
  void what_is_invalid_is_refused(String prefix, String text) {
    assertThrows(IllegalArgumentException.class, () -> Bech32.decode(prefix, text.toCharArray()));
  }

  @Test
  void padding_bits_that_are_not_zero_are_refused() {
    // Of two spellings of one byte, the checksum accepts both; only one has zeros behind it.
    String alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    int accepted = 0;
    for (char second : alphabet.toCharArray()) {
      accepted += isAccepted("a", "a1q" + second) ? 1 : 0;
    }
    assertEquals(8, accepted, "32 second characters hold 3 bits of data and 2 of padding");
  }

  @Test
  void every_mistyped_character_is_noticed() {
    long seed = 20260105;
    var random = new Random(seed);
    byte[] data = new byte[32];
    random.nextBytes(data);
    char[] text = Bech32.encode("age", data);
    for (int i = 4; i < text.length; i++) {
      char right = text[i];
      for (char wrong : "qpzry9x8gf2tvdw0s3jn54khce6mua7lbio1 Q".toCharArray()) {
        text[i] = wrong;
        if (wrong != right) {
          char[] mistyped = text.clone();
          assertThrows(
              IllegalArgumentException.class,
              () -> Bech32.decode("age", mistyped),
              new String(mistyped));
        }
      }
      text[i] = right;
    }
    assertArrayEquals(data, Bech32.decode("age", text), "seed " + seed);
  }

  @Test
  void no_message_holds_the_text() {
    var refusal =
        assertThrows(
            IllegalArgumentException.class,
            () -> Bech32.decode("age-secret-key-", "swordfish".toCharArray()));

    assertFalse(refusal.getMessage().contains("swordfish"), refusal.getMessage());
  }

  /** With the checksum that belongs to it. */
  private static boolean isAccepted(String prefix, String withoutChecksum) {
    String alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    int state = 1;
    String expanded = "\3\0\1"; // BIP 173: the high bits of 'a', zero, the low bits
    for (char c : expanded.toCharArray()) {
      state = step(state, c);
    }
    for (char c : withoutChecksum.substring(2).toCharArray()) {
      state = step(state, alphabet.indexOf(c));
    }
    for (int i = 0; i < 6; i++) {
      state = step(state, 0);
    }
    var text = new StringBuilder(withoutChecksum);
    for (int i = 0; i < 6; i++) {
      text.append(alphabet.charAt(((state ^ 1) >>> (5 * (5 - i))) & 31));
    }
    try {
      Bech32.decode(prefix, text.toString().toCharArray());
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static int step(int state, int value) {
    int[] generator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
    int next = ((state & 0x1ffffff) << 5) ^ value;
    for (int i = 0; i < 5; i++) {
      next ^= ((state >>> 25 >>> i) & 1) == 1 ? generator[i] : 0;
    }
    return next;
  }
}
