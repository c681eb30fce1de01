package org.stellaops.backup.bundle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.bundle.BundleReport.Reading;
import org.stellaops.backup.bundle.BundleReport.Volume;
import org.stellaops.backup.internal.disk.MediumFailures;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreContext;

/**
 * A bundle that is being written. Until {@link #publish} returns, its files are called {@code
 * .incomplete} and nobody takes them for a bundle; closing it before removes them. One process;
 * what {@link #sink} opens, from any thread.
 *
 * <p>Where files can have at most 4 GiB, as on FAT32, it is cut into volumes {@code .001}, {@code
 * .002} and so on; {@code cat} makes one tar of them.
 */
public final class BundleFile implements AutoCloseable {
  /** Largest file of FAT32. */
  public static final long FAT32_BYTES = (4L << 30) - 1;

  /** Smaller ones are only for tests, and small enough for them. */
  private static final long LEAST_VOLUME_BYTES = 1024;

  private final Medium medium;
  private final VolumeNames names;
  private final VolumeWriter out;
  private final BundleStore store;
  private final List<Path> renamed = new ArrayList<>();
  private boolean isPublished;

  private BundleFile(Medium medium, VolumeNames names, long volumeBytes, InstantSource clock) {
    this.medium = medium;
    this.names = names;
    this.out = new VolumeWriter(medium, names, volumeBytes);
    this.store = new BundleStore(names, out, volumeBytes, clock);
  }

  /** Begins a bundle that is cut at 4 GiB − 1, so that every file system takes it. */
  public static BundleFile create(Path file) throws BackupException {
    return create(file, FAT32_BYTES);
  }

  /**
   * Begins a bundle.
   *
   * @param file in a directory that exists; only its owner may read it; no name that ends in {@code
   *     .incomplete}, or in a dot and three digits as those of volumes do
   * @param volumeBytes largest file, from 1024 on
   * @throws BackupException.Refused BUNDLE_EXISTS if this, any volume of it, or something that was
   *     begun is there
   * @throws BackupException.Sink MEDIUM_GONE if the directory is not there
   */
  public static BundleFile create(Path file, long volumeBytes) throws BackupException {
    return create(new DiskMedium(), file, volumeBytes, InstantSource.system());
  }

  static BundleFile create(Medium medium, Path file, long volumeBytes, InstantSource clock)
      throws BackupException {
    if (volumeBytes < LEAST_VOLUME_BYTES) {
      throw new IllegalArgumentException(
          "volumes of %d bytes, expected %d or more".formatted(volumeBytes, LEAST_VOLUME_BYTES));
    }
    VolumeNames names = new VolumeNames(file);
    if (names.isUnfinished()) {
      throw new IllegalArgumentException("a bundle is not called .incomplete: " + file);
    }
    if (names.isNumbered()) {
      throw new IllegalArgumentException("only volumes are called .001, .002 and so on: " + file);
    }
    requireFree(medium, names);
    BundleFile bundle = new BundleFile(medium, names, volumeBytes, clock);
    bundle.begin();
    return bundle;
  }

  /** Also of what a killed process left behind the first volume: it would become part of this. */
  private static void requireFree(Medium medium, VolumeNames names) throws BackupException {
    try {
      // Asked for by name, since some media know a name in other letters, too.
      for (Path taken : List.of(names.whole(), names.volume(1), names.unfinished(1))) {
        if (medium.exists(taken)) {
          throw MediumFailures.exists(taken);
        }
      }
      Optional<Path> volume = names.anyVolume();
      if (volume.isPresent()) {
        throw MediumFailures.exists(volume.get());
      }
    } catch (IOException e) {
      throw MediumFailures.translate("look at " + names.directory(), names.directory(), e);
    }
  }

  /** Of two that begin at the same time one has the name from here on. */
  private void begin() throws BackupException {
    try {
      out.begin();
    } catch (IOException e) {
      BackupException failure =
          MediumFailures.translate("make " + names.unfinished(1), names.directory(), e);
      try {
        close();
      } catch (BackupException more) {
        failure.addSuppressed(more);
      }
      throw failure;
    }
  }

  /**
   * Where to put what goes into it: a plan's sink, for a fresh snapshot, or the destination of a
   * copy. It can be opened until the bundle is published or closed.
   */
  public BackupSink sink() {
    return new BackupSink() {
      @Override
      public String describe() {
        return names.whole().toString();
      }

      @Override
      public ObjectStore open(StoreContext context) {
        return store;
      }
    };
  }

  /**
   * Adds {@code RECOVERY.md}, which says how to get everything back with stock tools, and {@code
   * allowed_signers}: best as the first thing, so that it is found without reading the rest.
   *
   * @param trust whose signatures count for whoever makes the bundle
   * @param entries lines as {@code recover.sh list} prints them; none if they are not known yet
   */
  public void addRecovery(Trust trust, List<String> entries) throws BackupException {
    try {
      put("RECOVERY.md", RecoveryText.of(names.text(), entries));
      put("allowed_signers", trust.toAllowedSigners());
    } catch (IOException e) {
      throw MediumFailures.translate("write " + names.whole(), names.directory(), e);
    }
  }

  private void put(String name, String text) throws IOException {
    store.put(ObjectName.of(name), ObjectBody.of(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Is told while a bundle is read again from its medium. */
  @FunctionalInterface
  public interface Rereading {
    /**
     * Some more was read.
     *
     * @param totalBytes of the whole bundle
     * @throws IOException to end it: there is no bundle then
     */
    void read(long moreBytes, long totalBytes) throws IOException;
  }

  /** The same without being told. */
  public BundleReport publish() throws BackupException {
    return publish((moreBytes, totalBytes) -> {});
  }

  /**
   * Finishes it: everything is synced, read again from the medium and compared, and only then gets
   * its name.
   *
   * @param rereading called by this thread, for every MiB or so
   * @throws BackupException.Sink SINK_FULL, MEDIUM_GONE and others; nothing that is called like a
   *     bundle is left then
   * @throws BackupException.Corrupt CORRUPT_OBJECT if the medium does not give back what was
   *     written
   */
  public BundleReport publish(Rereading rereading) throws BackupException {
    try {
      store.seal();
      List<VolumeWriter.Written> written = out.finish();
      medium.syncDirectory(names.directory());
      Reading reading = compare(written, rereading);
      List<Volume> volumes = rename(written);
      medium.syncDirectory(names.directory());
      List<Finding> findings = exposure(volumes.get(0).file());
      isPublished = true;
      return new BundleReport(volumes, reading, store.size(), findings);
    } catch (IOException e) {
      throw MediumFailures.translate("finish " + names.whole(), names.directory(), e);
    }
  }

  private static List<Finding> exposure(Path file) throws IOException {
    return PrivateFiles.isPrivate(file)
        ? List.of()
        : List.of(
            new Finding(
                CoreFailure.NOT_PRIVATE,
                file.toString(),
                "others on this machine can read it; what it holds is encrypted, names, labels and"
                    + " times are not"));
  }

  private Reading compare(List<VolumeWriter.Written> written, Rereading rereading)
      throws IOException {
    long totalBytes = written.stream().mapToLong(VolumeWriter.Written::sizeBytes).sum();
    Reading worst = Reading.FROM_MEDIUM;
    for (int number = 1; number <= written.size(); number++) {
      Path file = names.unfinished(number);
      MessageDigest digest = Digest.sha256();
      Reading reading =
          medium.reread(
              file,
              (bytes, length) -> {
                digest.update(bytes, 0, length);
                rereading.read(length, totalBytes);
              });
      if (!Digest.of(digest.digest()).equals(written.get(number - 1).digest())) {
        throw new BackupException.Corrupt(
            CoreFailure.CORRUPT_OBJECT,
            "%s: the medium does not give back what was written; hint: use another one"
                .formatted(file));
      }
      worst = reading == Reading.THROUGH_CACHE ? reading : worst;
    }
    return worst;
  }

  /** The first volume last: without it there is no bundle. */
  private List<Volume> rename(List<VolumeWriter.Written> written) throws IOException {
    List<Volume> volumes = new ArrayList<>();
    for (int number = written.size(); number >= 1; number--) {
      Path to = written.size() == 1 ? names.whole() : names.volume(number);
      if (medium.exists(to)) {
        throw MediumFailures.exists(to);
      }
      // Before it is tried: a rename whose answer got lost is to be undone, too.
      renamed.add(to);
      try {
        medium.rename(names.unfinished(number), to);
      } catch (FileAlreadyExistsException e) {
        // Another's, which came between.
        renamed.remove(to);
        throw e;
      }
      VolumeWriter.Written volume = written.get(number - 1);
      volumes.add(0, new Volume(to, volume.sizeBytes(), volume.digest()));
    }
    return volumes;
  }

  /**
   * Removes what was written unless it was published. Where the medium is gone, files that are
   * called {@code .incomplete} stay on it.
   */
  @Override
  public void close() throws BackupException {
    if (isPublished) {
      return;
    }
    List<Path> all = new ArrayList<>(renamed);
    all.addAll(out.files());
    isPublished = true;
    IOException first = attempt(null, out::close);
    for (Path file : all) {
      first = attempt(first, () -> medium.delete(file));
    }
    if (first != null) {
      throw MediumFailures.translate("remove " + names.whole(), names.directory(), first);
    }
  }

  private interface Step {
    void run() throws IOException;
  }

  private static @Nullable IOException attempt(@Nullable IOException first, Step step) {
    try {
      step.run();
      return first;
    } catch (IOException e) {
      if (first == null) {
        return e;
      }
      first.addSuppressed(e);
      return first;
    }
  }
}
