package org.stellaops.backup.postgres.internal.receive;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.stellaops.backup.postgres.internal.receive.ArchiveEndpoint.Arrival;
import org.stellaops.backup.spi.StreamSession;

/** One session of accepting what a server archives, until it is stopped. */
public final class ArchiveReceiving {
  /** How often it is looked whether to stop, and whether a client is too slow. */
  private static final Duration LOOK_EVERY = Duration.ofMillis(200);

  private final ArchiveSettings settings;
  private final StreamSession session;

  /** For one call of {@code follow}. */
  public ArchiveReceiving(ArchiveSettings settings, StreamSession session) {
    this.settings = settings;
    this.session = session;
  }

  /** Accepts until the session stops. */
  public void run() throws IOException {
    ArchiveToken token = ArchiveToken.of(settings.tokenFile());
    byte[] buffer = new byte[WalUnit.BYTES];
    ArchiveIntake intake = new ArchiveIntake(session, settings, buffer);
    ClientPatience patience = new ClientPatience(settings.clientPatience());
    Closeable watching = session.every(LOOK_EVERY, patience);
    try (ArchiveEndpoint endpoint = new ArchiveEndpoint(settings.port(), token, patience, buffer)) {
      settings.listening().accept(endpoint.address());
      while (!session.stopping().isStopping()) {
        Optional<Arrival> arrival = endpoint.next(LOOK_EVERY);
        if (arrival.isPresent()) {
          answer(arrival.get(), intake);
        }
      }
    } finally {
      watching.close();
    }
  }

  /** Whatever goes wrong: a client that waits is answered. */
  private static void answer(Arrival arrival, ArchiveIntake intake) throws IOException {
    ArchiveAnswer answer = ArchiveAnswer.UNAVAILABLE;
    try {
      answer = intake.take(arrival);
    } finally {
      arrival.answer(answer);
    }
  }
}
