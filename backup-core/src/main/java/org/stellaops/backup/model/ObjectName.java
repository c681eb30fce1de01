package org.stellaops.backup.model;

import java.nio.charset.StandardCharsets;

/**
 * Key of an object in a store: 1 to 1024 bytes of UTF-8, segments divided by {@code /}. No segment
 * is empty, {@code .} or {@code ..}; no control characters, no backslash. Foreign buckets use all
 * of it; the repository's own names are a small ASCII subset.
 */
public record ObjectName(String value) implements Comparable<ObjectName> {
  private static final int MAX_BYTES = 1024;
  private static final int MAX_SEGMENT_BYTES = 255;

  public ObjectName {
    int bytes = value.getBytes(StandardCharsets.UTF_8).length;
    if (bytes == 0 || bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          "object name of %d bytes, allowed 1 to %d".formatted(bytes, MAX_BYTES));
    }
    if (!isPrintable(value)) {
      throw new IllegalArgumentException("object name holds a control character or backslash");
    }
    for (String segment : value.split("/", -1)) {
      if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
        throw new IllegalArgumentException(
            "object name has an empty, '.' or '..' segment: " + value);
      }
      if (segment.getBytes(StandardCharsets.UTF_8).length > MAX_SEGMENT_BYTES) {
        throw new IllegalArgumentException("object name has a segment of over 255 bytes: " + value);
      }
    }
  }

  private static boolean isPrintable(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (Character.isISOControl(c) || c == '\\') {
        return false;
      }
    }
    return true;
  }

  /** The name written as {@code value}. */
  public static ObjectName of(String value) {
    return new ObjectName(value);
  }

  @Override
  public int compareTo(ObjectName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
