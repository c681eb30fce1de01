package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ObjectName;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.CopyPartResult;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MetadataDirective;

/** Copies within one server, without the bytes coming here. */
final class S3Copy {
  private final S3Calls calls;
  private final S3Terms terms;
  private final S3Pace pace;
  private final S3Upload upload;

  S3Copy(S3Calls calls, S3Terms terms, S3Pace pace, S3Upload upload) {
    this.calls = calls;
    this.terms = terms;
    this.pace = pace;
    this.upload = upload;
  }

  /** Whether it was copied: false if the other store is of another server, or of another kind. */
  boolean copy(Optional<S3Origin> origin, ObjectName name) throws IOException {
    Optional<S3Calls> near = origin.map(S3Origin::calls).filter(this::isNear);
    if (near.isEmpty()) {
      return false;
    }
    S3Calls from = near.get();
    String tried = "copy " + name;
    String source = from.location().key(name);
    String key = calls.location().key(name);
    Optional<HeadObjectResponse> readable = readable(tried, from.bucket(), source);
    if (readable.isEmpty()) {
      return false;
    }
    HeadObjectResponse found = readable.get();
    // Not every server heeds the condition on a copy.
    if (calls.head(tried, key).isPresent()) {
      throw calls.failures().exists(tried);
    }
    S3Terms.Placing placing = upload.placing(name, true);
    if (found.contentLength() <= pace.singleCopyBytes()) {
      copyWhole(tried, from.bucket(), source, found.eTag(), key, placing);
    } else {
      copyParts(tried, from.bucket(), source, found, key, placing);
    }
    return true;
  }

  private boolean isNear(S3Calls from) {
    return calls.isSameService(from) || from.location().isServedAs(calls.location());
  }

  /** What the source is, if our credentials may read it: only then can the server copy for us. */
  private Optional<HeadObjectResponse> readable(String tried, String fromBucket, String source)
      throws BackupException {
    try {
      return Optional.of(calls.attempt(c -> c.headObject(r -> r.bucket(fromBucket).key(source))));
    } catch (SdkException e) {
      if (e instanceof AwsServiceException reply && reply.statusCode() == 403) {
        return Optional.empty();
      }
      throw calls.failures().translate(tried, e);
    }
  }

  private void copyWhole(
      String tried,
      String fromBucket,
      String source,
      String tag,
      String key,
      S3Terms.Placing placing)
      throws BackupException {
    CopyObjectRequest request =
        terms
            .on(
                CopyObjectRequest.builder()
                    .sourceBucket(fromBucket)
                    .sourceKey(source)
                    .copySourceIfMatch(tag)
                    .destinationBucket(calls.bucket())
                    .destinationKey(key)
                    .metadataDirective(MetadataDirective.REPLACE),
                placing)
            .build();
    for (int attempt = 1; ; attempt++) {
      try {
        calls.attempt(c -> c.copyObject(request));
        return;
      } catch (SdkException e) {
        if (upload.isOurs(tried, key, placing, e, attempt)) {
          return;
        }
      }
    }
  }

  private void copyParts(
      String tried,
      String fromBucket,
      String source,
      HeadObjectResponse found,
      String key,
      S3Terms.Placing placing)
      throws BackupException {
    // A part that the server copies comes without one, and MinIO then refuses it.
    String id = upload.begin(tried, key, placing, S3Sink.Checksums.NONE);
    boolean isDone = false;
    try {
      List<CompletedPart> parts = new ArrayList<>();
      long length = found.contentLength();
      long partBytes = Math.max(pace.singleCopyBytes(), pace.partBytesOf(length));
      for (long at = 0; at < length; at += partBytes) {
        parts.add(
            copyPart(
                tried,
                fromBucket,
                source,
                found.eTag(),
                key,
                id,
                parts.size() + 1,
                "bytes=%d-%d".formatted(at, Math.min(length, at + partBytes) - 1)));
      }
      upload.complete(tried, key, id, parts, placing);
      isDone = true;
    } finally {
      if (!isDone) {
        upload.abort(key, id);
      }
    }
  }

  private CompletedPart copyPart(
      String tried,
      String fromBucket,
      String source,
      String tag,
      String key,
      String id,
      int number,
      String range)
      throws BackupException {
    CopyPartResult part =
        calls
            .make(
                tried,
                c ->
                    c.uploadPartCopy(
                        r ->
                            r.sourceBucket(fromBucket)
                                .sourceKey(source)
                                .copySourceIfMatch(tag)
                                .copySourceRange(range)
                                .destinationBucket(calls.bucket())
                                .destinationKey(key)
                                .uploadId(id)
                                .partNumber(number)))
            .copyPartResult();
    return CompletedPart.builder()
        .partNumber(number)
        .eTag(part.eTag())
        .checksumSHA256(part.checksumSHA256())
        .build();
  }
}
