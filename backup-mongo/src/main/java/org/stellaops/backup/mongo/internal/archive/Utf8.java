package org.stellaops.backup.mongo.internal.archive;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Whether bytes are UTF-8: shortest forms of code points up to U+10FFFF, without surrogates (RFC
 * 3629, section 4). Most text is ASCII and is passed over eight bytes at a time.
 */
final class Utf8 {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long HIGH_BITS = 0x8080808080808080L;

  private Utf8() {}

  /** Of a range of an array. */
  static boolean isValid(byte[] bytes, int from, int to) {
    int at = from;
    while (at < to) {
      if (to - at >= Long.BYTES && ((long) LONGS.get(bytes, at) & HIGH_BITS) == 0) {
        at += Long.BYTES;
      } else if (bytes[at] >= 0) {
        at++;
      } else {
        at = afterSequence(bytes, at, to);
        if (at < 0) {
          return false;
        }
      }
    }
    return true;
  }

  /** Behind a sequence of several bytes; negative where there is none. */
  private static int afterSequence(byte[] bytes, int at, int to) {
    int first = bytes[at] & 0xff;
    int length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || to - at < length) {
      return -1;
    }
    int second = bytes[at + 1] & 0xff;
    if (second < leastSecond(first) || second > greatestSecond(first)) {
      return -1;
    }
    for (int i = at + 2; i < at + length; i++) {
      if ((bytes[i] & 0xc0) != 0x80) {
        return -1;
      }
    }
    return at + length;
  }

  /** Less would be a longer form than it takes. */
  private static int leastSecond(int first) {
    return first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  }

  /** More would be a surrogate, or behind the last code point. */
  private static int greatestSecond(int first) {
    return first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  }
}
