package org.stellaops.backup.postgres.internal.manifest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Map;
import java.util.regex.Matcher;
import org.stellaops.backup.model.Digest;

/**
 * Writes the {@code backup_manifest} of a combined directory: the newest capture's, in which the
 * files that were made differ. Line by line, as {@link ManifestReader} reads it.
 */
public final class ManifestRewrite {
  private final OutputStream out;
  private final MessageDigest digest = Digest.sha256();

  private ManifestRewrite(OutputStream out) {
    this.out = out;
  }

  /**
   * Copies a manifest.
   *
   * @param from one that {@link ManifestReader} accepted
   * @param to takes the new one; the caller closes it
   * @param made the files that are others now, by the path that {@code from} has for them
   */
  public static void copy(BufferedReader from, OutputStream to, Map<String, Made> made)
      throws IOException {
    new ManifestRewrite(to).copy(from, made);
  }

  private void copy(BufferedReader from, Map<String, Made> made) throws IOException {
    for (String line = from.readLine(); line != null; line = from.readLine()) {
      if (line.startsWith("\"Manifest-Checksum\"")) {
        String checksum = Digest.of(digest.digest()).hex();
        out.write(utf8("\"Manifest-Checksum\": \"" + checksum + "\"}\n"));
        return;
      }
      byte[] bytes = utf8(rewritten(line, made) + "\n");
      digest.update(bytes);
      out.write(bytes);
    }
  }

  /** What is replaced has a path without anything to escape. */
  private static String rewritten(String line, Map<String, Made> made) {
    Matcher file = ManifestReader.FILE.matcher(line);
    Made other = file.matches() ? made.get(file.group(1)) : null;
    return other == null
        ? line
        : ("{ \"Path\": \"%s\", \"Size\": %d, \"Last-Modified\": \"%s\","
                + " \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"%s\" }%s")
            .formatted(
                other.path(),
                other.contents().sizeBytes(),
                file.group(3),
                other.contents().checksum(),
                line.endsWith(",") ? "," : "");
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * A file that was made.
   *
   * @param path in the data directory
   * @param contents what it consists of
   */
  public record Made(String path, FileContents contents) {}
}
