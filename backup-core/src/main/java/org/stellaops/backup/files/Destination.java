package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import org.stellaops.backup.internal.tar.TarIndex;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * The directory that files are restored to. Names come from an archive that anybody may have made:
 * none leads out of the directory, and none is reached through a symbolic link that stands in it.
 */
final class Destination {
  private final Path root;

  Destination(Path root) {
    this.root = root;
  }

  /** What stands where a member would go. */
  enum Verdict {
    /** Nothing. */
    FREE,
    /** A directory, where a directory belongs. */
    DIRECTORY,
    /** A file or link, where a file or link belongs. */
    OCCUPIED,
    /** Something that cannot be replaced: a directory by a file, or whatever a link leads to. */
    BLOCKED
  }

  /**
   * Where the member goes.
   *
   * @throws BackupException.Target UNSAFE_NAME if that is not below the root
   */
  Path resolve(String name) throws BackupException.Target {
    String[] segments = name.split("/", -1);
    for (String segment : segments) {
      if (segment.isEmpty() || segment.equals(".") || segment.equals("..")) {
        throw unsafe(name);
      }
    }
    if (segments[0].startsWith(FileWalk.STAGING)) {
      throw unsafe(name);
    }
    try {
      Path path = root.resolve(name);
      if (path.equals(path.normalize())
          && path.startsWith(root)
          && path.getNameCount() == root.getNameCount() + segments.length) {
        return path;
      }
      throw unsafe(name);
    } catch (InvalidPathException e) {
      throw unsafe(name);
    }
  }

  /** The name that {@link #resolve} takes for this path. */
  String name(Path path) {
    return root.relativize(path).toString().replace(root.getFileSystem().getSeparator(), "/");
  }

  private BackupException.Target unsafe(String name) {
    return new BackupException.Target(
        CoreFailure.UNSAFE_NAME,
        "the archive names '%s', which is not below %s"
            .formatted(name.replaceAll("\\p{Cntrl}", "?"), root));
  }

  /** Looks at the place of a member, link by link. */
  Verdict look(TarIndex.Line line) throws IOException {
    Path path = resolve(line.path());
    Path parent = root;
    for (Path segment : root.relativize(path)) {
      Path at = parent.resolve(segment);
      Optional<BasicFileAttributes> is = attributes(at);
      if (is.isEmpty()) {
        return Verdict.FREE;
      }
      if (at.equals(path)) {
        return verdict(is.get(), line.type() == TarMember.Type.DIRECTORY);
      }
      if (!is.get().isDirectory()) {
        return Verdict.BLOCKED;
      }
      parent = at;
    }
    throw new AssertionError("a name has at least one segment: " + line.path());
  }

  private static Verdict verdict(BasicFileAttributes is, boolean wantsDirectory) {
    if (is.isDirectory()) {
      return wantsDirectory ? Verdict.DIRECTORY : Verdict.BLOCKED;
    }
    return wantsDirectory ? Verdict.BLOCKED : Verdict.OCCUPIED;
  }

  private static Optional<BasicFileAttributes> attributes(Path path) throws IOException {
    try {
      return Optional.of(
          Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }
}
