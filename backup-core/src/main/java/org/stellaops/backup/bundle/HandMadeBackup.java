package org.stellaops.backup.bundle;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.stellaops.backup.bundle.TarballReport.Kind;
import org.stellaops.backup.bundle.TarballReport.Member;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.Identity;

/**
 * A backup that somebody made with {@code tar} and {@code age}, or that was exported in that form:
 * what it is, its first bytes say, never its name. Unpacked and compared, its files are what
 * sources capture and targets restore: {@code MongoArchiveSource}, {@code FileSource}, {@code
 * SecretSource}. A value.
 */
public final class HandMadeBackup {
  private static final String SUMS = "SHA256SUMS";
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int MOST_FILES = 100_000;
  private static final int MOST_SUMS_BYTES = 64 << 20;

  /** {@code sha256sum} of either mode; a name with a line end or backslash begins otherwise. */
  private static final Pattern LINE =
      Pattern.compile("([0-9a-fA-F]{64}) [ *](?:\\./)?([^\\p{Cntrl}]+)");

  /** Little endian 0x8199e26d, the magic number of mongo-tools' archive format. */
  private static final byte[] MONGODUMP = {0x6d, (byte) 0xe2, (byte) 0x99, (byte) 0x81};

  private final Path file;

  private HandMadeBackup(Path file) {
    this.file = file;
  }

  /** The backup in a file. */
  public static HandMadeBackup at(Path file) {
    return new HandMadeBackup(file.toAbsolutePath().normalize());
  }

  /**
   * Unpacks it, and compares with the digests that it brings. The directory appears when everything
   * in it is whole, compared and durable, or not at all; only its owner reads it. Links and special
   * files are refused; owners, modes and times are not taken over.
   *
   * @param directory to be made
   * @param maxBytes more than this is not unpacked
   * @param by opens it, if it is encrypted; stay the caller's
   * @return what was there, with NOT_COMPARED for whatever nobody wrote a digest of
   * @throws BackupException.Refused BUNDLE_EXISTS if the directory is there
   * @throws BackupException.Crypto KEY_UNAVAILABLE, WRONG_KEY or WRONG_PASSPHRASE
   * @throws BackupException.Corrupt NOT_A_BUNDLE, TRUNCATED, MALFORMED, CORRUPT_OBJECT or
   *     UNSUPPORTED_FORMAT
   * @throws BackupException.Sink MEDIUM_GONE or SINK_FULL
   */
  public TarballReport unpack(Path directory, long maxBytes, Identity... by)
      throws BackupException {
    Path target = directory.toAbsolutePath().normalize();
    try {
      if (Files.exists(target)) {
        throw MediumFailures.exists(target);
      }
      Path unfinished = target.resolveSibling(target.getFileName() + ".incomplete");
      PrivateFiles.createDirectory(unfinished);
      boolean isDone = false;
      try {
        TarballReport report = unpackInto(unfinished, target, maxBytes, List.of(by));
        Files.move(unfinished, target);
        PrivateFiles.syncDirectory(PrivateFiles.parent(target));
        isDone = true;
        return report;
      } finally {
        if (!isDone) {
          PrivateFiles.deleteTree(unfinished);
        }
      }
    } catch (IOException e) {
      throw MediumFailures.translate("unpack " + file, PrivateFiles.parent(target), e);
    }
  }

  private TarballReport unpackInto(Path directory, Path target, long maxBytes, List<Identity> by)
      throws IOException {
    List<Member> members = new ArrayList<>();
    try (InputStream plain = open(by)) {
      TarReader tar = TarReader.ofAnybody(plain, file.toString(), maxBytes);
      long bytes = 0;
      for (Optional<TarMember> m = tar.next(); m.isPresent(); m = tar.next()) {
        bytes += m.get().sizeBytes();
        requireAtMost(bytes, maxBytes, members.size());
        unpack(tar, m.get(), directory).ifPresent(members::add);
      }
    } catch (EOFException e) {
      throw new BackupException.Corrupt(CoreFailure.TRUNCATED, file + " is cut off", e);
    } catch (ZipException e) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT, file + " is damaged: " + e.getMessage(), e);
    }
    return compared(directory, target, members);
  }

  private void requireAtMost(long bytes, long maxBytes, int files) throws BackupException {
    if (bytes > maxBytes || files >= MOST_FILES) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "%s holds more than %d bytes or %d files".formatted(file, maxBytes, MOST_FILES));
    }
  }

  /** The bytes of the tar. The caller closes. */
  private InputStream open(List<Identity> by) throws IOException {
    InputStream in = new BufferedInputStream(stored(), FirstBytes.WANTED);
    boolean isOpen = false;
    try {
      InputStream plain = open(in, by, true);
      isOpen = true;
      return plain;
    } finally {
      if (!isOpen) {
        in.close();
      }
    }
  }

  private InputStream stored() throws IOException {
    try {
      return Files.newInputStream(file);
    } catch (NoSuchFileException e) {
      throw new BackupException.Sink(
          CoreFailure.MEDIUM_GONE, Reason.NOT_FOUND, "there is no " + file, e);
    }
  }

  private InputStream open(InputStream in, List<Identity> by, boolean mayBeSealed)
      throws IOException {
    byte[] head = peek(in);
    FirstBytes is = FirstBytes.of(head);
    if (mayBeSealed && (is == FirstBytes.AGE || is == FirstBytes.ARMORED_AGE)) {
      if (by.isEmpty()) {
        throw new BackupException.Crypto(
            CoreFailure.KEY_UNAVAILABLE, file + " is encrypted, and no identity was given");
      }
      InputStream plain = by.get(0).format().open(in, by);
      return open(new BufferedInputStream(plain, BUFFER_BYTES), by, false);
    }
    if (is == FirstBytes.GZIP) {
      return new BufferedInputStream(new GZIPInputStream(in, BUFFER_BYTES), BUFFER_BYTES);
    }
    if (is == FirstBytes.TAR) {
      return in;
    }
    throw new BackupException.Corrupt(
        CoreFailure.NOT_A_BUNDLE,
        "%s is %s%s, not a tar.gz"
            .formatted(file, mayBeSealed ? "" : "an age file that holds what is ", is.words()));
  }

  private static byte[] peek(InputStream in) throws IOException {
    in.mark(FirstBytes.WANTED);
    byte[] head = in.readNBytes(FirstBytes.WANTED);
    in.reset();
    return head;
  }

  private Optional<Member> unpack(TarReader tar, TarMember member, Path directory)
      throws IOException {
    String name = member.name().startsWith("./") ? member.name().substring(2) : member.name();
    if (member.type() == TarMember.Type.DIRECTORY) {
      return Optional.empty();
    }
    if (member.type() != TarMember.Type.FILE) {
      throw malformed("'%s' is a %s".formatted(printable(name), member.type().word()));
    }
    Path to = directory;
    for (String segment : valid(name).value().split("/", -1)) {
      PrivateFiles.createDirectories(to, 1);
      to = to.resolve(segment);
    }
    MessageDigest digest = Digest.sha256();
    try (FileOutputStream out = PrivateFiles.create(to)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = tar.read(buffer, 0, buffer.length);
          n >= 0;
          n = tar.read(buffer, 0, buffer.length)) {
        out.write(buffer, 0, n);
        digest.update(buffer, 0, n);
      }
      out.getFD().sync();
    } catch (FileAlreadyExistsException e) {
      throw malformed("'%s' is in it twice".formatted(printable(name)));
    }
    return Optional.of(
        new Member(name, member.sizeBytes(), Digest.of(digest.digest()), kindOf(to), false));
  }

  private ObjectName valid(String name) throws BackupException {
    try {
      return ObjectName.of(name);
    } catch (IllegalArgumentException e) {
      throw malformed("a member cannot be unpacked: " + e.getMessage());
    }
  }

  private static Kind kindOf(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(new FileInputStream(file.toFile()))) {
      boolean isGzip = FirstBytes.of(peek(in)) == FirstBytes.GZIP;
      byte[] head = isGzip ? inflated(in) : in.readNBytes(MONGODUMP.length);
      if (!Arrays.equals(head, MONGODUMP)) {
        return Kind.FILE;
      }
      return isGzip ? Kind.MONGODUMP_ARCHIVE_GZIP : Kind.MONGODUMP_ARCHIVE;
    }
  }

  /** What only looks like gzip is a file like any other. */
  private static byte[] inflated(InputStream in) {
    try (InputStream plain = new GZIPInputStream(in)) {
      return plain.readNBytes(MONGODUMP.length);
    } catch (IOException e) {
      return new byte[0];
    }
  }

  /** Everything that the archive has a digest of must be there and have it. */
  private TarballReport compared(Path directory, Path target, List<Member> members)
      throws IOException {
    Map<String, Digest> expected = sums(directory);
    List<Member> compared = new ArrayList<>();
    List<Finding> findings = new ArrayList<>();
    for (Member member : members) {
      Digest wanted = expected.remove(member.name());
      if (wanted != null && !wanted.equals(member.digest())) {
        throw new BackupException.Corrupt(
            CoreFailure.CORRUPT_OBJECT,
            "%s in %s has the digest %s, its %s says %s"
                .formatted(printable(member.name()), file, member.digest(), SUMS, wanted));
      }
      boolean isSums = member.name().equals(SUMS);
      if (wanted == null && !isSums) {
        findings.add(
            new Finding(
                CoreFailure.NOT_COMPARED,
                printable(member.name()),
                "has no line in %s of the archive".formatted(SUMS)));
      }
      if (!isSums) {
        compared.add(
            new Member(
                member.name(), member.sizeBytes(), member.digest(), member.kind(), wanted != null));
      }
    }
    if (!expected.isEmpty()) {
      throw new BackupException.Corrupt(
          CoreFailure.OBJECT_NOT_FOUND,
          "%s names %s, which %s does not hold"
              .formatted(SUMS, printable(expected.keySet().iterator().next()), file));
    }
    return new TarballReport(target, compared, findings);
  }

  private Map<String, Digest> sums(Path directory) throws IOException {
    Map<String, Digest> sums = new TreeMap<>();
    Path list = directory.resolve(SUMS);
    if (!Files.exists(list)) {
      return sums;
    }
    if (Files.size(list) > MOST_SUMS_BYTES) {
      throw malformed("its %s is too large".formatted(SUMS));
    }
    for (String line :
        new String(Files.readAllBytes(list), StandardCharsets.UTF_8).split("\n", -1)) {
      Matcher match = LINE.matcher(line);
      if (match.matches()) {
        sums.put(match.group(2), Digest.parse(match.group(1).toLowerCase(Locale.ROOT)));
      } else if (!line.isBlank() && !line.startsWith("#")) {
        throw malformed("its %s has a line that is no checksum".formatted(SUMS));
      }
    }
    return sums;
  }

  private BackupException.Corrupt malformed(String how) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, file + ": " + how);
  }

  private static String printable(String name) {
    String head = name.length() > 200 ? name.substring(0, 200) + "…" : name;
    return head.replaceAll("\\p{Cntrl}", "?");
  }

  @Override
  public String toString() {
    return "HandMadeBackup " + file;
  }
}
