package org.stellaops.backup.internal.run;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.zip.GZIPOutputStream;
import org.stellaops.backup.bundle.TarballReport;
import org.stellaops.backup.bundle.TarballReport.Kind;
import org.stellaops.backup.bundle.TarballReport.Member;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.internal.disk.MediumFailures;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.Unfinished;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.internal.tar.TarWriter;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.Stopping;

/**
 * Makes a tarball of a snapshot. No plain byte goes to a disk: sizes stand in front of members, so
 * what is compressed on its own is compressed twice, once to count.
 */
final class TarballRun {
  static final String SUMS = "SHA256SUMS";

  private static final int MOST_FILES = 100_000;
  private static final int BUFFER_BYTES = 1 << 16;
  private static final String ARCHIVE = ".archive";
  private static final String TAR = ".tar";
  private static final String INDEX = ".index";
  private static final String FILES_KIND = "files/1";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final TarballRequest request;
  private final SnapshotReader reader;
  private final Instant taken;
  private final Stopping stopping;
  private final ProgressMeter progress;
  private final List<Member> members = new ArrayList<>();

  /**
   * @param reader of the snapshot
   * @param taken when it was taken, for names and times
   */
  TarballRun(
      TarballRequest request,
      SnapshotReader reader,
      Instant taken,
      Stopping stopping,
      ProgressMeter progress) {
    this.request = request;
    this.reader = reader;
    this.taken = taken.truncatedTo(ChronoUnit.SECONDS);
    this.stopping = stopping;
    this.progress = progress;
  }

  TarballReport execute(List<CapturedSource> sources) throws IOException {
    List<Part> parts = parts(sources);
    Path file = request.file().toAbsolutePath();
    if (!request.isReplacing() && Files.exists(file)) {
      throw exists(file);
    }
    try (Unfinished making = Unfinished.begin(file);
        FileOutputStream out = PrivateFiles.create(making.path())) {
      progress.begin("export", parts.stream().mapToLong(Part::bytesToRead).sum());
      write(out, parts);
      out.getFD().sync();
      progress.end();
      List<Finding> findings = exposure(making.path(), file);
      publish(making.path(), file);
      return new TarballReport(file, members, findings);
    } catch (IOException e) {
      throw MediumFailures.translate("write " + file, PrivateFiles.parent(file), e);
    }
  }

  private List<Finding> exposure(Path unfinished, Path file) throws IOException {
    if (PrivateFiles.isPrivate(unfinished)) {
      return List.of();
    }
    String what = request.recipients().isEmpty() ? "and it is not encrypted" : "encrypted as it is";
    return List.of(
        new Finding(
            CoreFailure.NOT_PRIVATE,
            file.toString(),
            "others on this machine can read it, " + what));
  }

  private void publish(Path unfinished, Path file) throws IOException {
    if (request.isReplacing()) {
      Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
    } else {
      Files.move(unfinished, file);
    }
    PrivateFiles.syncDirectory(PrivateFiles.parent(file));
  }

  private static BackupException.Refused exists(Path file) {
    return new BackupException.Refused(
        CoreFailure.BUNDLE_EXISTS, "%s is there, and is not replaced".formatted(file));
  }

  /** What becomes members: an artifact by itself, or all files of an archive. */
  private record Part(
      SourceName source, CapturedArtifact artifact, Map<String, String> files, String name) {
    boolean isOfFiles() {
      return name.isEmpty();
    }

    boolean isCompressed() {
      return name.endsWith(".gz");
    }

    long bytesToRead() {
      return artifact.plainBytes() * (isCompressed() ? 2 : 1);
    }
  }

  private List<Part> parts(List<CapturedSource> sources) throws IOException {
    Map<String, Integer> lastNames = lastNames(sources);
    Set<String> taken = new HashSet<>(Set.of(SUMS));
    List<Part> parts = new ArrayList<>();
    for (CapturedSource source : sources) {
      requireWhole(source);
      for (CapturedArtifact artifact : source.artifacts()) {
        part(source, artifact, lastNames).ifPresent(parts::add);
      }
    }
    for (Part part : parts) {
      for (String name : part.isOfFiles() ? part.files().values() : List.of(part.name())) {
        if (!taken.add(name)) {
          throw new BackupException.Refused(
              CoreFailure.NAME_CONFLICT,
              "two members would be called '%s'; hint: give one another name with named(...)"
                  .formatted(name));
        }
      }
    }
    return parts;
  }

  private static void requireWhole(CapturedSource source) throws BackupException.Refused {
    if (source.header().isIncremental()) {
      throw new BackupException.Refused(
          CoreFailure.BLOCKED,
          "source %s is an increment, which nobody could restore by hand; hint: choose a full snapshot"
              .formatted(source.header().source()));
    }
  }

  private Optional<Part> part(
      CapturedSource source, CapturedArtifact artifact, Map<String, Integer> lastNames)
      throws IOException {
    SourceName name = source.header().source();
    String artifactName = artifact.name().value();
    Optional<String> given = request.nameOf(name, artifact.name()).map(n -> n.value());
    if (given.isPresent()) {
      return Optional.of(new Part(name, artifact, Map.of(), given.get()));
    }
    if (isFiles(source)) {
      return artifactName.endsWith(TAR)
          ? Optional.of(new Part(name, artifact, flat(source, artifact, lastNames), ""))
          : Optional.empty();
    }
    return Optional.of(new Part(name, artifact, Map.of(), nameOf(artifactName)));
  }

  private static boolean isFiles(CapturedSource source) {
    return source.header().kind().value().equals(FILES_KIND);
  }

  private String nameOf(String artifact) {
    return artifact.endsWith(ARCHIVE)
        ? artifact.substring(0, artifact.length() - ARCHIVE.length())
            + "-"
            + TIME.format(taken)
            + ".gz"
        : artifact;
  }

  /** How often each last name occurs. */
  private Map<String, Integer> lastNames(List<CapturedSource> sources) throws IOException {
    Map<String, Integer> counts = new TreeMap<>();
    for (CapturedSource source : sources) {
      for (CapturedArtifact artifact : source.artifacts()) {
        if (!isFiles(source)) {
          counts.merge(nameOf(artifact.name().value()), 1, Integer::sum);
        } else if (artifact.name().value().endsWith(TAR)) {
          for (String path : files(source, artifact)) {
            counts.merge(lastName(path), 1, Integer::sum);
          }
        }
        requireFew(counts.size());
      }
    }
    return counts;
  }

  private static void requireFew(int files) throws BackupException.Refused {
    if (files > MOST_FILES) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "more than %d files, which is more than a tarball is good for; hint: write a bundle"
              .formatted(MOST_FILES));
    }
  }

  private Map<String, String> flat(
      CapturedSource source, CapturedArtifact artifact, Map<String, Integer> lastNames)
      throws IOException {
    Map<String, String> names = new TreeMap<>();
    for (String path : files(source, artifact)) {
      boolean isUnique = lastNames.getOrDefault(lastName(path), 0) == 1;
      names.put(path, isUnique ? lastName(path) : path);
    }
    return names;
  }

  private static String lastName(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** The paths of the files of an archive, as its table of contents has them. */
  private List<String> files(CapturedSource source, CapturedArtifact tar) throws IOException {
    List<String> paths = new ArrayList<>();
    String index = tar.name().value() + INDEX;
    CapturedArtifact table =
        source.artifacts().stream()
            .filter(a -> a.name().value().equals(index))
            .findFirst()
            .orElseThrow(
                () ->
                    new BackupException.Corrupt(
                        CoreFailure.MALFORMED, "the capture has no artifact " + index));
    try (TarIndex.Reader lines =
        new TarIndex.Reader(reader.open(source.header().source(), table), index)) {
      for (Optional<TarIndex.Line> line = lines.next(); line.isPresent(); line = lines.next()) {
        if (line.get().type() == TarMember.Type.FILE) {
          paths.add(line.get().path());
          requireFew(paths.size());
        }
      }
    }
    return paths;
  }

  private void write(OutputStream file, List<Part> parts) throws IOException {
    if (request.recipients().isEmpty()) {
      compress(file, parts);
      return;
    }
    try (Encryptor.Sealing sealing =
        request.recipients().get(0).format().seal(file, request.recipients())) {
      compress(sealing, parts);
      sealing.finish();
    }
  }

  private void compress(OutputStream out, List<Part> parts) throws IOException {
    GZIPOutputStream gzip = new GZIPOutputStream(new Unclosed(out), BUFFER_BYTES);
    TarWriter tar = new TarWriter(new Output(gzip));
    tar.begin(TarMember.directory(".", attributes(0700)));
    tar.end();
    for (Part part : parts) {
      writePart(tar, part);
    }
    byte[] sums = sums();
    tar.begin(TarMember.file("./" + SUMS, sums.length, attributes(0600)));
    tar.write(sums, 0, sums.length);
    tar.end();
    tar.finish();
    gzip.close();
  }

  private void writePart(TarWriter tar, Part part) throws IOException {
    if (part.isOfFiles()) {
      writeFiles(tar, part);
      return;
    }
    long size = part.artifact().plainBytes();
    if (part.isCompressed()) {
      Counter counter = new Counter();
      copyCompressed(part, counter);
      size = counter.bytes;
    }
    tar.begin(TarMember.file("./" + part.name(), size, attributes(0600)));
    MessageDigest digest = Digest.sha256();
    OutputStream member = new MemberOutput(tar, digest);
    if (part.isCompressed()) {
      copyCompressed(part, member);
    } else {
      copy(part, member);
    }
    tar.end();
    Kind kind = part.isCompressed() ? Kind.MONGODUMP_ARCHIVE_GZIP : Kind.FILE;
    members.add(new Member(part.name(), size, Digest.of(digest.digest()), kind, true));
  }

  private void copy(Part part, OutputStream to) throws IOException {
    try (InputStream in = reader.open(part.source(), part.artifact())) {
      byte[] buffer = new byte[BUFFER_BYTES];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        stopping.check();
        to.write(buffer, 0, n);
        progress.add(n, 0);
      }
    }
  }

  /** The same bytes each time: the header of {@link GZIPOutputStream} has no time. */
  private void copyCompressed(Part part, OutputStream to) throws IOException {
    try (GZIPOutputStream gzip = new GZIPOutputStream(new Unclosed(to), BUFFER_BYTES)) {
      copy(part, gzip);
    }
  }

  private void writeFiles(TarWriter tar, Part part) throws IOException {
    String what = part.source() + "/" + part.artifact().name();
    try (InputStream in = reader.open(part.source(), part.artifact())) {
      TarReader archive = new TarReader(in, what, part.artifact().plainBytes());
      byte[] buffer = new byte[BUFFER_BYTES];
      for (Optional<TarMember> m = archive.next(); m.isPresent(); m = archive.next()) {
        String name = part.files().get(m.get().name());
        if (m.get().type() != TarMember.Type.FILE || name == null) {
          continue;
        }
        tar.begin(TarMember.file("./" + name, m.get().sizeBytes(), m.get().attributes()));
        MessageDigest digest = Digest.sha256();
        OutputStream member = new MemberOutput(tar, digest);
        for (int n = archive.read(buffer, 0, buffer.length);
            n >= 0;
            n = archive.read(buffer, 0, buffer.length)) {
          stopping.check();
          member.write(buffer, 0, n);
          progress.add(n, 0);
        }
        tar.end();
        members.add(
            new Member(name, m.get().sizeBytes(), Digest.of(digest.digest()), Kind.FILE, true));
      }
    }
  }

  /** As {@code sha256sum *} prints it, in the order of names. */
  private byte[] sums() {
    Map<String, String> lines = new TreeMap<>();
    members.forEach(m -> lines.put(m.name(), m.digest().hex() + "  " + m.name() + "\n"));
    return String.join("", lines.values()).getBytes(StandardCharsets.UTF_8);
  }

  private FileAttributes attributes(int mode) {
    return new FileAttributes(mode, 0, 0, "", "", taken, new TreeMap<>());
  }

  /** Passes everything on but the end. */
  private static final class Unclosed extends OutputStream {
    private final OutputStream out;

    Unclosed(OutputStream out) {
      this.out = out;
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }
  }

  /** Counts. */
  private static final class Counter extends OutputStream {
    private long bytes;

    @Override
    public void write(int b) {
      bytes++;
    }

    @Override
    public void write(byte[] b, int offset, int length) {
      bytes += length;
    }
  }

  /** Bytes of an archive. */
  private static final class Output extends ArtifactOutput {
    private final OutputStream out;

    Output(OutputStream out) {
      this.out = out;
    }

    @Override
    public void boundary() {}

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      out.write(bytes, offset, length);
    }
  }

  /** Bytes of a member. */
  private static final class MemberOutput extends OutputStream {
    private final TarWriter tar;
    private final MessageDigest digest;

    MemberOutput(TarWriter tar, MessageDigest digest) {
      this.tar = tar;
      this.digest = digest;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      tar.write(bytes, offset, length);
      digest.update(bytes, offset, length);
    }
  }
}
