package org.stellaops.backup.postgres.internal.receive;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;

/**
 * Tells a server that has nothing to say from one that is gone: it is asked, and has to answer. The
 * time counts from the question, so that neither a store that took long nor a clock that was set
 * makes a server look dead.
 */
final class ServerSilence {
  /** A server that said nothing for so long is asked. */
  static final Duration ASK_AFTER = Duration.ofSeconds(30);

  /** A server that was asked answers within this time. */
  static final Duration ANSWER_WITHIN = Duration.ofSeconds(30);

  private final PostgresConnection connection;
  private Instant heard;
  private @Nullable Instant asked;

  ServerSilence(PostgresConnection connection, Instant now) {
    this.connection = connection;
    this.heard = now;
  }

  /** The server said something. */
  void heard(Instant now) {
    heard = now;
    asked = null;
  }

  /**
   * The server said nothing.
   *
   * @return whether it is to be asked now
   * @throws BackupException.Source CONNECTION_LOST if it was asked and did not answer
   */
  boolean isToBeAsked(Instant now) throws BackupException.Source {
    Instant question = asked;
    if (question != null && now.isAfter(question.plus(ANSWER_WITHIN))) {
      throw new BackupException.Source(
          PostgresFailure.CONNECTION_LOST,
          "connection to %s was lost: asked whether it is there, the server said nothing for %d s"
              .formatted(connection, ANSWER_WITHIN.toSeconds()));
    }
    boolean isToBeAsked = question == null && !now.isBefore(heard.plus(ASK_AFTER));
    if (isToBeAsked) {
      asked = now;
    }
    return isToBeAsked;
  }
}
