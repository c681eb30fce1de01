package org.stellaops.backup.bundle;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;

/**
 * The last member of a bundle: a checksum file of all others. That it is there, and names exactly
 * what is there, is what makes a bundle complete; {@code sha256sum -c} reads it as well.
 */
final class BundleSums {
  static final ObjectName NAME = ObjectName.of("SHA256SUMS");

  private static final String FIRST_LINE = "# stella-backup bundle 1";
  private static final Pattern VERSION = Pattern.compile("# stella-backup bundle ([0-9]{1,9})");
  private static final Pattern LINE = Pattern.compile("([0-9a-f]{64})  ([^\\p{Cntrl}]{1,1024})");
  private static final int MOST_LINE_CHARACTERS = 2048;

  private final ByteArrayOutputStream text = new ByteArrayOutputStream();

  BundleSums() {
    line(FIRST_LINE);
  }

  void add(ObjectName name, Digest stored) {
    line(stored.hex() + "  " + name.value());
  }

  private void line(String line) {
    text.writeBytes((line + "\n").getBytes(StandardCharsets.UTF_8));
  }

  byte[] bytes() {
    return text.toByteArray();
  }

  /** Takes a line. */
  @FunctionalInterface
  interface Each {
    void take(ObjectName name, Digest stored) throws IOException;
  }

  /** Reads it. Closes what it was given. */
  static void read(InputStream in, String what, Each each) throws IOException {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      requireVersion(next(lines, what), what);
      for (String line = next(lines, what); line != null; line = next(lines, what)) {
        Matcher match = LINE.matcher(line);
        if (!match.matches()) {
          throw malformed(what, "a line that is no checksum");
        }
        each.take(name(match.group(2), what), Digest.parse(match.group(1)));
      }
    }
  }

  private static void requireVersion(@Nullable String line, String what) throws BackupException {
    Matcher version = VERSION.matcher(line == null ? "" : line);
    if (!version.matches()) {
      throw malformed(what, "it does not begin with '" + FIRST_LINE + "'");
    }
    if (!FIRST_LINE.equals(line)) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT,
          "%s is a bundle of version %s, this program reads version 1"
              .formatted(what, version.group(1)));
    }
  }

  /** A line may be as long as a hostile archive wants it. */
  private static @Nullable String next(BufferedReader lines, String what) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = lines.read(); c != '\n'; c = lines.read()) {
      if (c < 0) {
        if (line.length() == 0) {
          return null;
        }
        throw malformed(what, "its last line does not end");
      }
      if (line.length() == MOST_LINE_CHARACTERS) {
        throw malformed(what, "a line that is too long");
      }
      line.append((char) c);
    }
    return line.toString();
  }

  private static ObjectName name(String text, String what) throws BackupException {
    try {
      return ObjectName.of(text);
    } catch (IllegalArgumentException e) {
      throw malformed(what, e.getMessage());
    }
  }

  private static BackupException.Corrupt malformed(String what, @Nullable String how) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s in %s: %s".formatted(NAME, what, how));
  }
}
