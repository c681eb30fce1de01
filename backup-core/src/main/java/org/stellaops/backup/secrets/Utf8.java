package org.stellaops.backup.secrets;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Encodes without leaving copies behind. */
final class Utf8 {
  private Utf8() {}

  /** The caller wipes both. */
  static byte[] encode(CharBuffer chars) {
    ByteBuffer bytes = StandardCharsets.UTF_8.encode(chars.duplicate());
    byte[] exact = Arrays.copyOf(bytes.array(), bytes.limit());
    Arrays.fill(bytes.array(), (byte) 0);
    return exact;
  }
}
