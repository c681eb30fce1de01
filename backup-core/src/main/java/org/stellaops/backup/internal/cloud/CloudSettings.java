package org.stellaops.backup.internal.cloud;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.store.RetryPolicy;

/**
 * What a sink in any cloud is told.
 *
 * @param endpoint the service's address; null for the cloud's own
 * @param prefix empty, or with a slash at the end
 * @param labels about the place
 * @param partBytes largest piece that is sent or fetched at once
 * @param timeout of a request
 * @param retry of each request
 */
public record CloudSettings(
    @Nullable URI endpoint,
    String prefix,
    Map<String, String> labels,
    int partBytes,
    Duration timeout,
    RetryPolicy retry) {
  /** More would be too much to hold in memory. */
  public static final int MAX_PART_BYTES = 256 << 20;

  private static final int STANDARD_PART_BYTES = 8 << 20;

  public CloudSettings {
    labels = Map.copyOf(labels);
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("a timeout of " + timeout);
    }
  }

  /** What holds unless something else is said. */
  public static CloudSettings standard(Duration timeout) {
    return new CloudSettings(
        null, "", Map.of(), STANDARD_PART_BYTES, timeout, RetryPolicy.STANDARD);
  }

  /** The same at another address, which begins with {@code http} and holds no credentials. */
  public CloudSettings withEndpoint(URI service) {
    return new CloudSettings(requireEndpoint(service), prefix, labels, partBytes, timeout, retry);
  }

  /**
   * The address of a service, which begins with {@code http} and holds no credentials.
   *
   * @throws IllegalArgumentException if it does not; says nothing of them
   */
  public static URI requireEndpoint(URI service) {
    String scheme = service.getScheme();
    if (!"https".equals(scheme) && !"http".equals(scheme)) {
      throw new IllegalArgumentException("an endpoint begins with https://, found " + scheme);
    }
    if (service.getRawUserInfo() != null || service.getRawQuery() != null) {
      throw new IllegalArgumentException(
          "an endpoint has no credentials in it: give them by themselves");
    }
    return service;
  }

  /**
   * The same below a folder.
   *
   * @param given without a slash at the end, as a name of an object
   */
  public CloudSettings withPrefix(String given) {
    String folder = given.isEmpty() ? "" : ObjectName.of(given).value() + "/";
    return new CloudSettings(endpoint, folder, labels, partBytes, timeout, retry);
  }

  /** The same with one more label. */
  public CloudSettings withLabel(String key, String value) {
    Map<String, String> all = new TreeMap<>(labels);
    all.put(key, value);
    return new CloudSettings(endpoint, prefix, all, partBytes, timeout, retry);
  }

  /** The same with other parts. */
  public CloudSettings withPartBytes(int bytes) {
    return new CloudSettings(endpoint, prefix, labels, bytes, timeout, retry);
  }

  /** The same with other attempts. */
  public CloudSettings withRetry(RetryPolicy policy) {
    return new CloudSettings(endpoint, prefix, labels, partBytes, timeout, policy);
  }

  /** The same with another timeout of requests. */
  public CloudSettings withTimeout(Duration request) {
    return new CloudSettings(endpoint, prefix, labels, partBytes, request, retry);
  }

  /** The endpoint without a slash at the end, or what stands for the cloud's own. */
  public String service(String standard) {
    return endpoint == null ? standard : endpoint.toString().replaceAll("/+$", "");
  }

  /** The prefix as it stands at the end of an address: empty, or with a slash before it. */
  public String folder() {
    return prefix.isEmpty() ? "" : "/" + prefix.substring(0, prefix.length() - 1);
  }

  /** What an object is called in the cloud. */
  public String key(ObjectName name) {
    return prefix + name.value();
  }
}
