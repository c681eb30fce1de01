package org.stellaops.backup.secrets;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Encodes without leaving copies behind. */
final class Utf8 {
  /** A character of UTF-16 becomes at most three bytes. */
  private static final int MAX_BYTES_PER_CHAR = 3;

  private Utf8() {}

  /** The caller wipes both. Unpaired surrogates become question marks. */
  static byte[] encode(CharBuffer chars) {
    byte[] room = new byte[MAX_BYTES_PER_CHAR * chars.remaining()];
    ByteBuffer bytes = ByteBuffer.wrap(room);
    StandardCharsets.UTF_8
        .newEncoder()
        .onMalformedInput(CodingErrorAction.REPLACE)
        .encode(chars.duplicate(), bytes, true);
    byte[] exact = Arrays.copyOf(room, bytes.position());
    Arrays.fill(room, (byte) 0);
    return exact;
  }
}
