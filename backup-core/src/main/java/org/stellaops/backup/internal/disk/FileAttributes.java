package org.stellaops.backup.internal.disk;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Of a file, what is not its bytes.
 *
 * @param mode permission bits with set-uid, set-gid and sticky: at most 07777
 * @param uid number of the owner
 * @param gid number of the group
 * @param user name of the owner; empty where it has none
 * @param group name of the group; empty where it has none
 * @param modified to the nanosecond, as far as the file system knows it
 * @param userAttributes extended attributes of the namespace {@code user}, by name without it
 */
public record FileAttributes(
    int mode,
    int uid,
    int gid,
    String user,
    String group,
    Instant modified,
    SortedMap<String, ByteBuffer> userAttributes) {
  public FileAttributes {
    mode &= 07777;
    userAttributes = Collections.unmodifiableSortedMap(new TreeMap<>(userAttributes));
  }

  /** Attributes of something that has no owner and no history. */
  public static FileAttributes plain(int mode) {
    return new FileAttributes(mode, 0, 0, "", "", Instant.EPOCH, new TreeMap<>());
  }

  /** The same with these extended attributes. */
  FileAttributes withUserAttributes(SortedMap<String, ByteBuffer> attributes) {
    return new FileAttributes(mode, uid, gid, user, group, modified, attributes);
  }
}
