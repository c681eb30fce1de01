package org.stellaops.backup.model;

import java.util.regex.Pattern;

/**
 * Format of what a source captures, with its version: {@code postgres-physical/1}. A target says
 * which it accepts.
 */
public record SourceKind(String value) {
  private static final Pattern FORM = Pattern.compile("[a-z0-9][a-z0-9.-]{0,60}/[0-9]{1,4}");

  public SourceKind {
    if (!FORM.matcher(value).matches()) {
      throw new IllegalArgumentException("not a source kind such as postgres-physical/1: " + value);
    }
  }

  /** The kind written as {@code value}. */
  public static SourceKind of(String value) {
    return new SourceKind(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
