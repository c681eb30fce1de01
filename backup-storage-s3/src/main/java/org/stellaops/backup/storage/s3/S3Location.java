package org.stellaops.backup.storage.s3;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ObjectName;
import software.amazon.awssdk.regions.PartitionMetadata;
import software.amazon.awssdk.regions.Region;

/**
 * Where the objects are.
 *
 * @param prefix before every key; empty, or ends with {@code /}
 * @param endpoint null means AWS's own of the region
 * @param region null where only the endpoint counts
 * @param isPathStyle the bucket is in the path and not in the host name
 * @param isRegionFollowed a bucket that turns out to be in another region is looked for there
 */
record S3Location(
    String bucket,
    String prefix,
    @Nullable URI endpoint,
    @Nullable String region,
    boolean isPathStyle,
    boolean isRegionFollowed) {

  /** What servers that know no regions expect in a signature. */
  private static final String ANY_REGION = "us-east-1";

  /** The longest key of S3, in bytes. */
  private static final int MAX_KEY_BYTES = 1024;

  /** The key of an object. */
  String key(ObjectName name) {
    return prefix + name.value();
  }

  /** What the keys of all objects begin with whose names begin so. */
  String key(String namePrefix) {
    return prefix + namePrefix;
  }

  /** The object of a key; empty for keys that are no names, such as {@code folder/}. */
  Optional<ObjectName> name(String key) {
    if (!key.startsWith(prefix)) {
      return Optional.empty();
    }
    try {
      return Optional.of(ObjectName.of(key.substring(prefix.length())));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** Whether S3 takes so long a key. */
  boolean fits(String key) {
    return key.getBytes(StandardCharsets.UTF_8).length <= MAX_KEY_BYTES;
  }

  /** Whether one request can name objects of both: the same server, and the same account there. */
  boolean isServedAs(S3Location other) {
    return Objects.equals(endpoint, other.endpoint)
        && signingRegion().equals(other.signingRegion())
        && isRegionFollowed == other.isRegionFollowed;
  }

  /** The region to sign for. */
  Region signingRegion() {
    return Region.of(region == null ? ANY_REGION : region);
  }

  /**
   * The endpoint to talk to; empty where the SDK has to find it, since it may change. Said even
   * where the SDK would come to the same, for else it would ask the environment first.
   */
  Optional<URI> knownEndpoint() {
    if (endpoint != null || isRegionFollowed) {
      return Optional.ofNullable(endpoint);
    }
    Region signing = signingRegion();
    return Optional.of(
        URI.create(
            "https://s3.%s.%s".formatted(signing.id(), PartitionMetadata.of(signing).dnsSuffix())));
  }

  /** For humans. */
  String describe() {
    String bucketAndPrefix = "s3://" + bucket + (prefix.isEmpty() ? "" : "/" + prefix);
    return endpoint == null ? bucketAndPrefix : bucketAndPrefix + " at " + endpoint;
  }

  /** Bucket and server, for messages. */
  String server() {
    return "bucket %s at %s"
        .formatted(bucket, endpoint == null ? "AWS, region " + region : endpoint.toString());
  }

  @Override
  public String toString() {
    return describe();
  }
}
