package org.stellaops.backup.files;

import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;

/**
 * A pattern as {@link FileSystem#getPathMatcher} understands it after {@code glob:}, with one
 * difference: {@code **}{@code /} also stands for no directory at all, so that {@code etc/**}{@code
 * /*.yaml} finds {@code etc/a.yaml}.
 */
final class Glob {
  private static final String ANY_DIRECTORIES = "**/";

  private final String pattern;
  private final List<PathMatcher> matchers = new ArrayList<>();

  /**
   * @throws IllegalArgumentException if it is no pattern; {@link
   *     java.util.regex.PatternSyntaxException} is one
   */
  Glob(FileSystem system, String pattern) {
    this.pattern = pattern;
    if (pattern.isEmpty() || pattern.startsWith("/")) {
      throw new IllegalArgumentException(
          "a pattern is relative and not empty, found '%s'".formatted(pattern));
    }
    addMatchers(system, "", pattern);
  }

  private void addMatchers(FileSystem system, String before, String rest) {
    int at = rest.indexOf(ANY_DIRECTORIES);
    if (at < 0) {
      matchers.add(system.getPathMatcher("glob:" + before + rest));
      return;
    }
    String head = before + rest.substring(0, at);
    String tail = rest.substring(at + ANY_DIRECTORIES.length());
    addMatchers(system, head + ANY_DIRECTORIES, tail);
    addMatchers(system, head, tail);
  }

  boolean matches(Path relative) {
    return matchers.stream().anyMatch(m -> m.matches(relative));
  }

  @Override
  public String toString() {
    return pattern;
  }
}
