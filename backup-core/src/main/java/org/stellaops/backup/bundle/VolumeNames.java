package org.stellaops.backup.bundle;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the files of a bundle are called: {@code <name>} if it is one, else {@code <name>.001},
 * {@code <name>.002} and so on, so that {@code cat <name>.*} is the archive.
 *
 * @param whole the name of the bundle
 */
record VolumeNames(Path whole) {
  static final int MOST = 999;

  private static final String UNFINISHED = ".incomplete";
  private static final Pattern NUMBERED = Pattern.compile("(.+)\\.([0-9]{3})");

  VolumeNames {
    whole = whole.toAbsolutePath().normalize();
    if (whole.getFileName() == null) {
      throw new IllegalArgumentException("a bundle is a file, not " + whole);
    }
  }

  /** Of a file that is the bundle or its first volume. */
  static VolumeNames of(Path file) {
    VolumeNames names = new VolumeNames(file);
    Matcher match = NUMBERED.matcher(names.text());
    return match.matches() && match.group(2).equals("001")
        ? new VolumeNames(names.whole.resolveSibling(match.group(1)))
        : names;
  }

  /** Of any volume: of one behind the first by its name and because there is a first. */
  static VolumeNames ofAny(Path file) {
    VolumeNames names = new VolumeNames(file);
    Matcher match = NUMBERED.matcher(names.text());
    if (match.matches()) {
      VolumeNames cut = new VolumeNames(names.whole.resolveSibling(match.group(1)));
      if (match.group(2).equals("001") || Files.exists(cut.volume(1))) {
        return cut;
      }
    }
    return names;
  }

  /** Whether this is what a volume is called, of a bundle with a shorter name. */
  boolean isNumbered() {
    return NUMBERED.matcher(text()).matches();
  }

  /**
   * The first, by its name, of the files that are volumes of this bundle, finished or not: one that
   * stayed would be taken for a volume of the next bundle of this name.
   */
  Optional<Path> anyVolume() throws IOException {
    Pattern ours = Pattern.compile(Pattern.quote(text()) + "\\.[0-9]{3}(\\.incomplete)?");
    Path first = null;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory())) {
      for (Path file : files) {
        boolean isOurs = ours.matcher(String.valueOf(file.getFileName())).matches();
        if (isOurs && (first == null || file.compareTo(first) < 0)) {
          first = file;
        }
      }
      return Optional.ofNullable(first);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  /** The name without the directory. */
  String text() {
    return String.valueOf(whole.getFileName());
  }

  Path directory() {
    Path parent = whole.getParent();
    return parent == null ? whole : parent;
  }

  /** A volume, the first of which is 1. */
  Path volume(int number) {
    return whole.resolveSibling("%s.%03d".formatted(text(), number));
  }

  /** What a volume is called while the bundle is written. */
  Path unfinished(int number) {
    return whole.resolveSibling("%s.%03d%s".formatted(text(), number, UNFINISHED));
  }

  /** Whether this is what somebody calls a file that is being written, or was never finished. */
  boolean isUnfinished() {
    return text().endsWith(UNFINISHED);
  }
}
