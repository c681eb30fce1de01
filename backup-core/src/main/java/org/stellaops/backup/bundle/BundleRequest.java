package org.stellaops.backup.bundle;

import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;

/**
 * Which snapshots go into a bundle, and who can open them there. Whoever can open them in the
 * repository can open them in the bundle; no key is needed for that. Immutable.
 */
public final class BundleRequest {
  private final Path file;
  private final List<SnapshotRef> snapshots;
  private final long volumeBytes;
  private final List<Recipient> more;
  private final List<Identity> identities;
  private final String label;

  private BundleRequest(
      Path file,
      List<SnapshotRef> snapshots,
      long volumeBytes,
      List<Recipient> more,
      List<Identity> identities,
      String label) {
    this.file = file;
    this.snapshots = List.copyOf(snapshots);
    this.volumeBytes = volumeBytes;
    this.more = List.copyOf(more);
    this.identities = List.copyOf(identities);
    this.label = label;
  }

  /**
   * These snapshots, with everything that they need.
   *
   * @param file to be made, in a directory that exists
   * @throws IllegalArgumentException if there is no snapshot
   */
  public static BundleRequest of(Path file, SnapshotRef... snapshots) {
    if (snapshots.length == 0) {
      throw new IllegalArgumentException("no snapshot");
    }
    return new BundleRequest(
        file, List.of(snapshots), BundleFile.FAT32_BYTES, List.of(), List.of(), "");
  }

  /**
   * Lets these open it, too: a passphrase that travels separately, another organisation. Only in
   * the bundle; the repository does not learn of it.
   *
   * @param by opens the snapshots now, beside what the repository was opened with; stays the
   *     caller's
   */
  public BundleRequest openedBy(List<? extends Recipient> recipients, Identity... by) {
    return new BundleRequest(
        file, snapshots, volumeBytes, List.copyOf(recipients), List.of(by), label);
  }

  /** The largest file, from 1024 bytes on; 4 GiB − 1 unless said. */
  public BundleRequest volumeBytes(long largest) {
    return new BundleRequest(file, snapshots, largest, more, identities, label);
  }

  /** What the bundle says that it is called, {@code [A-Za-z0-9._-]{0,120}}. */
  public BundleRequest label(String text) {
    return new BundleRequest(file, snapshots, volumeBytes, more, identities, text);
  }

  /** What is to be made. */
  public Path file() {
    return file;
  }

  /** Which snapshots. */
  public List<SnapshotRef> snapshots() {
    return snapshots;
  }

  /** The largest file. */
  public long volumeBytes() {
    return volumeBytes;
  }

  /** Who can open it beside the owners. */
  public List<Recipient> more() {
    return more;
  }

  /** Who opens the snapshots now. */
  public List<Identity> identities() {
    return identities;
  }

  /** What it is called. */
  public String label() {
    return label;
  }
}
