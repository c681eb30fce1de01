package org.stellaops.backup.internal.cloud;

import java.io.IOException;
import java.io.InputStream;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ObjectBody;

/** Whether what was read of a body is what the body says that it is. */
public final class CheckedBody {
  private final StoreFailures failures;
  private final String tried;
  private final ObjectBody body;

  /** Of a body that is on its way. */
  public CheckedBody(StoreFailures failures, String tried, ObjectBody body) {
    this.failures = failures;
    this.tried = tried;
    this.body = body;
  }

  /**
   * The whole of it, for bodies that fit into memory. Its own failures pass as they are: they are
   * not the store's.
   */
  public byte[] whole() throws IOException {
    try (InputStream in = body.open()) {
      byte[] whole = in.readNBytes((int) body.lengthBytes());
      require(in.read() < 0 ? whole.length : whole.length + 1L, Digest.ofContent(whole));
      return whole;
    }
  }

  /**
   * Fails if something else was read.
   *
   * @param lengthBytes at least this; whoever found more need not know how much
   */
  public void require(long lengthBytes, Digest digest) throws BackupException.Sink {
    if (lengthBytes != body.lengthBytes()) {
      String found = lengthBytes > body.lengthBytes() ? "more" : String.valueOf(lengthBytes);
      throw failures.refused(
          tried, "expected %d bytes, found %s".formatted(body.lengthBytes(), found));
    }
    if (!digest.equals(body.digest())) {
      throw failures.refused(
          tried, "expected stored digest %s, found %s".formatted(body.digest(), digest));
    }
  }
}
