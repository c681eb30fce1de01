package org.stellaops.backup.storage.azure;

import java.io.IOException;

/** Makes requests and names what failed. */
final class AzureRequests {
  private final AzureFailures failures;
  private final Attempts attempts;

  AzureRequests(AzureFailures failures, Attempts attempts) {
    this.failures = failures;
    this.attempts = attempts;
  }

  AzureFailures failures() {
    return failures;
  }

  /**
   * One request, made again when it failed in a way that may pass; so it must be one that can be
   * made again.
   *
   * @param right what the credential must be allowed
   */
  <T> T send(String tried, String right, Request<T> request) throws IOException {
    return attempts.make(() -> once(tried, right, request));
  }

  private <T> T once(String tried, String right, Request<T> request) throws IOException {
    try {
      return request.send();
    } catch (RuntimeException e) {
      throw failures.translate(tried, right, e);
    }
  }

  @FunctionalInterface
  interface Request<T> {
    T send() throws IOException;
  }
}
