package org.stellaops.backup.files;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.stellaops.backup.model.RunId;

/**
 * Where one restore of files keeps what it works with: {@code <root>/.stella-restore-<run>}, 0700.
 *
 * <p>Staged members have numbers, not names: {@code new/<n / 1000>/<n>} is member n of the index.
 * So nothing that an archive calls its members can lead anywhere before all of it has been read and
 * found good, and a long path needs no long path beside it. Whoever finds a member's number gone
 * from {@code new} knows that it has been published.
 */
final class StagingPlaces {
  private static final int PER_DIRECTORY = 1000;

  private final String name;
  private final Path directory;

  StagingPlaces(Path root, RunId run) {
    this.name = FileWalk.STAGING + run;
    this.directory = root.resolve(name);
  }

  Path directory() {
    return directory;
  }

  boolean isThere() {
    return Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS);
  }

  /** What is to be put in place. */
  Path allNew() {
    return directory.resolve("new");
  }

  /** Member n, before it is put in its place. */
  Path staged(long number) {
    return allNew().resolve(Long.toString(number / PER_DIRECTORY)).resolve(Long.toString(number));
  }

  /** What was replaced. */
  Path allKept() {
    return directory.resolve("undo");
  }

  /** What member n replaced. */
  Path kept(long number) {
    return allKept().resolve(Long.toString(number));
  }

  Path journal() {
    return directory.resolve("journal");
  }

  /** Is there if the root was made for this restore. */
  Path rootMade() {
    return directory.resolve("root-made");
  }

  /** End of a name that no other restore gives to anything. */
  String suffix() {
    return name;
  }
}
