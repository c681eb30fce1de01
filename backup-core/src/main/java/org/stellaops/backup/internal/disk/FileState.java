package org.stellaops.backup.internal.disk;

import java.time.Instant;

/**
 * What stands under a name at one moment.
 *
 * @param type what it is, links not followed
 * @param sizeBytes of a file; 0 of anything else
 * @param identity differs if it is another file, or if its bytes may have changed
 * @param changed when anything of it changed last, by the file system's own clock, which nobody
 *     sets back; {@link Instant#MAX} where the file system does not say
 * @param attributes what a restore gives back to it
 */
public record FileState(
    Type type, long sizeBytes, String identity, Instant changed, FileAttributes attributes) {
  /** What can stand under a name. */
  public enum Type {
    FILE,
    DIRECTORY,
    LINK,
    /** A socket, a pipe, a device. */
    OTHER
  }

  /** Whether nothing was written between the two looks. */
  public boolean isUnchangedSince(FileState earlier) {
    return type == earlier.type
        && sizeBytes == earlier.sizeBytes
        && identity.equals(earlier.identity)
        && attributes.modified().equals(earlier.attributes.modified());
  }
}
