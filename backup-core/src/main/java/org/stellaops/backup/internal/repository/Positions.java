package org.stellaops.backup.internal.repository;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.Position;

/** How entries write positions: {@code <16 hexadecimal digits>:<as the technology writes it>}. */
final class Positions {
  private static final Pattern WRITTEN = Pattern.compile("([0-9a-f]{16}):([!-~]{1,40})");

  private Positions() {}

  static String text(Position position) {
    return "%016x:%s".formatted(position.offset(), position.text());
  }

  /**
   * @throws IllegalArgumentException if it is written in another way
   */
  static Position parse(String lineage, long branch, String written) {
    Matcher match = WRITTEN.matcher(written);
    if (!match.matches()) {
      throw new IllegalArgumentException("not a position: " + written);
    }
    return new Position(
        lineage, branch, Long.parseUnsignedLong(match.group(1), 16), match.group(2));
  }
}
