package org.stellaops.backup.storage.s3;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadRequest;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.UploadPartRequest;

/**
 * Puts objects.
 *
 * <p>An object appears by one request, a put or the completion of its parts, which the server does
 * whole or not at all and only where the name is free. Where the reply to that request is lost, or
 * says that somebody has the name, the object's metadata tell whether that was us: each put has a
 * nonce of its own. So a put that was done is never reported as one that was not, however often the
 * request had to be repeated.
 */
final class S3Upload {
  private static final String MEDIA_TYPE = "application/octet-stream";
  private static final int NONCE_BYTES = 16;

  private final S3Calls calls;
  private final S3Terms terms;
  private final S3Pace pace;
  private final InstantSource clock;
  private final SecureRandom random = new SecureRandom();

  /** Uploads of this process, which are not strays however old they are. */
  private final Set<String> underWay = ConcurrentHashMap.newKeySet();

  S3Upload(S3Calls calls, S3Terms terms, S3Pace pace, InstantSource clock) {
    this.calls = calls;
    this.terms = terms;
    this.pace = pace;
    this.clock = clock;
  }

  /** Under a name that is free. */
  void create(String tried, ObjectName name, ObjectBody body) throws IOException {
    String key = keyOf(tried, name);
    boolean isAsked = !terms.isConditional() || body.lengthBytes() > pace.singleBytes();
    if (isAsked && calls.head(tried, key).isPresent()) {
      throw calls.failures().exists(tried);
    }
    send(tried, key, body, placing(name, true));
  }

  /** Under a name that is taken. */
  void replace(String tried, ObjectName name, ObjectBody body) throws IOException {
    send(tried, keyOf(tried, name), body, placing(name, false));
  }

  /** The terms of one more put. */
  S3Terms.Placing placing(ObjectName name, boolean isCreating) {
    byte[] nonce = new byte[NONCE_BYTES];
    random.nextBytes(nonce);
    return new S3Terms.Placing(
        HexFormat.of().formatHex(nonce), terms.protectedUntil(name, clock.instant()), isCreating);
  }

  boolean isUnderWay(String upload) {
    return underWay.contains(upload);
  }

  private String keyOf(String tried, ObjectName name) throws BackupException {
    String key = calls.location().key(name);
    if (!calls.location().fits(key)) {
      throw new BackupException.Sink(
          CoreFailure.NAME_REFUSED,
          Reason.REFUSED,
          "%s: with the prefix the name has over 1024 bytes".formatted(tried));
    }
    return key;
  }

  private void send(String tried, String key, ObjectBody body, S3Terms.Placing placing)
      throws IOException {
    try (var source = new S3Body(body, calls.stopping())) {
      try {
        if (body.lengthBytes() == 0) {
          source.requireEmpty();
        }
        if (body.lengthBytes() <= pace.singleBytes()) {
          sendWhole(tried, key, body, source, placing);
        } else {
          sendParts(tried, key, body, source, placing);
        }
      } catch (S3Body.BodyFailed e) {
        source.rethrow();
        throw e;
      }
    } catch (S3Body.Mismatch e) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED, Reason.REFUSED, tried + ": " + e.getMessage(), e);
    }
  }

  private void sendWhole(
      String tried, String key, ObjectBody body, S3Body source, S3Terms.Placing placing)
      throws IOException {
    PutObjectRequest.Builder request =
        PutObjectRequest.builder()
            .bucket(calls.bucket())
            .key(key)
            .contentType(MEDIA_TYPE)
            .contentLength(body.lengthBytes());
    if (terms.checksums() == S3Sink.Checksums.SHA256) {
      request.checksumSHA256(base64(body.digest()));
    }
    PutObjectRequest put = terms.on(request, placing).build();
    for (int attempt = 1; ; attempt++) {
      try {
        calls.attempt(
            c ->
                c.putObject(
                    put, RequestBody.fromContentProvider(source, body.lengthBytes(), MEDIA_TYPE)));
        return;
      } catch (SdkException e) {
        source.rethrow();
        if (S3Failures.isDamaged(e) && attempt < pace.attempts()) {
          pause(attempt);
          continue;
        }
        if (isOurs(tried, key, placing, e, attempt)) {
          return;
        }
      }
    }
  }

  /**
   * Whether the object is there and by this put.
   *
   * @return false if the request is to be made again: somebody was about to take the name, and did
   *     not
   */
  boolean isOurs(String tried, String key, S3Terms.Placing placing, SdkException e, int attempt)
      throws BackupException {
    boolean isConflict = S3Failures.isConflict(e);
    if (!isConflict && !S3Failures.isUncertain(e) && !S3Failures.isMissing(e)) {
      throw calls.failures().translate(tried, e);
    }
    Optional<HeadObjectResponse> there = look(tried, key, e);
    if (there.isPresent() && placing.nonce().equals(there.get().metadata().get(S3Terms.NONCE))) {
      return true;
    }
    if (there.isPresent() && placing.isCreating()) {
      throw calls.failures().exists(tried);
    }
    if (!isConflict || attempt >= pace.attempts()) {
      throw isConflict
          ? new BackupException.Sink(
              CoreFailure.SINK_FAILED,
              Reason.TRANSIENT,
              "%s: others put the same name at the same time".formatted(tried),
              e)
          : calls.failures().translate(tried, e);
    }
    pause(attempt);
    return false;
  }

  private void pause(int attempt) {
    LockSupport.parkNanos(pace.firstDelay().toNanos() << Math.min(attempt, 5));
  }

  /** What stopped us from putting says more than what then stops us from looking. */
  private Optional<HeadObjectResponse> look(String tried, String key, SdkException e)
      throws BackupException {
    try {
      return calls.head(tried, key);
    } catch (BackupException blind) {
      BackupException failure = calls.failures().translate(tried, e);
      failure.addSuppressed(blind);
      throw failure;
    }
  }

  private void sendParts(
      String tried, String key, ObjectBody body, S3Body source, S3Terms.Placing placing)
      throws IOException {
    long partBytes = pace.partBytesOf(body.lengthBytes());
    if (partBytes > pace.memoryBytes() || body.lengthBytes() > S3Pace.MAX_OBJECT_BYTES) {
      throw new BackupException.Sink(
          CoreFailure.TOO_LARGE,
          Reason.REFUSED,
          "%s: %d bytes take parts of %d, and memory for parts is %d; hint: S3Sink.memory"
              .formatted(tried, body.lengthBytes(), partBytes, pace.memoryBytes()));
    }
    String upload = begin(tried, key, placing, terms.checksums());
    boolean isDone = false;
    underWay.add(upload);
    try {
      List<CompletedPart> parts = parts(tried, key, upload, body, source, partBytes);
      complete(tried, key, upload, parts, placing);
      isDone = true;
    } finally {
      if (!isDone) {
        abort(key, upload);
      }
      underWay.remove(upload);
    }
  }

  /**
   * Begins an upload of parts.
   *
   * @param checksums that each part will come with
   */
  String begin(String tried, String key, S3Terms.Placing placing, S3Sink.Checksums checksums)
      throws BackupException {
    CreateMultipartUploadRequest.Builder request =
        CreateMultipartUploadRequest.builder()
            .bucket(calls.bucket())
            .key(key)
            .contentType(MEDIA_TYPE);
    if (checksums == S3Sink.Checksums.SHA256) {
      request.checksumAlgorithm(ChecksumAlgorithm.SHA256);
    }
    CreateMultipartUploadRequest create = terms.on(request, placing).build();
    return calls.make(tried, c -> c.createMultipartUpload(create)).uploadId();
  }

  private List<CompletedPart> parts(
      String tried, String key, String upload, ObjectBody body, S3Body source, long partBytes)
      throws IOException {
    var sending = new S3Parts(pace.executor(), pace.partsInMemory(partBytes));
    try (InputStream in = source.newStream()) {
      long left = body.lengthBytes();
      for (int number = 1; left > 0; number++) {
        int size = (int) Math.min(partBytes, left);
        int here = number;
        sending.add(
            () -> {
              byte[] part = new byte[size];
              // A body that is too short fails by itself.
              in.readNBytes(part, 0, size);
              return () -> sendPart(tried, key, upload, here, part);
            });
        left -= size;
      }
    } finally {
      sending.awaitAll();
    }
    return sending.done();
  }

  private CompletedPart sendPart(String tried, String key, String upload, int number, byte[] part)
      throws BackupException {
    UploadPartRequest.Builder request =
        UploadPartRequest.builder()
            .bucket(calls.bucket())
            .key(key)
            .uploadId(upload)
            .partNumber(number)
            .contentLength((long) part.length);
    CompletedPart.Builder sent = CompletedPart.builder().partNumber(number);
    if (terms.checksums() == S3Sink.Checksums.SHA256) {
      String checksum = base64(Digest.ofContent(part));
      request.checksumSHA256(checksum);
      sent.checksumSHA256(checksum);
    }
    RequestBody content =
        RequestBody.fromContentProvider(
            () -> new ByteArrayInputStream(part), part.length, MEDIA_TYPE);
    UploadPartRequest put = request.build();
    for (int attempt = 1; ; attempt++) {
      try {
        return sent.eTag(calls.attempt(c -> c.uploadPart(put, content)).eTag()).build();
      } catch (SdkException e) {
        if (!S3Failures.isDamaged(e) || attempt >= pace.attempts()) {
          throw calls.failures().translate(tried, e);
        }
        pause(attempt);
      }
    }
  }

  /** The request by which the object appears. */
  void complete(
      String tried, String key, String upload, List<CompletedPart> parts, S3Terms.Placing placing)
      throws BackupException {
    for (int attempt = 1; ; attempt++) {
      try {
        calls.attempt(
            c ->
                c.completeMultipartUpload(
                    r -> {
                      r.bucket(calls.bucket()).key(key).uploadId(upload);
                      r.multipartUpload(m -> m.parts(parts));
                      if (terms.isConditional() && placing.isCreating()) {
                        r.ifNoneMatch("*");
                      }
                    }));
        return;
      } catch (SdkException e) {
        if (isOurs(tried, key, placing, e, attempt)) {
          return;
        }
      }
    }
  }

  /** Lets the server forget the parts; what it does not hear of, the sweep finds. */
  void abort(String key, String upload) {
    try {
      calls.attempt(
          c -> c.abortMultipartUpload(r -> r.bucket(calls.bucket()).key(key).uploadId(upload)));
    } catch (SdkException | BackupException.Stopped e) {
      LOG.debug("upload {} of {} stays until it is swept", upload, key, e);
    }
  }

  private static final org.slf4j.Logger LOG = org.slf4j.LoggerFactory.getLogger(S3Upload.class);

  private static String base64(Digest digest) {
    return Base64.getEncoder().encodeToString(digest.bytes());
  }
}
