package org.stellaops.backup.postgres.internal.wal;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * PostgreSQL's clock: microseconds since the beginning of 2000, UTC
 * (src/include/datatype/timestamp.h).
 */
public final class ServerTime {
  /** 2000-01-01T00:00:00Z. */
  private static final long EPOCH_SECOND = 946_684_800;

  private static final Instant EPOCH = Instant.ofEpochSecond(EPOCH_SECOND);
  private static final int MICROS = 1_000_000;

  private ServerTime() {}

  /** The instant of a number. */
  public static Instant instant(long micros) {
    return Instant.ofEpochSecond(
        EPOCH_SECOND + Math.floorDiv(micros, MICROS), Math.floorMod(micros, MICROS) * 1000L);
  }

  /** The number of an instant. */
  public static long micros(Instant instant) {
    return ChronoUnit.MICROS.between(EPOCH, instant);
  }
}
