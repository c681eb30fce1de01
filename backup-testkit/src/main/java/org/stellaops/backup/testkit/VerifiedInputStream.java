package org.stellaops.backup.testkit;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * The bytes of an artifact, compared with its length and digest at EOF and not before, as an engine
 * does it. Closes what it wraps.
 */
final class VerifiedInputStream extends FilterInputStream {
  private final CapturedArtifact expected;
  private final Runnable whenVerified;
  private final MessageDigest digest = Digest.sha256();
  private long bytes;
  private boolean isVerified;
  private BackupException.@Nullable Corrupt failure;

  /**
   * @param whenVerified run once, when the end has been read and is right
   */
  VerifiedInputStream(InputStream in, CapturedArtifact expected, Runnable whenVerified) {
    super(in);
    this.expected = expected;
    this.whenVerified = whenVerified;
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    if (failure != null) {
      throw failure;
    }
    if (length == 0) {
      return 0; // a ByteArrayInputStream would say that it is at its end
    }
    int n = in.read(buffer, offset, length);
    if (n > 0) {
      bytes += n;
      digest.update(buffer, offset, n);
    } else if (n < 0 && !isVerified) {
      verify();
    }
    return n;
  }

  @Override
  public boolean markSupported() {
    return false;
  }

  private void verify() throws BackupException.Corrupt {
    Digest found = Digest.of(digest.digest());
    if (bytes != expected.plainBytes()) {
      throw fail(
          bytes < expected.plainBytes() ? CoreFailure.TRUNCATED : CoreFailure.CORRUPT_OBJECT,
          "expected %d plain bytes, found %d".formatted(expected.plainBytes(), bytes));
    }
    if (!found.equals(expected.plain())) {
      throw fail(
          CoreFailure.CORRUPT_OBJECT,
          "expected plain digest %s, found %s".formatted(expected.plain(), found));
    }
    isVerified = true;
    whenVerified.run();
  }

  private BackupException.Corrupt fail(CoreFailure code, String what) {
    failure = new BackupException.Corrupt(code, "artifact " + expected.name() + ": " + what);
    return failure;
  }
}
