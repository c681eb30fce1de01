package org.stellaops.backup.model;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The newest entry of a log, as somebody saw it: to be printed, kept elsewhere, and compared.
 * Written {@code <log>/<sequence> <sha256 of the entry>}.
 *
 * @param log name of the log
 * @param sequence place of the entry, from 1
 * @param entry digest of the entry's bytes
 */
public record LogHead(String log, long sequence, Digest entry) {
  private static final Pattern TEXT =
      Pattern.compile("([a-z0-9][a-z0-9._-]{0,119})/([1-9][0-9]{0,9}) ([0-9a-f]{64})");

  /**
   * A head as {@link #toString} writes it.
   *
   * @throws IllegalArgumentException if it is none
   */
  public static LogHead parse(String text) {
    Matcher match = TEXT.matcher(text);
    if (!match.matches()) {
      throw new IllegalArgumentException("not <log>/<sequence> <sha256>: " + text);
    }
    return new LogHead(
        match.group(1), Long.parseLong(match.group(2)), Digest.parse(match.group(3)));
  }

  @Override
  public String toString() {
    return log + "/" + sequence + " " + entry.hex();
  }
}
