package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.SourceDescription;

/**
 * Files and directories. A value; each method that adds to it returns another one.
 *
 * <p>Captured are bytes, modes, owners, modification times to the nanosecond, extended attributes
 * of the namespace {@code user}, empty directories, and symbolic links as links. Hard links become
 * files of their own. Sockets, pipes and devices are named in a finding. Two artifacts per section
 * of some 1024 files or 64 MiB: {@code files.tar}, which any {@code tar} reads, and {@code
 * files.tar.index}, a line of JSON per member with its place and digest; then {@code files-2.tar}
 * and so on.
 *
 * <p>A section whose files all look as they did in the writer's newest good capture is taken over
 * from there, and none of them is opened. What is looked at is name, type, size, mode, owner, time
 * of modification, time of change, inode and device; a file that changed less than two seconds
 * before that capture began is read again. {@link #rereading} trusts nothing of it. Where a file
 * system has no time of change, everything is read.
 *
 * <p>A file that changes while it is read is read once more, if it has at most 8 MiB; if it changes
 * again, or is larger, the capture fails with CHANGED_WHILE_READ: there is no half of a file in a
 * backup. Memory: one file of up to 8 MiB, one directory's names per level, and what the files of
 * one section look like, up to some 40 MB.
 */
public final class FileSource implements BackupSource {
  /** Format of what this source captures. */
  public static final String KIND = "files/1";

  private static final String CHECK = "check.files";

  /** A check looks at so many files; a capture looks at the others. */
  private static final long CHECKED_FILES = 10_000;

  private final FileSelection selection;
  private final Seeds seeds;
  private final boolean rereads;

  private FileSource(FileSelection selection, Seeds seeds, boolean rereads) {
    this.selection = selection;
    this.seeds = seeds;
    this.rereads = rereads;
  }

  /** The archive of a section, by its place from 1. */
  static ArtifactName tar(int section) {
    return ArtifactName.of(section == 1 ? "files.tar" : "files-%d.tar".formatted(section));
  }

  /** The table of contents of a section. */
  static ArtifactName index(int section) {
    return ArtifactName.of(tar(section) + ".index");
  }

  /**
   * These files, and directories with everything in them. All must be there. One that is a symbolic
   * link is followed: its bytes are wanted.
   *
   * <p>Names in the archive: if all paths are relative and lead to places below the working
   * directory, they are relative to it; otherwise absolute paths without the leading {@code /}.
   * {@link #origin} puts them back accordingly.
   *
   * @throws IllegalArgumentException if there is no path, or one has no name
   */
  public static FileSource of(Path... paths) {
    if (paths.length == 0) {
      throw new IllegalArgumentException("no path");
    }
    Path base = base(paths);
    SortedSet<String> names = new TreeSet<>();
    for (Path path : paths) {
      names.add(nameIn(base, path.toAbsolutePath().normalize()));
    }
    names.removeIf(n -> names.stream().anyMatch(o -> n.startsWith(o + "/")));
    return new FileSource(
        new FileSelection(base, List.copyOf(names), List.of(), List.of(), new TreeSet<>(), false),
        Seeds.NONE,
        false);
  }

  private static Path base(Path... paths) {
    Path here = paths[0].getFileSystem().getPath("").toAbsolutePath();
    for (Path path : paths) {
      if (path.isAbsolute() || !path.toAbsolutePath().normalize().startsWith(here)) {
        Path root = path.toAbsolutePath().getRoot();
        return root == null ? here : root;
      }
    }
    return here;
  }

  private static String nameIn(Path base, Path path) {
    String name =
        base.relativize(path).toString().replace(base.getFileSystem().getSeparator(), "/");
    if (name.isEmpty()) {
      throw new IllegalArgumentException(
          "%s cannot be captured by name. hint: FileSource.in".formatted(path));
    }
    return name;
  }

  /**
   * What is below a directory, under names relative to it; the directory itself has none. Without
   * {@link #include}, everything. At least one file must be there, unless {@link #optional}.
   */
  public static FileSource in(Path root) {
    return new FileSource(
        new FileSelection(
            root.toAbsolutePath().normalize(),
            List.of(""),
            List.of(),
            List.of(),
            new TreeSet<>(),
            false),
        Seeds.NONE,
        false);
  }

  /**
   * Captures only what matches one of the patterns, with the directories it stands in. A pattern is
   * relative, as {@link java.nio.file.FileSystem#getPathMatcher} understands it after {@code
   * glob:}; and {@code **}{@code /} may stand for no directory at all.
   *
   * @throws IllegalArgumentException if it is no pattern
   */
  public FileSource include(String... patterns) {
    return with(
        new FileSelection(
            selection.base(),
            selection.starts(),
            and(selection.includes(), patterns),
            selection.excludes(),
            selection.required(),
            selection.isOptional()));
  }

  /**
   * Leaves out what matches one of the patterns; a directory with everything in it.
   *
   * @throws IllegalArgumentException if it is no pattern
   */
  public FileSource exclude(String... patterns) {
    return with(
        new FileSelection(
            selection.base(),
            selection.starts(),
            selection.includes(),
            and(selection.excludes(), patterns),
            selection.required(),
            selection.isOptional()));
  }

  private List<Glob> and(List<Glob> globs, String... patterns) {
    List<Glob> all = new ArrayList<>(globs);
    for (String pattern : patterns) {
      all.add(new Glob(selection.base().getFileSystem(), pattern));
    }
    return all;
  }

  /**
   * Files that must be there and readable, or the check fails and nothing is stored. They are
   * captured whatever the patterns say.
   */
  public FileSource required(String... names) {
    SortedSet<String> all = new TreeSet<>(selection.required());
    for (String name : names) {
      all.add(nameIn(selection.base(), selection.base().resolve(name).normalize()));
    }
    return with(
        new FileSelection(
            selection.base(),
            selection.starts(),
            selection.includes(),
            selection.excludes(),
            all,
            selection.isOptional()));
  }

  /** Nothing need be there, except what is {@link #required}. */
  public FileSource optional() {
    return with(
        new FileSelection(
            selection.base(),
            selection.starts(),
            selection.includes(),
            selection.excludes(),
            selection.required(),
            true));
  }

  /**
   * A file that is shipped with the product. If it has this digest it is recorded as STOCK, which a
   * restore leaves to the product unless told otherwise; if not, as CUSTOMISED.
   *
   * @param name as captured
   * @param shipped digest of the file as it is shipped
   */
  public FileSource stock(String name, Digest shipped) {
    return new FileSource(selection, seeds.stock(name, shipped), rereads);
  }

  /** A file that should be JSON; if it is not, that is a finding, and its bytes are kept. */
  public FileSource json(String name) {
    return new FileSource(selection, seeds.json(name), rereads);
  }

  /**
   * Reads every file in every capture, whatever it looks like: for a plan that proves now and then
   * that what was taken over is what is there. It takes longer and stores no more.
   */
  public FileSource rereading() {
    return new FileSource(selection, seeds, true);
  }

  private FileSource with(FileSelection other) {
    return new FileSource(other, seeds, rereads);
  }

  @Override
  public SourceDescription describe() {
    return SourceDescription.of(KIND, Component.CONFIG, Stage.FILES);
  }

  @Override
  public void check(Checks checks) throws IOException {
    List<String> problems = selection.problems();
    for (String problem : problems) {
      checks.add(CheckResult.fail(CHECK, problem, CoreFailure.REQUIRED_MISSING.remedy()));
    }
    if (!problems.isEmpty()) {
      return;
    }
    try {
      var scan = FileScan.of(selection, CHECKED_FILES, checks.stopping());
      if (scan.files() == 0 && !selection.isOptional()) {
        checks.add(
            CheckResult.fail(
                CHECK, "no file in " + selection, CoreFailure.REQUIRED_MISSING.remedy()));
      } else {
        checks.add(CheckResult.pass(CHECK, found(scan)));
      }
    } catch (BackupException.Source e) {
      checks.add(CheckResult.fail(CHECK, String.valueOf(e.getMessage()), e.code().remedy()));
    }
  }

  private String found(FileScan scan) {
    return scan.hasEnough()
        ? "%d files and more in %s".formatted(scan.files(), selection)
        : "%d files with %d bytes in %s".formatted(scan.files(), scan.bytes(), selection);
  }

  @Override
  public void capture(CaptureSession session) throws IOException {
    new FileCapture(selection, seeds, rereads, session).run();
  }

  /** The place the files were captured from. */
  @Override
  public Optional<RestoreTarget> origin() {
    return Optional.of(FileTarget.at(selection.base()));
  }

  @Override
  public String toString() {
    return "FileSource " + selection;
  }

  /** What is known about single files beforehand. */
  record Seeds(Map<String, Digest> shipped, Set<String> jsonFiles) {
    static final Seeds NONE = new Seeds(Map.of(), Set.of());

    Seeds {
      shipped = Map.copyOf(shipped);
      jsonFiles = Set.copyOf(jsonFiles);
    }

    /** Whether something is said of this file, which only its bytes can answer. */
    boolean isKnown(String name) {
      return shipped.containsKey(name) || jsonFiles.contains(name);
    }

    Seeds stock(String name, Digest digest) {
      Map<String, Digest> more = new LinkedHashMap<>(shipped);
      more.put(name, digest);
      return new Seeds(more, jsonFiles);
    }

    Seeds json(String name) {
      Set<String> more = new LinkedHashSet<>(jsonFiles);
      more.add(name);
      return new Seeds(shipped, more);
    }
  }
}
