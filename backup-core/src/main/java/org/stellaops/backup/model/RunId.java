package org.stellaops.backup.model;

/** One attempt to back up or to restore; a ULID, so that ids sort by the time they were made. */
public record RunId(String value) {
  public RunId {
    Label.require("run id", value);
  }

  @Override
  public String toString() {
    return value;
  }
}
