package org.stellaops.backup.secrets;

import java.nio.CharBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.stellaops.backup.model.Secret;

/** Secrets by name as the text of a dotenv file. */
final class ProvidedSecrets {
  private ProvidedSecrets() {}

  /** Lines in the order of the names. The caller wipes it. */
  static byte[] encode(Map<String, Secret> secrets) {
    int room = secrets.size() * 4;
    for (var secret : secrets.entrySet()) {
      room += secret.getKey().length() + 2 * secret.getValue().length();
    }
    CharBuffer text = CharBuffer.allocate(room);
    new TreeMap<>(secrets)
        .forEach(
            (name, secret) -> {
              text.put(name).put('=');
              secret.use(value -> quote(text, value));
              text.put('\n');
            });
    text.flip();
    byte[] bytes = Utf8.encode(text);
    Arrays.fill(text.array(), '\0');
    return bytes;
  }

  /** In single quotes nothing is special but the quote; in double quotes a backslash protects. */
  private static CharBuffer quote(CharBuffer text, char[] value) {
    if (isPlain(value)) {
      return text.put(value);
    }
    if (!contains(value, '\'')) {
      return text.put('\'').put(value).put('\'');
    }
    text.put('"');
    for (char c : value) {
      if (c == '"' || c == '\\' || c == '$' || c == '`') {
        text.put('\\');
      }
      text.put(c);
    }
    return text.put('"');
  }

  private static boolean isPlain(char[] value) {
    for (char c : value) {
      boolean isHarmless =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!isHarmless && "_./:@%+,=-".indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean contains(char[] value, char wanted) {
    for (char c : value) {
      if (c == wanted) {
        return true;
      }
    }
    return false;
  }
}
