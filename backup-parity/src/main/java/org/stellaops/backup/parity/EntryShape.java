package org.stellaops.backup.parity;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whether an entry looks whole: nothing but its signature tells of its content, and that is the
 * affair of whoever has pinned a key. A torn or blank one is noticed.
 */
final class EntryShape {
  private static final String TITLE = "# stella-backup entry 1\n";
  private static final String END = "#sig -----END SSH SIGNATURE-----\n";

  private EntryShape() {}

  /** What is wrong with an entry; empty if it begins and ends like one. */
  static Optional<String> wrong(Path entry) throws IOException {
    try (var file = new RandomAccessFile(entry.toFile(), "r")) {
      boolean isWhole =
          file.length() >= TITLE.length() + END.length()
              && TITLE.equals(text(file, 0, TITLE.length()))
              && END.equals(text(file, file.length() - END.length(), END.length()));
      return isWhole
          ? Optional.empty()
          : Optional.of("does not begin and end like an entry; it may be torn");
    }
  }

  private static String text(RandomAccessFile file, long from, int length) throws IOException {
    byte[] bytes = new byte[length];
    file.seek(from);
    file.readFully(bytes);
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
