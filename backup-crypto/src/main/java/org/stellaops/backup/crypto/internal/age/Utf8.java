package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CoderResult;
import java.util.Arrays;
import org.stellaops.backup.model.Secret;

/** Secrets to bytes and back without a string, which could not be wiped. */
public final class Utf8 {
  private Utf8() {}

  /**
   * The bytes; the caller wipes them.
   *
   * @throws IllegalArgumentException for half a surrogate pair
   */
  public static byte[] encode(Secret secret) {
    return secret.use(
        characters -> {
          // Three bytes for each UTF-16 unit are enough for every character.
          ByteBuffer buffer = ByteBuffer.allocate(3 * characters.length);
          CoderResult result = UTF_8.newEncoder().encode(CharBuffer.wrap(characters), buffer, true);
          byte[] bytes = Arrays.copyOf(buffer.array(), buffer.position());
          Arrays.fill(buffer.array(), (byte) 0);
          if (result.isError()) {
            Arrays.fill(bytes, (byte) 0);
            throw new IllegalArgumentException("a secret holds half a character");
          }
          return bytes;
        });
  }

  /**
   * The characters; the caller closes them.
   *
   * @param bytes not wiped
   * @throws CharacterCodingException if they are not UTF-8
   */
  public static Secret decode(byte[] bytes) throws CharacterCodingException {
    CharBuffer buffer = CharBuffer.allocate(bytes.length);
    try {
      CoderResult result = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes), buffer, true);
      if (result.isError()) {
        result.throwException();
      }
      return Secret.of(buffer.flip());
    } finally {
      Arrays.fill(buffer.array(), '\0');
    }
  }
}
