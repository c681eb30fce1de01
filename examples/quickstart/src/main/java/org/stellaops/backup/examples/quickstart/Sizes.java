package org.stellaops.backup.examples.quickstart;

import java.time.Duration;
import java.util.Locale;

/** Numbers as a person reads them. */
final class Sizes {
  private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB"};

  private Sizes() {}

  /** {@code 12.3 MB}, in powers of 1000. */
  static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 999.5 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    String pattern = unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s";
    return String.format(Locale.ROOT, pattern, value, UNITS[unit]);
  }

  /** {@code 200,000 rows}. */
  static String count(long number, String unit) {
    return String.format(Locale.ROOT, "%,d %s", number, unit);
  }

  static String count(String number, String unit) {
    return count(Long.parseLong(number), unit);
  }

  /** {@code 3.4 s}. */
  static String time(Duration time) {
    return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1000.0);
  }
}
