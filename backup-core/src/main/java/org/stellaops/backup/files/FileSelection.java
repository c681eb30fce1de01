package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which files a source captures.
 *
 * @param base what all names are relative to
 * @param starts names to begin at; the empty name is the base itself
 * @param includes if there are any, only what matches one of them
 * @param excludes never what matches one of these, nor what is below it
 * @param required what must be there; captured whatever the patterns say
 * @param isOptional whether nothing else need be there
 */
record FileSelection(
    Path base,
    List<String> starts,
    List<Glob> includes,
    List<Glob> excludes,
    SortedSet<String> required,
    boolean isOptional) {
  FileSelection {
    starts = List.copyOf(starts);
    includes = List.copyOf(includes);
    excludes = List.copyOf(excludes);
    required = new TreeSet<>(required);
  }

  boolean isIncluded(String name) {
    if (required.contains(name) || includes.isEmpty()) {
      return true;
    }
    return matchesAny(includes, name);
  }

  /** Excluded, or below something that is; a directory is not if something in it is required. */
  boolean isExcluded(String name) {
    if (excludes.isEmpty()
        || required.stream().anyMatch(r -> r.equals(name) || r.startsWith(name + "/"))) {
      return false;
    }
    for (int end = name.length(); end > 0; end = name.lastIndexOf('/', end - 1)) {
      if (matchesAny(excludes, name.substring(0, end))) {
        return true;
      }
    }
    return false;
  }

  private boolean matchesAny(List<Glob> globs, String name) {
    if (globs.isEmpty() || name.isEmpty()) {
      return false;
    }
    Path relative = base.getFileSystem().getPath(name);
    return globs.stream().anyMatch(g -> g.matches(relative));
  }

  /** Everything required that is missing or cannot be read, each as a sentence. */
  List<String> problems() {
    List<String> problems = new ArrayList<>();
    for (String name : required) {
      problem(name, problems);
    }
    if (!isOptional) {
      for (String start : starts) {
        problem(start, problems);
      }
    }
    return problems.stream().distinct().toList();
  }

  private void problem(String name, List<String> problems) {
    Path path = base.resolve(name);
    if (!Files.exists(path)) {
      problems.add(
          "%s is missing%s"
              .formatted(path, Files.isSymbolicLink(path) ? ": a link to nothing" : ""));
    } else if (!Files.isReadable(path)) {
      problems.add("%s cannot be read by this process".formatted(path));
    } else if (!starts.contains(name) && leadsOut(path)) {
      problems.add(
          "%s is a link that leads out of %s, where nothing is captured".formatted(path, base));
    }
  }

  private boolean leadsOut(Path path) {
    try {
      Path real = path.toRealPath();
      for (String start : starts) {
        if (real.startsWith(base.resolve(start).toRealPath())) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return true;
    }
  }

  @Override
  public String toString() {
    return starts.equals(List.of(""))
        ? base + (includes.isEmpty() ? "" : " " + includes)
        : starts + " in " + base;
  }
}
