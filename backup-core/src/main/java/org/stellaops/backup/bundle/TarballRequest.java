package org.stellaops.backup.bundle;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;

/**
 * A snapshot as a tarball, as somebody would make it by hand: files and a {@code SHA256SUMS} in a
 * {@code tar.gz}, encrypted for recipients. Immutable.
 *
 * <p>Files come under their last name, or under their paths where two have the same last name. An
 * archive of mongodump is compressed, as {@code mongodump --gzip} does it, and called {@code
 * <name>-<time>.gz}. Everything else has the name of its artifact. {@link #named} overrides.
 */
public final class TarballRequest {
  private final SnapshotRef snapshot;
  private final Path file;
  private final List<Recipient> recipients;
  private final List<Identity> identities;
  private final Map<String, ObjectName> names;
  private final boolean isReplacing;

  private TarballRequest(
      SnapshotRef snapshot,
      Path file,
      List<Recipient> recipients,
      List<Identity> identities,
      Map<String, ObjectName> names,
      boolean isReplacing) {
    this.snapshot = snapshot;
    this.file = file;
    this.recipients = List.copyOf(recipients);
    this.identities = List.copyOf(identities);
    this.names = new LinkedHashMap<>(names);
    this.isReplacing = isReplacing;
  }

  /**
   * Encrypted for these, one file age, inside it the tar.gz.
   *
   * @param file to be made, readable by its owner alone
   * @throws IllegalArgumentException if there is no recipient
   */
  public static TarballRequest encrypted(SnapshotRef snapshot, Path file, Recipient... recipients) {
    if (recipients.length == 0) {
      throw new IllegalArgumentException("no recipient; hint: TarballRequest.plain");
    }
    return new TarballRequest(snapshot, file, List.of(recipients), List.of(), Map.of(), false);
  }

  /** Not encrypted: whoever has the file has everything in it, secrets too. */
  public static TarballRequest plain(SnapshotRef snapshot, Path file) {
    return new TarballRequest(snapshot, file, List.of(), List.of(), Map.of(), false);
  }

  /** Opens the snapshot, beside what the repository was opened with; stay the caller's. */
  public TarballRequest with(Identity... more) {
    return new TarballRequest(snapshot, file, recipients, List.of(more), names, isReplacing);
  }

  /**
   * What an artifact is called in the tarball.
   *
   * @throws IllegalArgumentException if one of these cannot be a name
   */
  public TarballRequest named(String source, String artifact, String as) {
    Map<String, ObjectName> more = new LinkedHashMap<>(names);
    more.put(key(SourceName.of(source), ArtifactName.of(artifact)), ObjectName.of(as));
    return new TarballRequest(snapshot, file, recipients, identities, more, isReplacing);
  }

  /**
   * Takes the place of a file that is there, when it is whole: for a {@code latest-full.tar.gz}.
   */
  public TarballRequest replacing() {
    return new TarballRequest(snapshot, file, recipients, identities, names, true);
  }

  private static String key(SourceName source, ArtifactName artifact) {
    return source + "/" + artifact;
  }

  /** Which snapshot. */
  public SnapshotRef snapshot() {
    return snapshot;
  }

  /** What is to be made. */
  public Path file() {
    return file;
  }

  /** For whom; empty if it is not encrypted. */
  public List<Recipient> recipients() {
    return recipients;
  }

  /** Who opens the snapshot. */
  public List<Identity> identities() {
    return identities;
  }

  /** What an artifact is to be called, if somebody said so. */
  public Optional<ObjectName> nameOf(SourceName source, ArtifactName artifact) {
    return Optional.ofNullable(names.get(key(source, artifact)));
  }

  /** Whether a file that is there is replaced. */
  public boolean isReplacing() {
    return isReplacing;
  }
}
