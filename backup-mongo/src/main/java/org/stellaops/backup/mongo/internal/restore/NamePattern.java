package org.stellaops.backup.mongo.internal.restore;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A name in which each {@code *} stands for any number of characters, none included. A value. */
public record NamePattern(String text) {
  private static final String STAR = "*";

  public NamePattern {
    if (text.isEmpty()) {
      throw new IllegalArgumentException("an empty pattern matches nothing");
    }
  }

  /** Whether the whole of a name is of this form. */
  public boolean matches(String name) {
    return matcher(name).matches();
  }

  /** How many stars it has. */
  int stars() {
    return (int) text.chars().filter(c -> c == '*').count();
  }

  /** This name, if it matches, with what the stars stood for put where the other's stars are. */
  Optional<String> rewrite(String name, NamePattern to) {
    Matcher matcher = matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    StringBuilder result = new StringBuilder();
    int group = 1;
    for (char c : to.text.toCharArray()) {
      if (c == '*') {
        result.append(matcher.group(group++));
      } else {
        result.append(c);
      }
    }
    return Optional.of(result.toString());
  }

  /** The first star takes as little as it can. */
  private Matcher matcher(String name) {
    StringBuilder regex = new StringBuilder();
    for (String literal : text.split(Pattern.quote(STAR), -1)) {
      regex.append(regex.isEmpty() ? "" : "(.*?)").append(Pattern.quote(literal));
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL).matcher(name);
  }

  @Override
  public String toString() {
    return text;
  }
}
