package org.stellaops.backup.files;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.stellaops.backup.internal.disk.AttributeWriter;
import org.stellaops.backup.internal.disk.ContentDigest;
import org.stellaops.backup.internal.disk.Inspector;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.SyncQueue;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.RestoreSession;

/**
 * One restore of files.
 *
 * <p>Staged members have numbers, not names: {@code <staging>/new/<n / 1000>/<n>} is member n of
 * the index. So nothing that an archive calls its members can lead anywhere before all of it has
 * been read and found good, and a long path needs no long path beside it. A directory is staged as
 * an empty one that carries its attributes, for the real one gets them last, when everything is in
 * it.
 *
 * <p>Publishing is an act per name, and each is written down before: a directory is made, a file is
 * linked to a free name, or it replaces another that keeps a second name in {@code <staging>/undo}.
 * Whoever finds a member's number gone from {@code new} knows that it has been published.
 */
final class FileRestore {
  private static final int PER_DIRECTORY = 1000;

  private final Path root;
  private final boolean replaces;
  private final boolean restoresStock;
  private final RestoreSession session;
  private final Destination destination;
  private final Path staging;
  private final AttributeWriter attributes = new AttributeWriter();
  private final Inspector inspector = new Inspector();
  private final Set<String> missedAttributes = new TreeSet<>();

  FileRestore(Path root, boolean replaces, boolean restoresStock, RestoreSession session) {
    this.root = root;
    this.replaces = replaces;
    this.restoresStock = restoresStock;
    this.session = session;
    this.destination = new Destination(root);
    this.staging = root.resolve(FileWalk.STAGING + session.run());
  }

  // ── stage ──

  void stage() throws IOException {
    attempt(
        "stage",
        () -> {
          undo();
          FileConflicts found = conflicts();
          makeStaging();
          extract(found.bytes());
          report();
        });
  }

  private FileConflicts conflicts() throws IOException {
    try (var index = index()) {
      var found = FileConflicts.of(index, destination, replaces, restoresStock);
      if (!found.isFree()) {
        throw new BackupException.Target(
            CoreFailure.TARGET_NOT_EMPTY,
            "in the way in %s: %s. hint: FileTarget.replace()".formatted(root, found.conflicts()));
      }
      return found;
    }
  }

  private void makeStaging() throws IOException {
    boolean isRootMade = !Files.isDirectory(root);
    Files.createDirectories(root);
    PrivateFiles.createDirectory(staging);
    if (isRootMade) {
      PrivateFiles.create(rootMade(), new byte[0]);
    }
    PrivateFiles.createDirectory(staging.resolve("new"));
    PrivateFiles.createDirectory(staging.resolve("undo"));
  }

  private void extract(long expectedBytes) throws IOException {
    CapturedSource of = captured();
    long totalBytes =
        of.artifact(FileSource.TAR).orElseThrow(() -> missing(FileSource.TAR.value())).plainBytes();
    long number = 0;
    long bytes = 0;
    try (var in = session.open(of, FileSource.TAR);
        var index = index();
        var digest = new ContentDigest(session.executor());
        var syncs = new SyncQueue(session.executor())) {
      var tar = new TarReader(in, FileSource.TAR.value(), totalBytes);
      for (var member = tar.next(); member.isPresent(); member = tar.next()) {
        session.stopping().check();
        TarIndex.Line line = index.next().orElseThrow(() -> disagree("ends before the archive"));
        requireSame(line, member.get(), tar.offset());
        if (isWanted(line)) {
          extract(tar, member.get(), line, staged(number), digest, syncs);
          bytes += line.sizeBytes();
          session.progress(bytes, number + 1, expectedBytes);
        }
        number++;
      }
      if (index.next().isPresent()) {
        throw disagree("goes on behind the archive");
      }
      syncs.finish();
    }
  }

  private boolean isWanted(TarIndex.Line line) {
    return restoresStock || !FileConflicts.isStock(line);
  }

  private void requireSame(TarIndex.Line line, TarMember member, long offset)
      throws BackupException {
    boolean isSame =
        line.path().equals(member.name())
            && line.type() == member.type()
            && line.sizeBytes() == member.sizeBytes()
            && (line.type() != TarMember.Type.FILE || line.offset() == offset);
    if (!isSame) {
      throw disagree("says '%s' where the archive says '%s'".formatted(line.path(), member.name()));
    }
  }

  private static BackupException.Corrupt disagree(String how) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "%s %s".formatted(FileSource.INDEX, how));
  }

  private void extract(
      TarReader tar,
      TarMember member,
      TarIndex.Line line,
      Path staged,
      ContentDigest digest,
      SyncQueue syncs)
      throws IOException {
    if (!Files.isDirectory(PrivateFiles.parent(staged))) {
      PrivateFiles.createDirectory(PrivateFiles.parent(staged));
    }
    if (member.type() == TarMember.Type.FILE) {
      extractFile(tar, member, line, staged, digest, syncs);
      return;
    }
    if (member.type() == TarMember.Type.DIRECTORY) {
      PrivateFiles.createDirectory(staged);
    } else {
      Files.createSymbolicLink(staged, root.getFileSystem().getPath(member.linkTarget()));
    }
    missedAttributes.addAll(attributes.write(staged, member.attributes()));
  }

  /** Bytes, then attributes, then the disk: both are durable when the queue is finished. */
  private void extractFile(
      TarReader tar,
      TarMember member,
      TarIndex.Line line,
      Path staged,
      ContentDigest digest,
      SyncQueue syncs)
      throws IOException {
    FileOutputStream out = PrivateFiles.create(staged);
    try {
      requireContent(line, copy(tar, out, digest));
      missedAttributes.addAll(attributes.write(staged, member.attributes()));
    } catch (IOException | RuntimeException e) {
      out.close();
      throw e;
    }
    syncs.add(out);
  }

  private static Digest copy(TarReader tar, FileOutputStream out, ContentDigest digest)
      throws IOException {
    byte[] part = digest.buffer();
    for (int n = tar.read(part, 0, part.length); n >= 0; n = tar.read(part, 0, part.length)) {
      digest.hash(n);
      out.write(part, 0, n);
      part = digest.buffer();
    }
    return digest.end();
  }

  private static void requireContent(TarIndex.Line line, Digest found)
      throws BackupException.Corrupt {
    if (!found.equals(line.content())) {
      throw new BackupException.Corrupt(
          CoreFailure.CORRUPT_OBJECT,
          "'%s' has SHA-256 %s, captured was %s".formatted(line.path(), found, line.content()));
    }
  }

  private void report() {
    if (!missedAttributes.isEmpty()) {
      session.finding(
          new Finding(
              CoreFailure.ATTRIBUTES_NOT_SET,
              root.toString(),
              "%s of some files could not be set"
                  .formatted(String.join(" and ", missedAttributes))));
    }
  }

  // ── publish ──

  void publish() throws IOException {
    attempt(
        "publish",
        () -> {
          if (!Files.isDirectory(staging, LinkOption.NOFOLLOW_LINKS)) {
            throw new BackupException.Target(
                CoreFailure.TARGET_FAILED, "nothing is staged in " + staging);
          }
          try (var journal = RestoreJournal.append(journal());
              var index = index()) {
            new Publication(journal).run(index);
          }
        });
  }

  /** Puts every staged member in its place. */
  private final class Publication {
    private final RestoreJournal journal;
    private final Set<Path> touched = new LinkedHashSet<>();
    private final List<RestoreJournal.Entry> directories = new ArrayList<>();
    private final Set<Long> made = new HashSet<>();
    private long bytes;

    Publication(RestoreJournal journal) {
      this.journal = journal;
    }

    void run(TarIndex.Reader index) throws IOException {
      RestoreJournal.read(journal(), this::remember);
      long number = 0;
      for (var line = index.next(); line.isPresent(); line = index.next()) {
        session.stopping().check();
        if (Files.exists(staged(number), LinkOption.NOFOLLOW_LINKS)) {
          put(line.get(), number);
        }
        bytes += line.get().sizeBytes();
        number++;
        session.progress(bytes, number, 0);
      }
      finishDirectories();
      for (Path directory : touched) {
        PrivateFiles.syncDirectory(directory);
      }
    }

    /** A directory that an earlier attempt made still waits for its attributes. */
    private void remember(RestoreJournal.Entry entry) {
      if (entry.act() == RestoreJournal.Act.DIRECTORY && entry.number() >= 0) {
        add(entry);
      }
    }

    private void add(RestoreJournal.Entry directory) {
      directories.add(directory);
      made.add(directory.number());
    }

    private void put(TarIndex.Line line, long number) throws IOException {
      switch (destination.look(line)) {
        case FREE -> putFree(line, number);
        case DIRECTORY -> leaveDirectory(number);
        case OCCUPIED -> putOver(line, number);
        case BLOCKED -> throw inTheWay(line);
      }
    }

    private void putFree(TarIndex.Line line, long number) throws IOException {
      Path place = destination.resolve(line.path());
      makeParents(PrivateFiles.parent(place));
      if (line.type() == TarMember.Type.DIRECTORY) {
        journal.write(RestoreJournal.Act.DIRECTORY, number, line.path());
        PrivateFiles.createDirectory(place);
        add(new RestoreJournal.Entry(RestoreJournal.Act.DIRECTORY, number, line.path()));
      } else {
        journal.write(RestoreJournal.Act.MADE, number, line.path());
        moveToFree(staged(number), place, line);
      }
      touched.add(PrivateFiles.parent(place));
    }

    /** Parents that were not captured themselves: as this process makes directories. */
    private void makeParents(Path parent) throws IOException {
      if (parent.equals(root) || Files.isDirectory(parent, LinkOption.NOFOLLOW_LINKS)) {
        return;
      }
      makeParents(PrivateFiles.parent(parent));
      journal.write(RestoreJournal.Act.DIRECTORY, -1, name(parent));
      Files.createDirectory(parent);
      touched.add(PrivateFiles.parent(parent));
    }

    private void moveToFree(Path staged, Path place, TarIndex.Line line) throws IOException {
      try {
        Files.createLink(place, staged);
        Files.delete(staged);
      } catch (FileAlreadyExistsException e) {
        throw inTheWay(line);
      } catch (UnsupportedOperationException | IOException e) {
        // No hard links here, or another file system is mounted there.
        PrivateFiles.moveOver(staged, place, suffix());
      }
    }

    private void leaveDirectory(long number) throws IOException {
      if (!made.contains(number)) {
        Files.delete(staged(number));
      }
    }

    private void putOver(TarIndex.Line line, long number) throws IOException {
      if (!replaces) {
        throw inTheWay(line);
      }
      Path place = destination.resolve(line.path());
      journal.write(RestoreJournal.Act.KEPT, number, line.path());
      Files.deleteIfExists(kept(number));
      PrivateFiles.keep(place, kept(number));
      PrivateFiles.moveOver(staged(number), place, suffix());
      touched.add(PrivateFiles.parent(place));
    }

    /** The innermost first: a parent may be closed to us once it has its mode. */
    private void finishDirectories() throws IOException {
      for (int i = directories.size() - 1; i >= 0; i--) {
        Path staged = staged(directories.get(i).number());
        if (Files.isDirectory(staged, LinkOption.NOFOLLOW_LINKS)) {
          Path place = destination.resolve(directories.get(i).name());
          PrivateFiles.syncDirectory(place);
          touched.remove(place);
          missedAttributes.addAll(attributes.write(place, inspector.inspect(staged).attributes()));
          Files.delete(staged);
        }
      }
    }

    private BackupException.Target inTheWay(TarIndex.Line line) {
      return new BackupException.Target(
          CoreFailure.TARGET_NOT_EMPTY, "'%s' is in the way in %s".formatted(line.path(), root));
    }
  }

  // ── roll back, settle ──

  void rollBack() throws IOException {
    attempt("roll back", this::undo);
  }

  private void undo() throws IOException {
    if (!Files.isDirectory(staging, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    List<Path> made = new ArrayList<>();
    RestoreJournal.read(journal(), entry -> undo(entry, made));
    for (int i = made.size() - 1; i >= 0; i--) {
      deleteIfEmpty(made.get(i));
    }
    boolean isRootMade = Files.exists(rootMade(), LinkOption.NOFOLLOW_LINKS);
    PrivateFiles.deleteTree(staging);
    if (isRootMade) {
      deleteIfEmpty(root);
    }
  }

  private void undo(RestoreJournal.Entry entry, List<Path> made) throws IOException {
    Path place = destination.resolve(entry.name());
    switch (entry.act()) {
      case DIRECTORY -> {
        openUp(place);
        made.add(place);
      }
      case MADE -> {
        if (isOurs(place, staged(entry.number()))) {
          Files.deleteIfExists(place);
        }
      }
      case KEPT -> {
        if (Files.exists(kept(entry.number()), LinkOption.NOFOLLOW_LINKS)) {
          PrivateFiles.moveOver(kept(entry.number()), place, suffix());
        }
      }
    }
  }

  /**
   * A directory that was made without the right to write gets it back, so that it can be emptied.
   */
  private static void openUp(Path directory) throws IOException {
    if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
        && directory.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      Files.setAttribute(directory, "unix:mode", 0700);
    }
  }

  /** What is still staged was not put there, unless it has both names. */
  private static boolean isOurs(Path place, Path staged) throws IOException {
    if (!Files.exists(staged, LinkOption.NOFOLLOW_LINKS)) {
      return true;
    }
    try {
      var here =
          Files.readAttributes(
              place, java.nio.file.attribute.BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      var there =
          Files.readAttributes(
              staged, java.nio.file.attribute.BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return here.fileKey() != null && here.fileKey().equals(there.fileKey());
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private static void deleteIfEmpty(Path directory) throws IOException {
    try {
      Files.deleteIfExists(directory);
    } catch (DirectoryNotEmptyException e) {
      // Somebody else put something there meanwhile; that is not ours to remove.
    }
  }

  void settle() throws IOException {
    attempt("settle", () -> PrivateFiles.deleteTree(staging));
  }

  // ── places ──

  private CapturedSource captured() {
    List<CapturedSource> chain = session.chain();
    return chain.get(chain.size() - 1);
  }

  private TarIndex.Reader index() throws IOException {
    CapturedSource of = captured();
    if (of.artifact(FileSource.INDEX).isEmpty()) {
      throw missing(FileSource.INDEX.value());
    }
    return new TarIndex.Reader(session.open(of, FileSource.INDEX), FileSource.INDEX.value());
  }

  private static BackupException.Corrupt missing(String artifact) {
    return new BackupException.Corrupt(
        CoreFailure.MALFORMED, "the capture has no artifact " + artifact);
  }

  private Path staged(long number) {
    return staging
        .resolve("new")
        .resolve(Long.toString(number / PER_DIRECTORY))
        .resolve(Long.toString(number));
  }

  private Path kept(long number) {
    return staging.resolve("undo").resolve(Long.toString(number));
  }

  private Path journal() {
    return staging.resolve("journal");
  }

  private Path rootMade() {
    return staging.resolve("root-made");
  }

  private String suffix() {
    return FileWalk.STAGING + session.run();
  }

  private String name(Path path) {
    return root.relativize(path).toString().replace(root.getFileSystem().getSeparator(), "/");
  }

  private void attempt(String tried, Step step) throws IOException {
    try {
      step.run();
    } catch (BackupException e) {
      throw e;
    } catch (IOException e) {
      throw failed(CoreFailure.TARGET_FAILED, tried, e);
    }
  }

  private BackupException.Target failed(FailureCode code, String tried, IOException e) {
    return new BackupException.Target(
        code,
        "%s files in %s: %s %s"
            .formatted(tried, root, e.getClass().getSimpleName(), e.getMessage()),
        e);
  }

  @FunctionalInterface
  private interface Step {
    void run() throws IOException;
  }
}
