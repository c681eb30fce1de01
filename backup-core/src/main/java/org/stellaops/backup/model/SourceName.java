package org.stellaops.backup.model;

/**
 * What a plan calls one of its sources: {@code [A-Za-z0-9._-]{1,120}}. Stands in clear in the
 * repository.
 */
public record SourceName(String value) implements Comparable<SourceName> {
  public SourceName {
    Label.require("source name", value);
  }

  /** The name written as {@code value}. */
  public static SourceName of(String value) {
    return new SourceName(value);
  }

  @Override
  public int compareTo(SourceName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
