package org.stellaops.backup.internal.run;

import java.time.Instant;
import java.util.random.RandomGenerator;

/**
 * Ids that sort by time: 48 bits of milliseconds and 80 random bits in Crockford's base 32
 * (github.com/ulid/spec).
 */
final class Ulid {
  private static final char[] DIGITS = "0123456789abcdefghjkmnpqrstvwxyz".toCharArray();

  private Ulid() {}

  static String at(Instant time, RandomGenerator random) {
    char[] text = new char[26];
    long millis = time.toEpochMilli();
    for (int i = 9; i >= 0; i--) {
      text[i] = DIGITS[(int) (millis & 31)];
      millis >>>= 5;
    }
    for (int i = 10; i < text.length; i++) {
      text[i] = DIGITS[random.nextInt(DIGITS.length)];
    }
    return new String(text);
  }
}
