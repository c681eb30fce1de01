package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.spi.ArtifactBody;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.ObjectBody;

/** Plain bytes of a stream on their way into one sealed object, named by a keyed digest. */
final class SealedSlice extends ArtifactOutput {
  private static final String ALGORITHM = "HmacSHA256";

  /** Keeps these digests apart from the ids of chunks, which have the same key. */
  private static final byte[] PURPOSE =
      "stella-backup stream 1\n".getBytes(StandardCharsets.US_ASCII);

  private final SealedSpool spool;
  private final Mac mac;
  private long bytes;
  private String keyedDigest = "";

  private SealedSlice(Workspace workspace, Epoch epoch, FileKey idKey) throws IOException {
    mac = mac(idKey);
    spool = new SealedSpool(workspace, List.of(epoch.recipient()));
  }

  /** Everything that a body writes. The caller releases it. */
  static SealedSlice of(ArtifactBody body, Workspace workspace, Epoch epoch, FileKey idKey)
      throws IOException {
    SealedSlice sealed = new SealedSlice(workspace, epoch, idKey);
    boolean isWhole = false;
    try {
      body.writeTo(sealed);
      sealed.keyedDigest = HexFormat.of().formatHex(sealed.mac.doFinal());
      isWhole = true;
      return sealed;
    } finally {
      if (!isWhole) {
        sealed.release();
      }
    }
  }

  private static Mac mac(FileKey idKey) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(idKey.use(key -> new SecretKeySpec(key, ALGORITHM)));
      mac.update(PURPOSE);
      return mac;
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every JDK has HmacSHA256 (javax.crypto.Mac)", e);
    }
  }

  @Override
  public void boundary() {}

  @Override
  public void write(byte[] from, int offset, int length) throws IOException {
    mac.update(from, offset, length);
    spool.plain().write(from, offset, length);
    bytes += length;
  }

  long plainBytes() {
    return bytes;
  }

  /** With the writer's id-key, so that it tells nobody else what was recorded. */
  String keyedDigest() {
    return keyedDigest;
  }

  /** What is to be stored. Call once; valid until it is released. */
  ObjectBody finish() throws IOException {
    return spool.finishBare();
  }

  /** Forgets the bytes. */
  void release() throws IOException {
    spool.close();
  }
}
