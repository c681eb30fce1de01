package org.stellaops.backup.bundle;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import org.stellaops.backup.internal.disk.MediumFailures;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.ObjectLocation;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.StoreContext;

/**
 * A bundle that is there: a repository in a plain tar, which is listed, verified and restored from
 * where it lies, with {@code BackupRepository.at(OfflineBundle.at(file))}. Opening it reads the
 * headers of its members and nothing else; memory holds some 250 bytes for each. A value.
 */
public final class OfflineBundle implements ObjectLocation {
  /** So that the length of all is a number. */
  private static final long MOST_VOLUME_BYTES = Long.MAX_VALUE / VolumeNames.MOST;

  private final VolumeNames names;

  private OfflineBundle(VolumeNames names) {
    this.names = names;
  }

  /**
   * The bundle of this name, or whose first volume this is; nothing is looked at yet.
   *
   * @param file as it was given to {@link BundleFile#create}, or with {@code .001} behind it
   */
  public static OfflineBundle at(Path file) {
    return new OfflineBundle(VolumeNames.of(file));
  }

  /**
   * The one bundle that these files are, where a pattern may have matched several.
   *
   * @throws BackupException.Refused SEVERAL_BUNDLES, NOT_FOUND if there is no file
   */
  public static OfflineBundle only(List<Path> files) throws BackupException.Refused {
    return OnlyOne.of(each(files), OfflineBundle::describe);
  }

  /** Whether a file, or the first volume of a bundle, has this name; nothing is read. */
  public static boolean isFileAt(Path file) {
    VolumeNames names = VolumeNames.of(file);
    return isFile(names.whole()) || isFile(names.volume(1));
  }

  /** The bundles that files are: volumes of one are one. */
  public static List<OfflineBundle> each(List<Path> files) {
    List<OfflineBundle> bundles = new ArrayList<>();
    for (Path file : files) {
      OfflineBundle bundle = new OfflineBundle(VolumeNames.ofAny(file));
      if (bundles.stream().noneMatch(b -> b.names.equals(bundle.names))) {
        bundles.add(bundle);
      }
    }
    return bundles;
  }

  @Override
  public String describe() {
    return names.whole().toString();
  }

  /**
   * Opens it.
   *
   * @throws BackupException.Sink MEDIUM_GONE if there is no such file, BUNDLE_INCOMPLETE if it was
   *     never finished
   * @throws BackupException.Refused SEVERAL_BUNDLES if there is a file of this name and volumes of
   *     the same name
   * @throws BackupException.Corrupt NOT_A_BUNDLE, MALFORMED, TRUNCATED, VOLUME_MISSING,
   *     BUNDLE_INCOMPLETE or UNSUPPORTED_FORMAT
   */
  @Override
  public ReadableStore open(StoreContext context) throws IOException {
    try {
      Volumes volumes = volumes();
      return new BundleReader(describe(), volumes, scan(volumes).index());
    } catch (IOException e) {
      throw MediumFailures.reading("open " + describe(), names.directory(), e);
    }
  }

  /**
   * Its files, in order.
   *
   * @throws BackupException as {@link #open}, as far as names and sizes tell
   */
  public List<Path> files() throws BackupException {
    try {
      return volumes().files();
    } catch (IOException e) {
      throw MediumFailures.reading("open " + describe(), names.directory(), e);
    }
  }

  private BundleScan scan(Volumes volumes) throws IOException {
    long totalBytes = 0;
    for (Path file : volumes.files()) {
      totalBytes += Files.size(file);
    }
    boolean isInVolumes = !volumes.files().get(0).equals(names.whole());
    return new BundleScan(describe(), volumes, totalBytes, isInVolumes);
  }

  private Volumes volumes() throws IOException {
    if (names.isUnfinished()) {
      throw incomplete(names.whole());
    }
    if (isFile(names.whole())) {
      requireAlone();
      return new Volumes(List.of(names.whole()), Long.MAX_VALUE);
    }
    List<Path> files = new ArrayList<>();
    int last = 0;
    for (int number = 1; number <= VolumeNames.MOST; number++) {
      if (isFile(names.volume(number))) {
        files.add(names.volume(number));
        last = number;
      }
    }
    if (isFile(names.unfinished(1))) {
      throw incomplete(names.unfinished(1));
    }
    if (files.isEmpty()) {
      requireVisible();
      throw new BackupException.Sink(
          CoreFailure.MEDIUM_GONE, Reason.NOT_FOUND, "there is no " + names.whole());
    }
    return inOrder(files, last);
  }

  /** What is in a directory that may not be looked into is not absent. */
  private void requireVisible() throws IOException {
    try {
      Files.readAttributes(names.whole(), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    } catch (NoSuchFileException e) {
      // Then it is.
    }
  }

  /** Which of the two is meant cannot be known. */
  private void requireAlone() throws BackupException.Refused {
    if (isFile(names.volume(1))) {
      throw new BackupException.Refused(
          CoreFailure.SEVERAL_BUNDLES,
          "%s and %s are two bundles of one name; hint: move the one that is not meant elsewhere"
              .formatted(names.whole(), names.volume(1)));
    }
  }

  private Volumes inOrder(List<Path> files, int last) throws IOException {
    long volumeBytes = Files.size(files.get(0));
    for (int number = 1; number <= last; number++) {
      if (!files.contains(names.volume(number))) {
        throw new BackupException.Corrupt(
            CoreFailure.VOLUME_MISSING, "there is no " + names.volume(number));
      }
      long bytes = Files.size(names.volume(number));
      if (number < last && bytes != volumeBytes) {
        throw new BackupException.Corrupt(
            CoreFailure.TRUNCATED,
            "%s has %d bytes, volume 001 has %d"
                .formatted(names.volume(number), bytes, volumeBytes));
      }
      if (bytes > Math.min(volumeBytes, MOST_VOLUME_BYTES)) {
        throw new BackupException.Corrupt(
            CoreFailure.TRUNCATED,
            "%s has %d bytes, volume 001 has %d, and none may have more; hint: one of them is cut"
                    .formatted(names.volume(number), bytes, volumeBytes)
                + " off, or of another bundle");
      }
    }
    return new Volumes(files, Math.max(1, volumeBytes));
  }

  private static boolean isFile(Path file) {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
  }

  private static BackupException incomplete(Path file) {
    return new BackupException.Corrupt(
        CoreFailure.BUNDLE_INCOMPLETE, "%s was never finished".formatted(file));
  }

  /**
   * Reads every byte and compares with the digests that the bundle carries; needs no key. It finds
   * what a medium or a transport did; what somebody meant to do is found by verifying signatures.
   *
   * @return what is damaged; nothing, if it is as it was written
   * @throws BackupException as {@link #open}
   */
  public List<Finding> damage() throws BackupException {
    List<Finding> damage = new ArrayList<>();
    try (ReadableStore store = open(StoreContext.system())) {
      BundleSums.read(
          store.open(BundleSums.NAME, ByteRange.ALL),
          describe(),
          (name, stored) -> {
            Digest found = digest(store.open(name, ByteRange.ALL));
            if (!found.equals(stored)) {
              damage.add(
                  new Finding(
                      CoreFailure.CORRUPT_OBJECT,
                      name.value(),
                      "has the stored digest %s, expected %s".formatted(found, stored)));
            }
          });
      return damage;
    } catch (IOException e) {
      throw MediumFailures.reading("read " + describe(), names.directory(), e);
    }
  }

  private static Digest digest(InputStream bytes) throws IOException {
    MessageDigest digest = Digest.sha256();
    try (bytes) {
      byte[] buffer = new byte[1 << 16];
      for (int n = bytes.read(buffer); n >= 0; n = bytes.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
    return Digest.of(digest.digest());
  }

  @Override
  public String toString() {
    return "OfflineBundle " + names.whole();
  }
}
