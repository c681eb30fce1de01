package org.stellaops.backup.storage.azure;

import java.io.IOException;
import org.stellaops.backup.spi.Stopping;

/** Makes requests, one attempt each, and names what failed. */
final class AzureRequests {
  private final AzureFailures failures;
  private final Stopping stopping;

  AzureRequests(AzureFailures failures, Stopping stopping) {
    this.failures = failures;
    this.stopping = stopping;
  }

  AzureFailures failures() {
    return failures;
  }

  /**
   * One request.
   *
   * @param right what the credential must be allowed
   */
  <T> T send(String tried, String right, Request<T> request) throws IOException {
    stopping.check();
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
