package org.stellaops.backup.model;

import java.util.regex.Pattern;

/**
 * Grammar of text that users choose and that stands in the clear part of a repository: {@code
 * [A-Za-z0-9._-]{1,120}}, and neither {@code .} nor {@code ..}.
 */
final class Label {
  private static final Pattern FORM = Pattern.compile("[A-Za-z0-9._-]{1,120}");

  private Label() {}

  static String require(String what, String value) {
    if (!FORM.matcher(value).matches() || value.equals(".") || value.equals("..")) {
      throw new IllegalArgumentException(
          "%s must be 1 to 120 of A-Z a-z 0-9 . _ - and neither '.' nor '..', found %d characters: %s"
              .formatted(what, value.length(), printable(value)));
    }
    return value;
  }

  private static String printable(String value) {
    String head = value.length() > 130 ? value.substring(0, 130) + "…" : value;
    return "'" + head.replaceAll("\\p{Cntrl}", "?") + "'";
  }
}
