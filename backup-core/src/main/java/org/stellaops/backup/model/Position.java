package org.stellaops.backup.model;

/**
 * A place in the history of a source. Positions of one lineage and branch compare by unsigned
 * offset.
 *
 * @param lineage what makes positions comparable: a PostgreSQL system identifier, a replica set;
 *     {@code [A-Za-z0-9._-]{1,120}}
 * @param branch PostgreSQL timeline, Mongo term, or 0
 * @param offset unsigned 64 bit
 * @param text as the technology writes it: {@code 16/B374D848}; printable ASCII without spaces or
 *     commas, at most 40 characters
 */
public record Position(String lineage, long branch, long offset, String text) {
  public Position {
    Label.require("lineage", lineage);
    if (branch < 0) {
      throw new IllegalArgumentException("branch " + branch + ", expected 0 or more");
    }
    if (!text.matches("[!-+\\--~]{1,40}")) {
      throw new IllegalArgumentException("a position cannot be written as '" + text + "'");
    }
  }

  /** Whether it is of the same lineage and branch, and nothing lies between it and the other. */
  public boolean isAt(Position other) {
    return offset == other.offset && branch == other.branch && lineage.equals(other.lineage);
  }

  @Override
  public String toString() {
    return branch == 0 ? text : branch + "@" + text;
  }
}
