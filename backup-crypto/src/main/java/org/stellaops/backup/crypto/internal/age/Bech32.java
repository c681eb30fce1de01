package org.stellaops.backup.crypto.internal.age;

import java.nio.CharBuffer;
import java.util.Arrays;

/**
 * Bech32 (BIP 173) without its limit of 90 characters, as age uses it. Works on arrays, not
 * strings, so that a private key can be wiped.
 */
public final class Bech32 {
  private static final String ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  private static final int[] GENERATOR = {
    0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3
  };
  private static final int CHECKSUM_CHARACTERS = 6;

  private Bech32() {}

  /** {@code <prefix>1<data><checksum>} in lower case. */
  public static char[] encode(String prefix, byte[] data) {
    byte[] fives = toFives(data);
    byte[] checksum = checksum(prefix, fives);
    char[] text = new char[prefix.length() + 1 + fives.length + checksum.length];
    prefix.getChars(0, prefix.length(), text, 0);
    int at = prefix.length();
    text[at++] = '1';
    for (byte five : fives) {
      text[at++] = ALPHABET.charAt(five);
    }
    for (byte five : checksum) {
      text[at++] = ALPHABET.charAt(five);
    }
    Arrays.fill(fives, (byte) 0);
    return text;
  }

  /**
   * The data behind {@code prefix}.
   *
   * @param text in lower case throughout
   * @throws IllegalArgumentException with a message that holds nothing of the text
   */
  public static byte[] decode(String prefix, char[] text) {
    int dataStart = prefix.length() + 1;
    if (!startsWith(text, prefix + "1")) {
      throw new IllegalArgumentException("does not begin with " + prefix + "1");
    }
    if (text.length < dataStart + CHECKSUM_CHARACTERS) {
      throw new IllegalArgumentException("is too short");
    }
    byte[] fives = new byte[text.length - dataStart];
    try {
      for (int i = 0; i < fives.length; i++) {
        int value = ALPHABET.indexOf(text[dataStart + i]);
        if (value < 0) {
          throw new IllegalArgumentException(
              "its character %d is not in the Bech32 alphabet".formatted(dataStart + i + 1));
        }
        fives[i] = (byte) value;
      }
      if (polymod(prefix, fives, 0) != 1) {
        throw new IllegalArgumentException(
            "its checksum does not match, so a character is mistyped");
      }
      return toEights(fives, fives.length - CHECKSUM_CHARACTERS);
    } finally {
      Arrays.fill(fives, (byte) 0);
    }
  }

  private static boolean startsWith(char[] text, String start) {
    return text.length >= start.length()
        && CharBuffer.wrap(text, 0, start.length()).equals(CharBuffer.wrap(start));
  }

  private static byte[] checksum(String prefix, byte[] fives) {
    int polymod = polymod(prefix, fives, CHECKSUM_CHARACTERS) ^ 1;
    byte[] checksum = new byte[CHECKSUM_CHARACTERS];
    for (int i = 0; i < checksum.length; i++) {
      checksum[i] = (byte) ((polymod >>> (5 * (5 - i))) & 31);
    }
    return checksum;
  }

  /** BIP 173, "Checksum": over the prefix, the data and {@code zeros} zeros. */
  private static int polymod(String prefix, byte[] fives, int zeros) {
    int state = 1;
    for (int i = 0; i < prefix.length(); i++) {
      state = step(state, prefix.charAt(i) >>> 5);
    }
    state = step(state, 0);
    for (int i = 0; i < prefix.length(); i++) {
      state = step(state, prefix.charAt(i) & 31);
    }
    for (byte five : fives) {
      state = step(state, five);
    }
    for (int i = 0; i < zeros; i++) {
      state = step(state, 0);
    }
    return state;
  }

  private static int step(int state, int value) {
    int top = state >>> 25;
    int next = ((state & 0x1ffffff) << 5) ^ value;
    for (int i = 0; i < GENERATOR.length; i++) {
      if (((top >>> i) & 1) == 1) {
        next ^= GENERATOR[i];
      }
    }
    return next;
  }

  private static byte[] toFives(byte[] eights) {
    byte[] fives = new byte[(eights.length * 8 + 4) / 5];
    int held = 0;
    int bits = 0;
    int at = 0;
    for (byte eight : eights) {
      held = ((held << 8) | (eight & 0xff)) & 0xfff;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        fives[at++] = (byte) ((held >>> bits) & 31);
      }
    }
    if (bits > 0) {
      fives[at] = (byte) ((held << (5 - bits)) & 31);
    }
    return fives;
  }

  /** The bits left over must be fewer than five, and zero: otherwise two texts mean one key. */
  private static byte[] toEights(byte[] fives, int count) {
    byte[] eights = new byte[count * 5 / 8];
    int held = 0;
    int bits = 0;
    int at = 0;
    for (int i = 0; i < count; i++) {
      held = ((held << 5) | fives[i]) & 0xfff;
      bits += 5;
      if (bits >= 8) {
        bits -= 8;
        eights[at++] = (byte) (held >>> bits);
      }
    }
    if (bits >= 5 || (held & ((1 << bits) - 1)) != 0) {
      Arrays.fill(eights, (byte) 0);
      throw new IllegalArgumentException("its padding bits are not zero");
    }
    return eights;
  }
}
