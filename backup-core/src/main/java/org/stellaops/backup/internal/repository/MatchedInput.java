package org.stellaops.backup.internal.repository;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * The bytes of an object, the last of which is handed over only if they all are what they should
 * be: so whoever stops at the announced length has been told, too. Closes what it wraps.
 */
final class MatchedInput extends FilterInputStream {
  private final ObjectRef object;
  private final MessageDigest digest = Digest.sha256();
  private long bytes;

  MatchedInput(InputStream in, ObjectRef object) {
    super(in);
    this.object = object;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    int n = in.read(into, offset, length);
    if (n < 0) {
      if (bytes < object.lengthBytes() || object.lengthBytes() == 0) {
        compare(bytes < object.lengthBytes() ? CoreFailure.TRUNCATED : CoreFailure.CORRUPT_OBJECT);
      }
      return n;
    }
    digest.update(into, offset, n);
    bytes += n;
    if (bytes >= object.lengthBytes()) {
      compare(CoreFailure.CORRUPT_OBJECT);
    }
    return n;
  }

  private void compare(CoreFailure code) throws BackupException.Corrupt {
    Digest found = Digest.of(digest.digest());
    if (bytes != object.lengthBytes() || !found.equals(object.stored())) {
      throw new BackupException.Corrupt(
          code,
          "%s has %d bytes with SHA-256 %s, expected %d with %s"
              .formatted(object, bytes, found, object.lengthBytes(), object.stored()));
    }
  }

  @Override
  public long skip(long count) throws IOException {
    return Math.max(0, read(new byte[(int) Math.min(8192, Math.max(0, count))]));
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
