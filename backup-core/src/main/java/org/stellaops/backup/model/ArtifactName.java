package org.stellaops.backup.model;

/** Name of an artifact within its source, {@code base.tar}: {@code [A-Za-z0-9._-]{1,120}}. */
public record ArtifactName(String value) implements Comparable<ArtifactName> {
  public ArtifactName {
    Label.require("artifact name", value);
  }

  /** The name written as {@code value}. */
  public static ArtifactName of(String value) {
    return new ArtifactName(value);
  }

  @Override
  public int compareTo(ArtifactName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
