package org.stellaops.backup.bundle;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
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
import org.stellaops.backup.internal.disk.MediumFailures;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.Unfinished;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.ObjectLocation;

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

  /** Names, times and the gaps between members: some 5 KiB for each. */
  private static final long MOST_HEADER_BYTES = 512 << 20;

  private static final int MOST_SUMS_BYTES = 64 << 20;

  /** {@code sha256sum} of either mode; a name with a line end or backslash begins otherwise. */
  private static final Pattern LINE =
      Pattern.compile("([0-9a-fA-F]{64}) [ *](?:\\./)?([^\\p{Cntrl}]+)");

  private final StoredBytes stored;

  private HandMadeBackup(StoredBytes stored) {
    this.stored = stored;
  }

  /** The backup in a file. */
  public static HandMadeBackup at(Path file) {
    return new HandMadeBackup(StoredBytes.of(file.toAbsolutePath().normalize()));
  }

  /**
   * The backup that somebody put into a bucket or directory, which need be no repository. It is
   * read from there, once for every call, and never written.
   */
  public static HandMadeBackup at(ObjectLocation location, ObjectName object) {
    return new HandMadeBackup(StoredBytes.of(location, object));
  }

  /**
   * The one backup that these files are, where a pattern may have matched several.
   *
   * @throws BackupException.Refused SEVERAL_BUNDLES, NOT_FOUND if there is no file
   */
  public static HandMadeBackup only(List<Path> files) throws BackupException.Refused {
    return at(OnlyOne.of(files, Path::toString));
  }

  /** Where it is, without credentials. */
  public String describe() {
    return stored.describe();
  }

  /**
   * Whether it is encrypted, by its first bytes: an age file, which takes an identity to say what
   * is in it; if not, a tar or a {@code tar.gz}, of which nothing more is known.
   *
   * @throws BackupException.Corrupt NOT_A_BUNDLE if it is neither
   * @throws BackupException.Sink MEDIUM_GONE or OBJECT_NOT_FOUND, and others of the store
   */
  public boolean isSealed() throws BackupException {
    try (InputStream in = new BufferedInputStream(stored.open(), FirstBytes.WANTED)) {
      FirstBytes is = FirstBytes.of(peek(in));
      if (!is.isSealed() && is != FirstBytes.GZIP && is != FirstBytes.TAR) {
        throw noTarball(is, "");
      }
      return is.isSealed();
    } catch (IOException e) {
      throw MediumFailures.reading("read " + describe(), e);
    }
  }

  /**
   * Unpacks it, and compares with the digests that it brings. The directory appears when everything
   * in it is whole, compared and durable, or not at all; only its owner reads it. Links and special
   * files are refused; owners, modes and times are not taken over.
   *
   * <p>Until then it is called {@code <directory>.<token>.incomplete}. What a process that was
   * killed left of that is removed by the next call for the same directory.
   *
   * @param directory to be made
   * @param maxBytes of all its files together; of more nothing is unpacked
   * @param by opens it, if it is encrypted; stay the caller's
   * @return what was there, with NOT_COMPARED for whatever nobody wrote a digest of
   * @throws BackupException.Refused BUNDLE_EXISTS if the directory is there; TOO_LARGE; NOT_PRIVATE
   *     if its file system cannot keep others out
   * @throws BackupException.Crypto KEY_UNAVAILABLE, WRONG_KEY or WRONG_PASSPHRASE
   * @throws BackupException.Corrupt NOT_A_BUNDLE, TRUNCATED, MALFORMED, CORRUPT_OBJECT or
   *     UNSUPPORTED_FORMAT
   * @throws BackupException.Sink MEDIUM_GONE, SINK_FULL, or others of the store it lies in
   */
  public TarballReport unpack(Path directory, long maxBytes, Identity... by)
      throws BackupException {
    Path target = directory.toAbsolutePath().normalize();
    try {
      if (Files.exists(target)) {
        throw MediumFailures.exists(target);
      }
      try (Unfinished making = Unfinished.begin(target)) {
        PrivateFiles.createDirectory(making.path());
        requirePrivate(making.path());
        TarballReport report = unpackInto(making.path(), target, maxBytes, List.of(by));
        Files.move(making.path(), target);
        PrivateFiles.syncDirectory(PrivateFiles.parent(target));
        return report;
      }
    } catch (IOException e) {
      throw MediumFailures.translate("unpack " + describe(), PrivateFiles.parent(target), e);
    }
  }

  /** Secrets are in it, and are plain from here on. */
  private static void requirePrivate(Path directory) throws IOException {
    if (!PrivateFiles.isPrivate(directory)) {
      throw new BackupException.Refused(
          CoreFailure.NOT_PRIVATE,
          "%s can be looked into by others, whatever mode it is made with; nothing was unpacked"
              .formatted(directory));
    }
  }

  private TarballReport unpackInto(Path directory, Path target, long maxBytes, List<Identity> by)
      throws IOException {
    List<Member> members = new ArrayList<>();
    try (InputStream plain = new AtMost(open(by), maxBytes)) {
      TarReader tar = TarReader.ofAnybody(plain, describe(), Long.MAX_VALUE);
      long left = maxBytes;
      for (Optional<TarMember> m = tar.next(); m.isPresent(); m = tar.next()) {
        left -= m.get().sizeBytes();
        if (left < 0 || members.size() >= MOST_FILES) {
          throw tooLarge(maxBytes);
        }
        unpack(tar, m.get(), directory).ifPresent(members::add);
      }
    } catch (EOFException e) {
      throw new BackupException.Corrupt(CoreFailure.TRUNCATED, describe() + " is cut off", e);
    } catch (ZipException e) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT, describe() + " is damaged: " + e.getMessage(), e);
    }
    return compared(directory, target, members);
  }

  private BackupException.Refused tooLarge(long maxBytes) {
    return new BackupException.Refused(
        CoreFailure.TOO_LARGE,
        "%s holds more than %d bytes or %d files".formatted(describe(), maxBytes, MOST_FILES));
  }

  /** An archive, whose members may be empty, and have no end: names and zeros are bounded, too. */
  private final class AtMost extends FilterInputStream {
    private final long maxBytes;
    private long contentLeft;
    private long otherLeft = MOST_HEADER_BYTES;

    AtMost(InputStream in, long maxBytes) {
      super(in);
      this.maxBytes = maxBytes;
      this.contentLeft = maxBytes;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = super.read(bytes, offset, length);
      contentLeft -= Math.max(0, n);
      if (contentLeft < 0) {
        otherLeft += contentLeft;
        contentLeft = 0;
      }
      if (otherLeft < 0) {
        throw tooLarge(maxBytes);
      }
      return n;
    }
  }

  /** The bytes of the tar. The caller closes. */
  private InputStream open(List<Identity> by) throws IOException {
    InputStream in = new BufferedInputStream(stored.open(), FirstBytes.WANTED);
    boolean isOpen = false;
    try {
      InputStream plain = unzipped(unsealed(in, by));
      isOpen = true;
      return plain;
    } finally {
      if (!isOpen) {
        in.close();
      }
    }
  }

  private InputStream unsealed(InputStream in, List<Identity> by) throws IOException {
    if (!FirstBytes.of(peek(in)).isSealed()) {
      return in;
    }
    if (by.isEmpty()) {
      throw new BackupException.Crypto(
          CoreFailure.KEY_UNAVAILABLE, describe() + " is encrypted, and no identity was given");
    }
    InputStream plain = new BufferedInputStream(by.get(0).format().open(in, by), BUFFER_BYTES);
    FirstBytes is = FirstBytes.of(peek(plain));
    if (is != FirstBytes.GZIP && is != FirstBytes.TAR) {
      throw noTarball(is, "an age file that holds what is ");
    }
    return plain;
  }

  private InputStream unzipped(InputStream in) throws IOException {
    FirstBytes is = FirstBytes.of(peek(in));
    if (is == FirstBytes.TAR) {
      return in;
    }
    if (is != FirstBytes.GZIP) {
      throw noTarball(is, "");
    }
    InputStream plain =
        new BufferedInputStream(new GZIPInputStream(in, BUFFER_BYTES), BUFFER_BYTES);
    FirstBytes within = FirstBytes.of(peek(plain));
    if (within != FirstBytes.TAR) {
      throw noTarball(within, "a gzip file that holds what is ");
    }
    return plain;
  }

  private BackupException.Corrupt noTarball(FirstBytes is, String around) {
    String hint =
        is == FirstBytes.MONGODUMP
            ? "; hint: a dump that lies by itself is captured as it is, by MongoArchiveSource"
            : "";
    return new BackupException.Corrupt(
        CoreFailure.NOT_A_BUNDLE,
        "%s is %s%s, not a tar.gz%s".formatted(describe(), around, is.words(), hint));
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
      FirstBytes is = FirstBytes.of(peek(in));
      if (is == FirstBytes.GZIP) {
        return inflated(in) == FirstBytes.MONGODUMP ? Kind.MONGODUMP_ARCHIVE_GZIP : Kind.FILE;
      }
      return is == FirstBytes.MONGODUMP ? Kind.MONGODUMP_ARCHIVE : Kind.FILE;
    }
  }

  /** What only looks like gzip is a file like any other. */
  private static FirstBytes inflated(InputStream in) {
    try (InputStream plain = new GZIPInputStream(in)) {
      return FirstBytes.of(plain.readNBytes(FirstBytes.WANTED));
    } catch (IOException e) {
      return FirstBytes.UNKNOWN;
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
                .formatted(printable(member.name()), describe(), member.digest(), SUMS, wanted));
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
              .formatted(SUMS, printable(expected.keySet().iterator().next()), describe()));
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
    return new BackupException.Corrupt(CoreFailure.MALFORMED, describe() + ": " + how);
  }

  private static String printable(String name) {
    String head = name.length() > 200 ? name.substring(0, 200) + "…" : name;
    return head.replaceAll("\\p{Cntrl}", "?");
  }

  @Override
  public String toString() {
    return "HandMadeBackup " + describe();
  }
}
