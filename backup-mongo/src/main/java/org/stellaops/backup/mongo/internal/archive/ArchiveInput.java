package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.util.Arrays;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/** An archive as it was stored, plain or in gzip, opened by its first bytes. */
public final class ArchiveInput {
  private static final int HEAD_BYTES = 4;
  private static final byte[] GZIP = {0x1f, (byte) 0x8b};
  private static final byte[] ZSTD = {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd};

  private ArchiveInput() {}

  /** The archive's plain bytes. Closing the result closes {@code stored}, and so does a failure. */
  public static InputStream open(InputStream stored) throws IOException {
    try {
      return plain(stored);
    } catch (IOException e) {
      stored.close();
      throw e;
    }
  }

  private static InputStream plain(InputStream stored) throws IOException {
    PushbackInputStream in = new PushbackInputStream(stored, HEAD_BYTES);
    byte[] head = in.readNBytes(HEAD_BYTES);
    in.unread(head);
    if (startsWith(head, ZSTD)) {
      throw new BackupException.Corrupt(
          CoreFailure.UNSUPPORTED_FORMAT,
          "archive is compressed with zstd; mongorestore does not know it either."
              + " hint: decompress it first, zstd -dc");
    }
    return startsWith(head, GZIP) ? new GunzipStream(in) : in;
  }

  private static boolean startsWith(byte[] head, byte[] magic) {
    return head.length >= magic.length
        && Arrays.equals(head, 0, magic.length, magic, 0, magic.length);
  }
}
