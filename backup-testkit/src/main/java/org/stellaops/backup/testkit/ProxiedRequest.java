package org.stellaops.backup.testkit;

import java.util.Map;
import java.util.Optional;

/**
 * A request that came to a {@link FaultyProxy}.
 *
 * @param number from 0, in the order in which requests came
 * @param method {@code PUT}
 * @param path as the client wrote it, with its escapes and without the query
 * @param query what follows the question mark, as the client wrote it; empty if there is none
 * @param headers by name in lower case; of a repeated one the last
 */
public record ProxiedRequest(
    long number, String method, String path, String query, Map<String, String> headers) {
  public ProxiedRequest {
    headers = Map.copyOf(headers);
  }

  /** What a header says. */
  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }

  /** Without the headers: some of them are credentials. */
  @Override
  public String toString() {
    return "request %d, %s %s%s"
        .formatted(number, method, path, query.isEmpty() ? "" : "?" + query);
  }
}
