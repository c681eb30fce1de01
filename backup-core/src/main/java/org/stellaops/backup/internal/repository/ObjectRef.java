package org.stellaops.backup.internal.repository;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;

/**
 * An object whose name says what it holds: {@code <sha256>-<size>} of the stored bytes.
 *
 * @param name where it is
 * @param stored digest of its stored bytes
 * @param lengthBytes of its stored bytes
 */
public record ObjectRef(ObjectName name, Digest stored, long lengthBytes) {
  private static final Pattern NAME =
      Pattern.compile(
          "w/[a-z0-9][a-z0-9_-]{0,59}/(?:packs/([0-9a-f]{2})|manifests|state|stream|lists)/([0-9a-f]{64})-(0|[1-9][0-9]{0,17})\\.(age|sums)");

  /**
   * Reads the name.
   *
   * @throws BackupException.Corrupt if it is not the name of such an object
   */
  public static ObjectRef parse(String path) throws BackupException {
    Matcher match = NAME.matcher(path);
    boolean isName = match.matches();
    if (!isName || (match.group(1) != null && !match.group(2).startsWith(match.group(1)))) {
      throw new BackupException.Corrupt(
          CoreFailure.MALFORMED,
          "not the name of a content-named object: " + Names.printable(path));
    }
    return new ObjectRef(
        ObjectName.of(path), Digest.parse(match.group(2)), Long.parseLong(match.group(3)));
  }

  /** {@code <aa>/<sha256>-<size>}: how a manifest names a pack. */
  String packPath() {
    return stored.hex().substring(0, 2) + "/" + stored.hex() + "-" + lengthBytes;
  }

  /** Whose folder it is in. */
  public String writer() {
    return name.value().split("/", -1)[1];
  }

  /** Whether it names others. */
  public boolean isList() {
    return name.value().endsWith(".sums");
  }

  /** Behind the writer's name, which may be any of these words, too. */
  private boolean isIn(String folder) {
    return name.value().split("/", -1)[2].equals(folder);
  }

  /** Whether it belongs to a stream. */
  public boolean isStream() {
    return isIn("stream") && !isList();
  }

  /** Whether it holds chunks. */
  public boolean isPack() {
    return isIn("packs");
  }

  @Override
  public String toString() {
    return name.value();
  }
}
