package org.stellaops.backup.model;

import java.util.Arrays;
import java.util.function.Function;

/**
 * Characters that never print. They leave only through {@link #use}, so that every place that reads
 * a secret can be found by searching for that one name.
 */
public final class Secret implements AutoCloseable {
  private final char[] characters;

  private Secret(char[] characters) {
    this.characters = characters;
  }

  /** Copies the characters; the caller may wipe its own. */
  public static Secret of(char[] characters) {
    return new Secret(characters.clone());
  }

  /** Of text that the caller holds as a string anyway. */
  public static Secret of(CharSequence text) {
    char[] copy = new char[text.length()];
    for (int i = 0; i < copy.length; i++) {
      copy[i] = text.charAt(i);
    }
    return new Secret(copy);
  }

  /** Hands the characters to {@code reader}, which must not keep the array. */
  public <T> T use(Function<char[], T> reader) {
    return reader.apply(characters);
  }

  /** How many characters. */
  public int length() {
    return characters.length;
  }

  /** Wipes the characters. Idempotent. */
  @Override
  public void close() {
    Arrays.fill(characters, '\0');
  }

  @Override
  public String toString() {
    return "Secret";
  }
}
