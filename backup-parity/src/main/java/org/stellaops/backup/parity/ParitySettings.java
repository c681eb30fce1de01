package org.stellaops.backup.parity;

import java.util.Set;

/**
 * How much parity, and what an update may take for granted.
 *
 * @param files how many files make a group at most, 1 to 200
 * @param volumes how many parity volumes each group has, 1 to 50: as many files of it may be lost
 * @param readsVolumes whether an update reads every volume to its end, or believes those whose
 *     header and length are right
 * @param forgotten names, from the repository's root, of files that were removed or replaced on
 *     purpose by somebody else than retention
 */
public record ParitySettings(int files, int volumes, boolean readsVolumes, Set<String> forgotten) {
  private static final int MAX_FILES = 200;
  private static final int MAX_VOLUMES = 50;

  public ParitySettings {
    if (files < 1 || files > MAX_FILES || volumes < 1 || volumes > MAX_VOLUMES) {
      throw new IllegalArgumentException(
          "groups of %d files with %d volumes, allowed are 1 to %d and 1 to %d"
              .formatted(files, volumes, MAX_FILES, MAX_VOLUMES));
    }
    forgotten = Set.copyOf(forgotten);
  }

  /** Groups of up to 20 files with 2 volumes: a tenth more, and any two files of a group. */
  public static ParitySettings defaults() {
    return new ParitySettings(20, 2, true, Set.of());
  }

  /** The same for groups of up to {@code newFiles} files with {@code newVolumes} volumes. */
  public ParitySettings redundancy(int newFiles, int newVolumes) {
    return new ParitySettings(newFiles, newVolumes, readsVolumes, forgotten);
  }

  /**
   * The same for an update that reads what is new and of the volumes their headers only; {@link
   * ParityVolumes#verify} finds what rotted.
   */
  public ParitySettings withoutReadingVolumes() {
    return new ParitySettings(files, volumes, false, forgotten);
  }

  /**
   * The same, where these files were removed or replaced on purpose. What retention swept is known
   * without.
   */
  public ParitySettings forgetting(Set<String> names) {
    return new ParitySettings(files, volumes, readsVolumes, names);
  }
}
