package org.stellaops.backup.storage.gcs;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.store.RetryPolicy;

/** What a {@link GcsSink} was told. */
record GcsSettings(
    String bucket,
    @Nullable URI endpoint,
    @Nullable GcsCredential credential,
    String prefix,
    GcsSink.@Nullable StorageClass storageClass,
    GcsSink.@Nullable Retention retention,
    Map<String, String> labels,
    int partBytes,
    Duration timeout,
    RetryPolicy retry) {
  /** Parts of a resumable upload are multiples of it. */
  private static final int UNIT_BYTES = 256 << 10;

  private static final int MAX_PART_BYTES = 256 << 20;
  private static final int STANDARD_PART_BYTES = 8 << 20;
  private static final Duration STANDARD_TIMEOUT = Duration.ofMinutes(1);

  GcsSettings {
    labels = Map.copyOf(labels);
    if (bucket.isBlank() || bucket.contains("/")) {
      throw new IllegalArgumentException("no name of a bucket: '" + bucket + "'");
    }
    if (partBytes < UNIT_BYTES || partBytes > MAX_PART_BYTES || partBytes % UNIT_BYTES != 0) {
      throw new IllegalArgumentException(
          "parts of %d bytes, allowed are multiples of %d up to %d"
              .formatted(partBytes, UNIT_BYTES, MAX_PART_BYTES));
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("a timeout of " + timeout);
    }
  }

  static GcsSettings of(String bucket) {
    return new GcsSettings(
        bucket,
        null,
        null,
        "",
        null,
        null,
        Map.of(),
        STANDARD_PART_BYTES,
        STANDARD_TIMEOUT,
        RetryPolicy.STANDARD);
  }

  GcsSettings withEndpoint(URI service) {
    String scheme = service.getScheme();
    if (!"https".equals(scheme) && !"http".equals(scheme)) {
      throw new IllegalArgumentException("an endpoint begins with https://, found " + scheme);
    }
    if (service.getRawUserInfo() != null || service.getRawQuery() != null) {
      throw new IllegalArgumentException("an endpoint has no credentials in it");
    }
    return new GcsSettings(
        bucket,
        service,
        credential,
        prefix,
        storageClass,
        retention,
        labels,
        partBytes,
        timeout,
        retry);
  }

  GcsSettings with(GcsCredential given) {
    return new GcsSettings(
        bucket,
        endpoint,
        given,
        prefix,
        storageClass,
        retention,
        labels,
        partBytes,
        timeout,
        retry);
  }

  /** Without a slash at the end, as a name of an object. */
  GcsSettings withPrefix(String given) {
    String folder = given.isEmpty() ? "" : ObjectName.of(given).value() + "/";
    return new GcsSettings(
        bucket,
        endpoint,
        credential,
        folder,
        storageClass,
        retention,
        labels,
        partBytes,
        timeout,
        retry);
  }

  GcsSettings withStorageClass(GcsSink.StorageClass given) {
    return new GcsSettings(
        bucket, endpoint, credential, prefix, given, retention, labels, partBytes, timeout, retry);
  }

  GcsSettings withRetention(GcsSink.Retention given) {
    return new GcsSettings(
        bucket,
        endpoint,
        credential,
        prefix,
        storageClass,
        given,
        labels,
        partBytes,
        timeout,
        retry);
  }

  GcsSettings withLabel(String key, String value) {
    Map<String, String> all = new TreeMap<>(labels);
    all.put(key, value);
    return new GcsSettings(
        bucket,
        endpoint,
        credential,
        prefix,
        storageClass,
        retention,
        all,
        partBytes,
        timeout,
        retry);
  }

  GcsSettings withPartBytes(int given) {
    return new GcsSettings(
        bucket,
        endpoint,
        credential,
        prefix,
        storageClass,
        retention,
        labels,
        given,
        timeout,
        retry);
  }

  GcsSettings withRetry(RetryPolicy given) {
    return new GcsSettings(
        bucket,
        endpoint,
        credential,
        prefix,
        storageClass,
        retention,
        labels,
        partBytes,
        timeout,
        given);
  }

  GcsSettings withTimeout(Duration given) {
    return new GcsSettings(
        bucket,
        endpoint,
        credential,
        prefix,
        storageClass,
        retention,
        labels,
        partBytes,
        given,
        retry);
  }

  /** Whether requests go over TLS. */
  boolean isEncrypted() {
    return endpoint == null || "https".equals(endpoint.getScheme());
  }

  String describe() {
    String place = endpoint == null ? "gs:/" : endpoint.toString().replaceAll("/+$", "");
    String folder = prefix.isEmpty() ? "" : "/" + prefix.substring(0, prefix.length() - 1);
    return "%s/%s%s".formatted(place, bucket, folder);
  }

  /** The name of the object in the bucket. */
  String key(ObjectName name) {
    return prefix + name.value();
  }
}
