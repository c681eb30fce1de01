package org.stellaops.backup.parity;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.Digest;

/**
 * A file that a group protects.
 *
 * @param name from the repository's root, as {@link FileName} allows
 * @param bytes its size
 * @param stored digest of its bytes
 */
record Member(String name, long bytes, Digest stored) {
  private static final Pattern CONTENT_NAME =
      Pattern.compile("w/.*/([0-9a-f]{64})-(0|[1-9][0-9]{0,17})\\.(?:age|sums)");

  Member {
    if (bytes < 0 || !FileName.isProtected(name)) {
      throw new IllegalArgumentException(
          "%s of %d bytes cannot be a member".formatted(name, bytes));
    }
    if (!agrees(name, bytes, stored)) {
      throw new IllegalArgumentException("%s is not named for its content".formatted(name));
    }
  }

  /** Whether bytes of this size and digest may bear the name. */
  static boolean agrees(String name, long bytes, Digest stored) {
    Matcher match = CONTENT_NAME.matcher(name);
    return !match.matches()
        || (match.group(1).equals(stored.hex()) && Long.parseLong(match.group(2)) == bytes);
  }

  /** The digest that the name promises; empty if files of this name are not named for content. */
  static Optional<Digest> namedDigest(String name) {
    Matcher match = CONTENT_NAME.matcher(name);
    return match.matches() ? Optional.of(Digest.parse(match.group(1))) : Optional.empty();
  }

  @Override
  public String toString() {
    return stored + "  " + name + " " + bytes;
  }
}
