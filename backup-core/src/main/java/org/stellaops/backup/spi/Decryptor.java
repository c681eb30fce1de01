package org.stellaops.backup.spi;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.stellaops.backup.model.ByteRange;

/** Sealed bytes to plain bytes, for whoever holds a private half. From any thread. */
public interface Decryptor {
  /**
   * Reads one sealed object from its beginning to its end. Each segment is authenticated before its
   * bytes come out; that nothing is missing is known at EOF.
   *
   * @param stored closed with the returned stream
   * @throws org.stellaops.backup.model.BackupException.Crypto WRONG_KEY or WRONG_PASSPHRASE
   * @throws org.stellaops.backup.model.BackupException.Corrupt CORRUPT_OBJECT, TRUNCATED or
   *     MALFORMED; also thrown by reads
   */
  InputStream open(InputStream stored, List<? extends Identity> by) throws IOException;

  /**
   * Opens one sealed object for reading at any place. The same failures as {@link
   * #open(InputStream, List)}.
   */
  SealedReader open(RangeReader stored, long storedBytes, List<? extends Identity> by)
      throws IOException;

  /** Reads ranges of stored bytes. */
  @FunctionalInterface
  interface RangeReader {
    /** The stored bytes in the range; the caller closes. */
    InputStream open(ByteRange stored) throws IOException;
  }

  /** One sealed object, its key unwrapped. From any thread. */
  interface SealedReader extends Closeable {
    /** Length of the plain bytes; reading the end authenticates it. */
    long plainBytes();

    /** Plain bytes of the range, each authenticated before it comes out. The caller closes. */
    InputStream read(ByteRange plain) throws IOException;

    /** Wipes the key. */
    @Override
    void close();
  }
}
