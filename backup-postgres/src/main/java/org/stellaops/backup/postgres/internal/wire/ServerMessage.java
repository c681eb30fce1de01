package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * An ErrorResponse or NoticeResponse (PostgreSQL documentation, "Error and Notice Message Fields").
 *
 * @param severity not localized: {@code ERROR}, {@code FATAL}, {@code WARNING}
 * @param sqlState five characters
 * @param message in the server's language
 * @param hint empty where the server gave none
 */
public record ServerMessage(String severity, String sqlState, String message, String hint) {
  static ServerMessage parse(Body body) throws IOException {
    Map<Character, String> fields = new HashMap<>();
    for (int field = body.int8(); field != 0; field = body.int8()) {
      fields.put((char) field, body.text());
    }
    return new ServerMessage(
        fields.getOrDefault('V', fields.getOrDefault('S', "ERROR")),
        fields.getOrDefault('C', "XX000"),
        fields.getOrDefault('M', ""),
        fields.getOrDefault('H', ""));
  }

  /** Whether the server ends the session after it. */
  boolean isLast() {
    return severity.equals("FATAL") || severity.equals("PANIC");
  }

  @Override
  public String toString() {
    String first = severity + " " + sqlState + ": " + message;
    return hint.isEmpty() ? first : first + "; hint: " + hint;
  }
}
