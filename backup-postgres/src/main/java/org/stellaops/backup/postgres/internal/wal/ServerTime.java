package org.stellaops.backup.postgres.internal.wal;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * PostgreSQL's clock: microseconds since the beginning of 2000, UTC
 * (src/include/datatype/timestamp.h).
 */
public final class ServerTime {
  private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

  private ServerTime() {}

  /** The instant of a number. */
  public static Instant instant(long micros) {
    return EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  /** The number of an instant. */
  public static long micros(Instant instant) {
    return ChronoUnit.MICROS.between(EPOCH, instant);
  }
}
