package org.stellaops.backup.storage.s3;

import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.StoreAbility;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.CopyObjectRequest;
import software.amazon.awssdk.services.s3.model.MetadataDirective;

/**
 * The versions behind delete markers and under what was put over them. A deletion is undone by
 * taking its markers away; what was replaced is put on top again, by a copy within the bucket, and
 * what replaced it stays below for whoever asks who did it.
 */
final class S3History implements StoreAbility.History {
  private final S3Calls calls;
  private final S3Terms terms;
  private final S3Pace pace;
  private final S3Upload upload;
  private final S3Versions versions;

  S3History(S3Calls calls, S3Terms terms, S3Pace pace, S3Upload upload) {
    this.calls = calls;
    this.terms = terms;
    this.pace = pace;
    this.upload = upload;
    versions = new S3Versions(calls, pace.pageSize());
  }

  @Override
  public void kept(String prefix, Each each) throws IOException {
    try {
      versions.each(
          "versions of '%s'".formatted(prefix),
          calls.location().key(prefix),
          (key, all) -> {
            Optional<ObjectName> name = calls.location().name(key);
            for (KeptVersion version : name.map(n -> kept(n, all)).orElse(List.of())) {
              each.take(version);
            }
            return true;
          });
    } catch (BackupException.Sink e) {
      if (!isUnknown(e)) {
        throw e;
      }
    }
  }

  /** A server that does not know versions keeps none. */
  private static boolean isUnknown(BackupException.Sink e) {
    return e.reason() == Reason.REFUSED
        && e.getCause() instanceof SdkException cause
        && S3Failures.isCode(cause, "NotImplemented", "MethodNotAllowed");
  }

  /**
   * @param all of one key, newest first
   */
  private static List<KeptVersion> kept(ObjectName name, List<S3Versions.Version> all) {
    List<KeptVersion> kept = new ArrayList<>();
    boolean isReplaced = !all.get(0).isMarker();
    Optional<Instant> hiddenAt = Optional.empty();
    for (S3Versions.Version version : all) {
      if (!version.isLatest() && !version.isMarker()) {
        kept.add(
            new KeptVersion(
                name,
                version.id(),
                version.lengthBytes(),
                version.storedAt(),
                hiddenAt,
                isReplaced));
      }
      hiddenAt = Optional.of(version.storedAt());
    }
    return kept;
  }

  @Override
  public InputStream open(KeptVersion version, ByteRange range) throws IOException {
    String key = calls.location().key(version.name());
    return S3Download.open(
        calls, pace, "open a version of " + version.name(), key, version.id(), range);
  }

  @Override
  public void bringBack(KeptVersion version) throws IOException {
    String tried = "bring back " + version.name();
    String key = calls.location().key(version.name());
    List<S3Versions.Version> newer = newerThan(version, versions.of(tried, key));
    if (newer.stream().allMatch(S3Versions.Version::isMarker)) {
      try {
        for (S3Versions.Version marker : newer) {
          calls.make(
              tried,
              c -> c.deleteObject(r -> r.bucket(calls.bucket()).key(key).versionId(marker.id())));
        }
        return;
      } catch (BackupException.Sink e) {
        // Who may not delete, not even a marker, may put the bytes on top of it.
        if (e.reason() != Reason.DENIED) {
          throw e;
        }
      }
    }
    putOnTop(tried, key, version);
  }

  /** Oldest first, so that the object appears by the last of them. */
  private static List<S3Versions.Version> newerThan(
      KeptVersion version, List<S3Versions.Version> all) {
    List<S3Versions.Version> newer = new ArrayList<>(all);
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).id().equals(version.id())) {
        return newer.subList(i + 1, all.size());
      }
    }
    return newer;
  }

  private void putOnTop(String tried, String key, KeptVersion version) throws BackupException {
    S3Terms.Placing placing = upload.placing(version.name(), false);
    CopyObjectRequest request =
        terms
            .on(
                CopyObjectRequest.builder()
                    .sourceBucket(calls.bucket())
                    .sourceKey(key)
                    .sourceVersionId(version.id())
                    .destinationBucket(calls.bucket())
                    .destinationKey(key)
                    .metadataDirective(MetadataDirective.REPLACE),
                placing)
            .build();
    calls.make(tried, c -> c.copyObject(request));
  }
}
