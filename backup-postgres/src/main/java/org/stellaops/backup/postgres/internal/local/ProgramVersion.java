package org.stellaops.backup.postgres.internal.local;

/**
 * Which version of PostgreSQL a program belongs to.
 *
 * @param program {@code pg_dump}
 * @param text {@code 15.18}
 * @param major {@code 15}
 */
public record ProgramVersion(String program, String text, int major) {
  @Override
  public String toString() {
    return program + " " + text;
  }
}
