package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8Test {
  /** The decoder of the platform, which is told to report. */
  private static boolean isText(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private static void requireAgreement(byte[] bytes) {
    boolean isValid = Utf8.isValid(bytes, 0, bytes.length);
    assertEquals(isText(bytes), isValid, () -> HexFormat.of().formatHex(bytes));
  }

  @Test
  void every_sequence_of_two_bytes_is_judged_as_the_platform_judges_it() {
    for (int pair = 0; pair < 1 << 16; pair++) {
      requireAgreement(new byte[] {(byte) (pair >> 8), (byte) pair});
    }
  }

  @Test
  void sequences_of_three_and_four_bytes_at_every_edge_are_judged_as_the_platform_judges_them() {
    int[] firsts = {0x7f, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
    int[] others = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (int first : firsts) {
      for (int second : others) {
        for (int third : others) {
          requireAgreement(new byte[] {(byte) first, (byte) second, (byte) third});
          for (int fourth : others) {
            requireAgreement(new byte[] {(byte) first, (byte) second, (byte) third, (byte) fourth});
          }
        }
      }
    }
  }

  @Test
  void texts_with_one_changed_byte_are_judged_as_the_platform_judges_them() {
    Random random = new Random(11);
    for (int run = 0; run < 20_000; run++) {
      byte[] text = "plain ASCII of some length, ä 漢 😀 and more".getBytes(StandardCharsets.UTF_8);
      requireAgreement(text);
      text[random.nextInt(text.length)] = (byte) random.nextInt();
      requireAgreement(text);
    }
  }
}
