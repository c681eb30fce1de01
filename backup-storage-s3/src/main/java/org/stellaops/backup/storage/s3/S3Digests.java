package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.util.Base64;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.StoreAbility;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.ChecksumMode;
import software.amazon.awssdk.services.s3.model.ChecksumType;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/**
 * The SHA-256 that a server says of an object. It is believed only of a server that was seen to
 * refuse a body with another one: there are some that keep what a client announced, and give it
 * back.
 */
final class S3Digests implements StoreAbility.Digests {
  private static final Logger LOG = LoggerFactory.getLogger(S3Digests.class);
  private static final byte[] BODY = {'?'};
  private static final byte[] OTHER = {'!'};
  private static final int SHA256_BYTES = 32;
  private static final ObjectName NO_NAME = ObjectName.of("beat/checksum");

  private final S3Calls calls;
  private final S3Upload upload;

  /** Whether the server compares; null until that is tried. */
  private @Nullable Boolean comparing;

  S3Digests(S3Calls calls, S3Upload upload) {
    this.calls = calls;
    this.upload = upload;
  }

  @Override
  public Optional<Digest> digest(ObjectName name) throws IOException {
    if (!isComparing()) {
      return Optional.empty();
    }
    String tried = "stat " + name;
    try {
      return stated(
          calls.attempt(
              c ->
                  c.headObject(
                      r ->
                          r.bucket(calls.bucket())
                              .key(calls.location().key(name))
                              .checksumMode(ChecksumMode.ENABLED))));
    } catch (SdkException e) {
      throw calls.failures().translate(tried, e);
    }
  }

  /** Of an object that came in parts it is one of the digests of these, and no use. */
  static Optional<Digest> stated(HeadObjectResponse head) {
    String text = head.checksumSHA256();
    if (text == null || head.checksumType() == ChecksumType.COMPOSITE) {
      return Optional.empty();
    }
    try {
      byte[] bytes = Base64.getDecoder().decode(text);
      return bytes.length == SHA256_BYTES ? Optional.of(Digest.of(bytes)) : Optional.empty();
    } catch (IllegalArgumentException e) {
      LOG.debug("{} is the digest of no whole object", text, e);
      return Optional.empty();
    }
  }

  private synchronized boolean isComparing() throws BackupException.Stopped {
    if (comparing == null) {
      comparing = isRefused();
    }
    return comparing;
  }

  /** Puts one byte that is announced as another, among what may be deleted. */
  private boolean isRefused() throws BackupException.Stopped {
    ObjectName probe =
        ObjectName.of("beat/checksum/%s-1".formatted(upload.placing(NO_NAME, true).nonce()));
    String key = calls.location().key(probe);
    String wrong = Base64.getEncoder().encodeToString(Digest.ofContent(OTHER).bytes());
    try {
      calls.attempt(
          c ->
              c.putObject(
                  r -> r.bucket(calls.bucket()).key(key).checksumSHA256(wrong),
                  RequestBody.fromBytes(BODY)));
    } catch (SdkException e) {
      LOG.debug("a body that was announced as another is not taken", e);
      // A request that timed out is answered by 400, too, and proves nothing.
      return S3Failures.isCode(e, "BadDigest", "XAmzContentChecksumMismatch");
    }
    LOG.debug("{} takes what was announced as something else", calls.location().describe());
    try {
      calls.attempt(c -> c.deleteObject(r -> r.bucket(calls.bucket()).key(key)));
    } catch (SdkException e) {
      LOG.debug("{} stays", probe, e);
    }
    return false;
  }
}
