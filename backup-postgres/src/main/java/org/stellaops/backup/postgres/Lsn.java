package org.stellaops.backup.postgres;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.RecoveryPoint;

/**
 * Log sequence number: a byte position in PostgreSQL's write-ahead log, unsigned 64 bits. Written
 * as two hexadecimal halves, {@code 16/B374D848}.
 *
 * @param position bytes since the beginning of the log; unsigned
 */
public record Lsn(long position) implements Comparable<Lsn> {
  private static final Pattern FORM = Pattern.compile("([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})");

  /**
   * The LSN written as {@code text}.
   *
   * @throws IllegalArgumentException if it is not two hexadecimal halves of at most 8 digits
   */
  public static Lsn parse(String text) {
    Matcher halves = FORM.matcher(text);
    if (!halves.matches()) {
      throw new IllegalArgumentException("not an LSN such as 16/B374D848: " + text);
    }
    long high = Long.parseLong(halves.group(1), 16);
    long low = Long.parseLong(halves.group(2), 16);
    return new Lsn(high << 32 | low);
  }

  /**
   * The same place as a position of one cluster.
   *
   * @param systemIdentifier of the cluster: what makes LSNs comparable
   * @param timeline branch of its history
   */
  public Position in(String systemIdentifier, long timeline) {
    return new Position(systemIdentifier, timeline, position, toString());
  }

  /** As a point to recover to: every record that begins before. */
  public RecoveryPoint before() {
    return new RecoveryPoint.AtPosition(position, toString(), false);
  }

  /** As a point to recover to: every record that begins before, and the one that begins here. */
  public RecoveryPoint including() {
    return new RecoveryPoint.AtPosition(position, toString(), true);
  }

  @Override
  public int compareTo(Lsn other) {
    return Long.compareUnsigned(position, other.position);
  }

  @Override
  public String toString() {
    return "%X/%X".formatted(position >>> 32, position & 0xFFFF_FFFFL);
  }
}
