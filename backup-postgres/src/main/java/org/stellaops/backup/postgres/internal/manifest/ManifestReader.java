package org.stellaops.backup.postgres.internal.manifest;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.internal.tar.Names;

/**
 * Reads a {@code backup_manifest}, version 1 (PostgreSQL 15 and 16) or 2 (17 and newer), while it
 * passes, and checks its own checksum (documentation, "Backup Manifest Format";
 * src/backend/backup/backup_manifest.c).
 *
 * <p>The server writes one file a line, always in the same form, so this reads lines and is no JSON
 * parser: what has another form is an error, never skipped.
 */
public final class ManifestReader {
  /** A path has at most 1023 bytes, escaped at most six times as many. */
  private static final int MAX_LINE_BYTES = 16 << 10;

  private static final Pattern VERSION =
      Pattern.compile("\\{ \"PostgreSQL-Backup-Manifest-Version\": ([0-9]{1,4}),");
  private static final Pattern SYSTEM = Pattern.compile("\"System-Identifier\": ([0-9]{1,20}),");

  /** Path, size, time and checksum of a file. */
  static final Pattern FILE =
      Pattern.compile(
          "\\{ \"Path\": \"((?:[^\"\\\\]++|\\\\.)*+)\", \"Size\": ([0-9]{1,18}),"
              + " \"Last-Modified\": \"([^\"]*)\","
              + " \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \"([0-9a-f]{8})\" \\},?");

  /** What a file begins with instead whose name is not UTF-8. */
  private static final Pattern ENCODED =
      Pattern.compile("\\{ \"Encoded-Path\": \"((?:[0-9a-f]{2}){1,4096})\", .*");

  private static final Pattern WAL_RANGE =
      Pattern.compile(
          "\\{ \"Timeline\": [0-9]+, \"Start-LSN\": \"[0-9A-F/]+\", \"End-LSN\": \"[0-9A-F/]+\" \\},?");
  private static final Pattern CHECKSUM =
      Pattern.compile("\"Manifest-Checksum\": \"([0-9a-f]{64})\"\\}");

  private final BiConsumer<String, FileContents> files;
  private final MessageDigest digest = Digest.sha256();
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(256);
  private Place place = Place.VERSION;
  private String systemIdentifier = "";
  private int lines;

  /** Hands every file to {@code files}: its path in the data directory, and what it consists of. */
  public ManifestReader(BiConsumer<String, FileContents> files) {
    this.files = files;
  }

  /** Takes the next bytes. */
  public void accept(byte[] bytes, int offset, int length) throws IOException {
    int begin = offset;
    for (int i = offset; i < offset + length; i++) {
      if (bytes[i] == '\n') {
        append(bytes, begin, i + 1 - begin);
        endLine();
        begin = i + 1;
      }
    }
    append(bytes, begin, offset + length - begin);
  }

  /** Which cluster the backup is of, as far as it was read; empty in version 1. */
  public String systemIdentifier() {
    return systemIdentifier;
  }

  /** Checks that the manifest was complete and is what its checksum says. */
  public void finish() throws IOException {
    if (line.size() > 0) {
      endLine();
    }
    if (place != Place.END) {
      throw malformed("it ends too early");
    }
  }

  private void append(byte[] bytes, int offset, int length) throws IOException {
    if (line.size() + length > MAX_LINE_BYTES) {
      throw malformed("a line is longer than " + MAX_LINE_BYTES + " bytes");
    }
    line.write(bytes, offset, length);
  }

  private void endLine() throws IOException {
    lines++;
    byte[] bytes = line.toByteArray();
    line.reset();
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.startsWith("\"Manifest-Checksum\"")) {
      readChecksum(text.stripTrailing());
    } else {
      digest.update(bytes);
      place = read(text.stripTrailing());
    }
  }

  private Place read(String text) throws IOException {
    return switch (place) {
      case VERSION -> readVersion(text);
      case BEFORE_FILES -> readBeforeFiles(text);
      case FILES -> text.equals("],") ? Place.BEFORE_WAL : readFile(text);
      case BEFORE_WAL -> {
        require(text.equals("\"WAL-Ranges\": ["));
        yield Place.WAL;
      }
      case WAL -> {
        require(text.equals("],") || WAL_RANGE.matcher(text).matches());
        yield text.equals("],") ? Place.BEFORE_CHECKSUM : Place.WAL;
      }
      case BEFORE_CHECKSUM, END -> throw malformed("something follows where nothing may");
    };
  }

  private Place readVersion(String text) throws IOException {
    Matcher version = VERSION.matcher(text);
    require(version.matches());
    if (!version.group(1).equals("1") && !version.group(1).equals("2")) {
      throw malformed("version " + version.group(1) + " is not known; 1 and 2 are");
    }
    return Place.BEFORE_FILES;
  }

  private Place readBeforeFiles(String text) throws IOException {
    if (text.equals("\"Files\": [")) {
      return Place.FILES;
    }
    Matcher system = SYSTEM.matcher(text);
    require(system.matches());
    systemIdentifier = system.group(1);
    return Place.BEFORE_FILES;
  }

  private Place readFile(String text) throws IOException {
    Matcher file = FILE.matcher(text);
    if (!file.matches()) {
      refuseEncoded(text);
    }
    require(file.matches());
    long sizeBytes = Long.parseLong(file.group(2));
    files.accept(unescape(file.group(1)), FileContents.parse(sizeBytes, file.group(4)));
    return Place.FILES;
  }

  /** Java names files by text: nothing here could write this one as it is called. */
  private void refuseEncoded(String text) throws BackupException.Corrupt {
    Matcher encoded = ENCODED.matcher(text);
    if (encoded.matches()) {
      byte[] name = HexFormat.of().parseHex(encoded.group(1));
      throw new BackupException.Corrupt(
          PostgresFailure.NAME_NOT_UTF8,
          "backup_manifest, line %d: the name '%s' is not UTF-8"
              .formatted(lines, Names.printed(name, 0, name.length)));
    }
  }

  /** The checksum covers everything before its line. */
  private void readChecksum(String text) throws IOException {
    Matcher stated = CHECKSUM.matcher(text);
    require(place == Place.BEFORE_CHECKSUM && stated.matches());
    String computed = Digest.of(digest.digest()).hex();
    if (!computed.equals(stated.group(1))) {
      throw malformed("its own checksum is " + stated.group(1) + ", its bytes give " + computed);
    }
    place = Place.END;
  }

  /** As escape_json in src/backend/utils/adt/json.c writes it. */
  private String unescape(String escaped) throws IOException {
    if (escaped.indexOf('\\') < 0) {
      return escaped;
    }
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < escaped.length(); i++) {
      char c = escaped.charAt(i);
      if (c != '\\') {
        plain.append(c);
        continue;
      }
      char kind = escaped.charAt(++i);
      switch (kind) {
        case 'b' -> plain.append('\b');
        case 'f' -> plain.append('\f');
        case 'n' -> plain.append('\n');
        case 'r' -> plain.append('\r');
        case 't' -> plain.append('\t');
        case '"', '\\', '/' -> plain.append(kind);
        case 'u' -> {
          plain.append(codeUnit(escaped, i + 1));
          i += 4;
        }
        default -> throw malformed("an escape \\" + kind + " in a path");
      }
    }
    return plain.toString();
  }

  private char codeUnit(String escaped, int begin) throws IOException {
    if (begin + 4 > escaped.length()) {
      throw malformed("an escape at the end of a path");
    }
    try {
      return (char) HexFormat.fromHexDigits(escaped, begin, begin + 4);
    } catch (IllegalArgumentException e) {
      throw malformed("an escape in a path that is not hexadecimal");
    }
  }

  private void require(boolean isAsExpected) throws IOException {
    if (!isAsExpected) {
      throw malformed("not the form that the server writes");
    }
  }

  private BackupException.Corrupt malformed(String what) {
    return new BackupException.Corrupt(
        PostgresFailure.MANIFEST_MALFORMED, "backup_manifest, line %d: %s".formatted(lines, what));
  }

  /** What was read last. */
  private enum Place {
    VERSION,
    BEFORE_FILES,
    FILES,
    BEFORE_WAL,
    WAL,
    BEFORE_CHECKSUM,
    END
  }
}
