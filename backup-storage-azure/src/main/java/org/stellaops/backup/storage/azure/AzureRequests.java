package org.stellaops.backup.storage.azure;

import java.io.IOException;
import org.stellaops.backup.internal.cloud.Attempts;
import org.stellaops.backup.internal.cloud.Gate;
import org.stellaops.backup.internal.cloud.Request;
import org.stellaops.backup.internal.cloud.StoreFailures;
import org.stellaops.backup.spi.Stopping;

/** Makes requests and names what failed. */
final class AzureRequests {
  private final Gate gate = new Gate();
  private final StoreFailures failures;
  private final AzureFailures answers;
  private final Attempts attempts;

  AzureRequests(AzureSettings settings, Stopping stopping) {
    this.failures = new StoreFailures(settings.describe());
    this.answers = new AzureFailures(failures);
    this.attempts = new Attempts(settings.cloud().retry(), stopping, gate);
  }

  StoreFailures failures() {
    return failures;
  }

  Gate gate() {
    return gate;
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
      throw answers.translate(tried, right, e);
    }
  }
}
