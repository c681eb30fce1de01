package org.stellaops.backup.postgres.internal.tar;

/** Names of files that are not text, made printable for messages. */
public final class Names {
  private Names() {}

  /** The bytes from {@code begin} to {@code end}; those that are not printable ASCII as \\xe9. */
  public static String printed(byte[] bytes, int begin, int end) {
    StringBuilder text = new StringBuilder();
    for (int i = begin; i < end; i++) {
      boolean isPlain = bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '\\';
      text.append(isPlain ? String.valueOf((char) bytes[i]) : "\\x%02x".formatted(bytes[i]));
    }
    return text.toString();
  }
}
