package org.stellaops.backup.plan;

import java.time.Duration;
import org.stellaops.backup.retention.PruneRequest;
import org.stellaops.backup.spi.BackupSink;

/** What is to be moved to an archive. Immutable. */
public final class ArchiveRequest {
  private final PruneRequest what;
  private final BackupSink archive;
  private final String label;

  private ArchiveRequest(PruneRequest what, BackupSink archive, String label) {
    this.what = what;
    this.archive = archive;
    this.label = label;
  }

  /**
   * Whatever a prune would let go of that is asked for this. What is held or needed by what stays,
   * and the safety floor, stay.
   */
  public static ArchiveRequest of(PruneRequest what, BackupSink archive) {
    return new ArchiveRequest(what, archive, "");
  }

  /** What is older than this, with the increments and the histories that belong to it. */
  public static ArchiveRequest olderThan(Duration age, BackupSink archive) {
    return of(PruneRequest.olderThan(age), archive);
  }

  /**
   * What the archive is called, if it is new.
   *
   * @param name {@code [A-Za-z0-9._-]{0,120}}; readable without a key
   */
  public ArchiveRequest labelled(String name) {
    CopyRequest.to(archive).labelled(name);
    return new ArchiveRequest(what, archive, name);
  }

  /** What is let go of when it is in the archive. */
  public PruneRequest what() {
    return what;
  }

  /** Where to. */
  public BackupSink archive() {
    return archive;
  }

  /** What the archive is called if it is new. */
  public String label() {
    return label;
  }
}
