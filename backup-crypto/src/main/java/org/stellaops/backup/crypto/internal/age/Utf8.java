package org.stellaops.backup.crypto.internal.age;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
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
          try {
            ByteBuffer buffer = UTF_8.newEncoder().encode(CharBuffer.wrap(characters));
            byte[] bytes = Arrays.copyOf(buffer.array(), buffer.limit());
            Arrays.fill(buffer.array(), (byte) 0);
            return bytes;
          } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("a secret holds what is no character");
          }
        });
  }

  /**
   * @param bytes not wiped
   * @throws CharacterCodingException if they are not UTF-8
   */
  public static Secret decode(byte[] bytes) throws CharacterCodingException {
    CharBuffer buffer = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
    char[] characters = Arrays.copyOf(buffer.array(), buffer.limit());
    Arrays.fill(buffer.array(), '\0');
    try {
      return Secret.of(characters);
    } finally {
      Arrays.fill(characters, '\0');
    }
  }
}
