package org.stellaops.backup.storage.s3;

import org.stellaops.backup.internal.cloud.Gate;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.Stopping;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;

/** A gate that learns from every reply that the SDK gets, also from those that it tries again. */
final class S3Gate implements ExecutionInterceptor {
  private final Gate gate = new Gate();

  /** Waits for a place. */
  void enter(Stopping stopping) throws BackupException.Stopped {
    gate.enter(stopping);
  }

  /** Gives the place back. */
  void leave() {
    gate.leave();
  }

  /** How many may be under way. */
  int limit() {
    return gate.limit();
  }

  @Override
  public void afterTransmission(Context.AfterTransmission context, ExecutionAttributes attributes) {
    int status = context.httpResponse().statusCode();
    if (status == 503 || status == 429) {
      gate.slower();
    } else if (status < 400) {
      gate.faster();
    }
  }
}
