package org.stellaops.backup.storage.azure;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.cloud.CloudSettings;
import org.stellaops.backup.model.ObjectName;

/**
 * What an {@link AzureSink} was told.
 *
 * @param strayAge how old blocks are before they are taken for a dead process's
 */
record AzureSettings(
    String container,
    @Nullable AzureCredential credential,
    AzureSink.@Nullable Tier tier,
    AzureSink.@Nullable Immutability immutability,
    Duration strayAge,
    CloudSettings cloud) {
  private static final int MIN_PART_BYTES = 64 << 10;

  /** A part takes as long over less than half a megabit a second. */
  private static final Duration STANDARD_TIMEOUT = Duration.ofMinutes(3);

  private static final Duration STANDARD_STRAY_AGE = Duration.ofDays(1);

  AzureSettings {
    if (container.isBlank() || container.contains("/")) {
      throw new IllegalArgumentException("no name of a container: '" + container + "'");
    }
    if (cloud.partBytes() < MIN_PART_BYTES || cloud.partBytes() > CloudSettings.MAX_PART_BYTES) {
      throw new IllegalArgumentException(
          "parts of %d bytes, allowed %d to %d"
              .formatted(cloud.partBytes(), MIN_PART_BYTES, CloudSettings.MAX_PART_BYTES));
    }
  }

  static AzureSettings of(String container) {
    return new AzureSettings(
        container, null, null, null, STANDARD_STRAY_AGE, CloudSettings.standard(STANDARD_TIMEOUT));
  }

  AzureSettings with(AzureCredential given) {
    return new AzureSettings(container, given, tier, immutability, strayAge, cloud);
  }

  AzureSettings with(AzureSink.Tier given) {
    return new AzureSettings(container, credential, given, immutability, strayAge, cloud);
  }

  AzureSettings with(AzureSink.Immutability given) {
    return new AzureSettings(container, credential, tier, given, strayAge, cloud);
  }

  AzureSettings with(UnaryOperator<CloudSettings> change) {
    return new AzureSettings(
        container, credential, tier, immutability, strayAge, change.apply(cloud));
  }

  AzureSettings withStrayAge(Duration given) {
    return new AzureSettings(container, credential, tier, immutability, given, cloud);
  }

  /** The service's address, without a slash at the end. */
  String service() {
    if (cloud.endpoint() == null) {
      throw new IllegalStateException("say where %s is: account or endpoint".formatted(container));
    }
    return cloud.service("");
  }

  /** The first label of the endpoint's host, or of its path where the host is an address. */
  String account() {
    URI address = URI.create(service());
    String path = Optional.ofNullable(address.getPath()).orElse("");
    return path.length() > 1
        ? path.substring(1).split("/", 2)[0]
        : address.getHost().split("\\.", 2)[0];
  }

  String describe() {
    return cloud.service("azure:") + "/" + container + cloud.folder();
  }

  /** The name of the blob. */
  String key(ObjectName name) {
    return cloud.key(name);
  }

  /** The object of a blob's name; empty for names that no object has. */
  Optional<ObjectName> name(String key) {
    try {
      return Optional.of(ObjectName.of(key.substring(cloud.prefix().length())));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
