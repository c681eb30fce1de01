package org.stellaops.backup.bundle;

import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;

/**
 * What is in a tarball.
 *
 * @param place the file that was made, or the directory it was unpacked into
 * @param members in the order of the archive
 * @param findings what could not be compared
 */
public record TarballReport(Path place, List<Member> members, List<Finding> findings) {
  public TarballReport {
    members = List.copyOf(members);
    findings = List.copyOf(findings);
  }

  /** What a file is, by the bytes it begins with. */
  public enum Kind {
    /** An archive of mongodump: {@code mongorestore --archive}, or a {@code MongoArchiveSource}. */
    MONGODUMP_ARCHIVE,
    /** The same compressed: {@code mongorestore --archive --gzip}. */
    MONGODUMP_ARCHIVE_GZIP,
    /** Anything else. */
    FILE
  }

  /**
   * One file.
   *
   * @param name its path in the archive
   * @param sizeBytes of it
   * @param digest of its plain bytes
   * @param kind what it is
   * @param isCompared whether the archive's {@code SHA256SUMS} says the same digest
   */
  public record Member(String name, long sizeBytes, Digest digest, Kind kind, boolean isCompared) {}
}
