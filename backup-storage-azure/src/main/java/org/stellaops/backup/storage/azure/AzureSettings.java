package org.stellaops.backup.storage.azure;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.store.RetryPolicy;

/** What an {@link AzureSink} was told. */
record AzureSettings(
    String container,
    @Nullable URI endpoint,
    @Nullable AzureCredential credential,
    String prefix,
    AzureSink.@Nullable Tier tier,
    AzureSink.@Nullable Immutability immutability,
    Map<String, String> labels,
    int partBytes,
    Duration timeout,
    RetryPolicy retry) {
  private static final int MIN_PART_BYTES = 64 << 10;
  private static final int MAX_PART_BYTES = 256 << 20;
  private static final int STANDARD_PART_BYTES = 8 << 20;

  /** A part takes as long over less than half a megabit a second. */
  private static final Duration STANDARD_TIMEOUT = Duration.ofMinutes(3);

  AzureSettings {
    labels = Map.copyOf(labels);
    if (container.isBlank() || container.contains("/")) {
      throw new IllegalArgumentException("no name of a container: '" + container + "'");
    }
    if (partBytes < MIN_PART_BYTES || partBytes > MAX_PART_BYTES) {
      throw new IllegalArgumentException(
          "parts of %d bytes, allowed %d to %d"
              .formatted(partBytes, MIN_PART_BYTES, MAX_PART_BYTES));
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("a timeout of " + timeout);
    }
  }

  static AzureSettings of(String container) {
    return new AzureSettings(
        container,
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

  AzureSettings withEndpoint(URI service) {
    String scheme = service.getScheme();
    if (!"https".equals(scheme) && !"http".equals(scheme)) {
      throw new IllegalArgumentException("an endpoint begins with https://, found " + scheme);
    }
    if (service.getRawUserInfo() != null || service.getRawQuery() != null) {
      throw new IllegalArgumentException(
          "an endpoint has no credentials in it: give a SAS by itself");
    }
    return new AzureSettings(
        container,
        service,
        credential,
        prefix,
        tier,
        immutability,
        labels,
        partBytes,
        timeout,
        retry);
  }

  AzureSettings with(AzureCredential given) {
    return new AzureSettings(
        container, endpoint, given, prefix, tier, immutability, labels, partBytes, timeout, retry);
  }

  /** Without a slash at the end, as a name of an object. */
  AzureSettings withPrefix(String given) {
    String folder = given.isEmpty() ? "" : ObjectName.of(given).value() + "/";
    return new AzureSettings(
        container,
        endpoint,
        credential,
        folder,
        tier,
        immutability,
        labels,
        partBytes,
        timeout,
        retry);
  }

  AzureSettings withTier(AzureSink.Tier given) {
    return new AzureSettings(
        container,
        endpoint,
        credential,
        prefix,
        given,
        immutability,
        labels,
        partBytes,
        timeout,
        retry);
  }

  AzureSettings withImmutability(AzureSink.Immutability given) {
    return new AzureSettings(
        container, endpoint, credential, prefix, tier, given, labels, partBytes, timeout, retry);
  }

  AzureSettings withLabel(String key, String value) {
    Map<String, String> all = new TreeMap<>(labels);
    all.put(key, value);
    return new AzureSettings(
        container,
        endpoint,
        credential,
        prefix,
        tier,
        immutability,
        all,
        partBytes,
        timeout,
        retry);
  }

  AzureSettings withPartBytes(int given) {
    return new AzureSettings(
        container, endpoint, credential, prefix, tier, immutability, labels, given, timeout, retry);
  }

  AzureSettings withRetry(RetryPolicy given) {
    return new AzureSettings(
        container,
        endpoint,
        credential,
        prefix,
        tier,
        immutability,
        labels,
        partBytes,
        timeout,
        given);
  }

  AzureSettings withTimeout(Duration given) {
    return new AzureSettings(
        container,
        endpoint,
        credential,
        prefix,
        tier,
        immutability,
        labels,
        partBytes,
        given,
        retry);
  }

  /** The service's address, without a slash at the end. */
  String service() {
    if (endpoint == null) {
      throw new IllegalStateException("say where %s is: account or endpoint".formatted(container));
    }
    return endpoint.toString().replaceAll("/+$", "");
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
    String place = endpoint == null ? "azure:" : service();
    return "%s/%s%s"
        .formatted(
            place,
            container,
            prefix.isEmpty() ? "" : "/" + prefix.substring(0, prefix.length() - 1));
  }

  /** The name of the blob. */
  String key(ObjectName name) {
    return prefix + name.value();
  }
}
