package org.stellaops.backup.storage.gcs;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.cloud.CloudSettings;
import org.stellaops.backup.model.ObjectName;

/** What a {@link GcsSink} was told. */
record GcsSettings(
    String bucket,
    @Nullable GcsCredential credential,
    GcsSink.@Nullable StorageClass storageClass,
    GcsSink.@Nullable Retention retention,
    CloudSettings cloud) {
  /** Parts of a resumable upload are multiples of it. */
  private static final int UNIT_BYTES = 256 << 10;

  private static final Duration STANDARD_TIMEOUT = Duration.ofMinutes(1);

  GcsSettings {
    if (bucket.isBlank() || bucket.contains("/")) {
      throw new IllegalArgumentException("no name of a bucket: '" + bucket + "'");
    }
    int partBytes = cloud.partBytes();
    if (partBytes < UNIT_BYTES
        || partBytes > CloudSettings.MAX_PART_BYTES
        || partBytes % UNIT_BYTES != 0) {
      throw new IllegalArgumentException(
          "parts of %d bytes, allowed are multiples of %d up to %d"
              .formatted(partBytes, UNIT_BYTES, CloudSettings.MAX_PART_BYTES));
    }
  }

  static GcsSettings of(String bucket) {
    return new GcsSettings(bucket, null, null, null, CloudSettings.standard(STANDARD_TIMEOUT));
  }

  GcsSettings with(GcsCredential given) {
    return new GcsSettings(bucket, given, storageClass, retention, cloud);
  }

  GcsSettings with(GcsSink.StorageClass given) {
    return new GcsSettings(bucket, credential, given, retention, cloud);
  }

  GcsSettings with(GcsSink.Retention given) {
    return new GcsSettings(bucket, credential, storageClass, given, cloud);
  }

  GcsSettings with(UnaryOperator<CloudSettings> change) {
    return new GcsSettings(bucket, credential, storageClass, retention, change.apply(cloud));
  }

  /** Whether requests go over TLS. */
  boolean isEncrypted() {
    URI endpoint = cloud.endpoint();
    return endpoint == null || "https".equals(endpoint.getScheme());
  }

  String describe() {
    return cloud.service("gs:/") + "/" + bucket + cloud.folder();
  }

  /** The name of the object in the bucket. */
  String key(ObjectName name) {
    return cloud.key(name);
  }

  /** The object of a key; empty for keys that are no names. */
  Optional<ObjectName> name(String key) {
    try {
      return Optional.of(ObjectName.of(key.substring(cloud.prefix().length())));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
