package org.stellaops.backup.postgres.internal.receive;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/** What a client of the archive has to say: a header in a file that only its owner may read. */
public final class ArchiveToken {
  private static final int RANDOM_BYTES = 32;
  private static final int MAX_BYTES = 1024;
  private static final Pattern HEADER =
      Pattern.compile("Authorization: (Bearer [A-Za-z0-9._~+/=-]{32,512})\\R?");
  private static final Set<PosixFilePermission> OWNERS =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final byte[] expected;

  private ArchiveToken(String expected) {
    this.expected = expected.getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * The token of a file, which is made if it is not there.
   *
   * @throws BackupException.Refused ARCHIVE_TOKEN if others may read it, or it holds something else
   */
  public static ArchiveToken of(Path file) throws IOException {
    make(file);
    requirePrivate(file);
    Matcher form = HEADER.matcher(Files.size(file) > MAX_BYTES ? "" : Files.readString(file));
    if (!form.matches()) {
      throw refused(file, "expected one line 'Authorization: Bearer …', found something else");
    }
    return new ArchiveToken(form.group(1));
  }

  /** Whether this is the value of the header; takes as long for every wrong one. */
  boolean isIn(@Nullable String header) {
    return header != null
        && MessageDigest.isEqual(expected, header.getBytes(StandardCharsets.US_ASCII));
  }

  private static void make(Path file) throws IOException {
    if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    byte[] random = new byte[RANDOM_BYTES];
    new SecureRandom().nextBytes(random);
    byte[] line =
        ("Authorization: Bearer " + HexFormat.of().formatHex(random) + "\n")
            .getBytes(StandardCharsets.US_ASCII);
    try {
      Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNERS));
      Files.write(file, line, StandardOpenOption.WRITE);
    } catch (FileAlreadyExistsException e) {
      // Somebody else made it meanwhile; theirs counts.
    }
  }

  private static void requirePrivate(Path file) throws IOException {
    Set<PosixFilePermission> granted = Files.getPosixFilePermissions(file);
    if (!OWNERS.containsAll(granted)) {
      throw refused(
          file,
          "expected that only its owner reads it, found " + PosixFilePermissions.toString(granted));
    }
  }

  private static BackupException.Refused refused(Path file, String found) {
    return new BackupException.Refused(
        PostgresFailure.ARCHIVE_TOKEN,
        "read the token of the archive %s: %s".formatted(file, found));
  }

  /** Not the secret. */
  @Override
  public String toString() {
    return "ArchiveToken";
  }
}
