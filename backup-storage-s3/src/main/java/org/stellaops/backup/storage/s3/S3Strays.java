package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.StoreAbility;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.ListMultipartUploadsResponse;
import software.amazon.awssdk.services.s3.model.MultipartUpload;

/**
 * Uploads that nobody will complete: those that began so long ago, by the server's clock, that no
 * living process can still be at them. They are no objects, are shown by no listing, and cost.
 */
final class S3Strays implements StoreAbility.Strays {
  private static final String TRIED = "sweep unfinished uploads";

  private final S3Calls calls;
  private final S3Pace pace;
  private final S3Upload upload;

  S3Strays(S3Calls calls, S3Pace pace, S3Upload upload) {
    this.calls = calls;
    this.pace = pace;
    this.upload = upload;
  }

  @Override
  public int sweep() throws IOException {
    int swept = 0;
    String keyMarker = null;
    String uploadMarker = null;
    boolean isMore = true;
    while (isMore) {
      String fromKey = keyMarker;
      String fromUpload = uploadMarker;
      ListMultipartUploadsResponse page =
          calls.make(
              TRIED,
              c ->
                  c.listMultipartUploads(
                      r ->
                          r.bucket(calls.bucket())
                              .prefix(calls.location().prefix())
                              .keyMarker(fromKey)
                              .uploadIdMarker(fromUpload)));
      Optional<Instant> now = timeOf(page);
      for (MultipartUpload stray : page.uploads()) {
        if (now.isPresent() && isStray(stray, now.get()) && isAborted(stray)) {
          swept++;
        }
      }
      isMore = Boolean.TRUE.equals(page.isTruncated());
      if (isMore) {
        calls
            .failures()
            .requireFurther(
                TRIED,
                S3Versions.marker(fromKey, fromUpload),
                S3Versions.marker(page.nextKeyMarker(), page.nextUploadIdMarker()));
      }
      keyMarker = page.nextKeyMarker();
      uploadMarker = page.nextUploadIdMarker();
    }
    return swept;
  }

  private boolean isStray(MultipartUpload found, Instant now) {
    return found.initiated() != null
        && !found.initiated().plus(pace.strayAge()).isAfter(now)
        && !upload.isUnderWay(found.uploadId());
  }

  private boolean isAborted(MultipartUpload stray) throws BackupException {
    try {
      calls.attempt(
          c ->
              c.abortMultipartUpload(
                  r -> r.bucket(calls.bucket()).key(stray.key()).uploadId(stray.uploadId())));
      return true;
    } catch (SdkException e) {
      if (S3Failures.isMissing(e)) {
        return false; // somebody else swept, or it was completed
      }
      throw calls.failures().translate(TRIED, e);
    }
  }

  /** The server's clock; without it nothing can be said to be old. */
  private static Optional<Instant> timeOf(ListMultipartUploadsResponse page) {
    try {
      return page.sdkHttpResponse()
          .firstMatchingHeader("Date")
          .map(date -> ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
    } catch (DateTimeException unreadable) {
      return Optional.empty();
    }
  }
}
