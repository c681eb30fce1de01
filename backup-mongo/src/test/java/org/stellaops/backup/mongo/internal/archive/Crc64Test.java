package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Crc64Test {
  @Test
  void the_check_value_is_that_of_crc_64_xz() {
    byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
    Crc64 crc = new Crc64();
    crc.update(digits, 0, digits.length);
    assertEquals(0x995DC9BBDF1939FAL, crc.value());
  }

  @Test
  void of_nothing_it_is_zero() {
    assertEquals(0, new Crc64().value());
  }

  @Test
  void eight_bytes_a_step_is_the_same_as_one_bit_a_step_at_every_length_and_offset() {
    byte[] bytes = new byte[200];
    new Random(1).nextBytes(bytes);
    for (int offset = 0; offset < 9; offset++) {
      for (int length = 0; length < 80; length++) {
        Crc64 crc = new Crc64();
        crc.update(bytes, offset, length);
        assertEquals(bitwise(bytes, offset, length), crc.value(), offset + "+" + length);
      }
    }
  }

  @Test
  void it_does_not_matter_how_the_bytes_are_cut() {
    byte[] bytes = new byte[100];
    new Random(2).nextBytes(bytes);
    for (int cut = 0; cut <= bytes.length; cut++) {
      Crc64 crc = new Crc64();
      crc.update(bytes, 0, cut);
      crc.update(bytes, cut, bytes.length - cut);
      assertEquals(bitwise(bytes, 0, bytes.length), crc.value(), "cut at " + cut);
    }
  }

  private static long bitwise(byte[] bytes, int offset, int length) {
    long crc = -1;
    for (int i = offset; i < offset + length; i++) {
      crc ^= bytes[i] & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc & 1) == 1 ? (crc >>> 1) ^ 0xC96C5795D7870F42L : crc >>> 1;
      }
    }
    return ~crc;
  }
}
