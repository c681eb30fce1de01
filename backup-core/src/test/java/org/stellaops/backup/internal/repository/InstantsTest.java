package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InstantsTest {
  private static Optional<Instant> read(String text, boolean isOurs) {
    try {
      return Optional.of(isOurs ? Instants.parse(text) : Instant.parse(text));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "2026-11-20T02:00:07Z",
        "2026-11-20T02:00:07.1Z",
        "2026-11-20T02:00:07.120Z",
        "2026-11-20T02:00:07.123456789Z",
        "2026-11-20T02:00:07.1234567891Z",
        "2026-11-20T02:00:07.Z",
        "2026-11-20T02:00:07,1Z",
        "2026-11-20T02:00:07",
        "2026-11-20T02:00:07z",
        "2026-11-20T02:00Z",
        "2026-11-20 02:00:07Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T23:59:60Z",
        "2026-11-20T25:00:00Z",
        "2026-02-29T00:00:00Z",
        "2024-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "-2026-11-20T02:00:07Z",
        "+12026-11-20T02:00:07Z",
        "2026-11-20T02:00:07+01:00",
        "2026-11-20T02:00:0\u0667Z",
        "",
        "Z"
      })
  void what_is_read_is_what_the_library_reads(String text) {
    assertEquals(read(text, false), read(text, true), text);
  }

  @Test
  void every_instant_that_is_written_is_read() {
    Random random = new Random(7);
    for (int i = 0; i < 2000; i++) {
      Instant instant =
          Instant.ofEpochSecond(
              random.nextLong(-10_000_000_000L, 100_000_000_000L),
              random.nextInt(i % 3 == 0 ? 1 : 1_000_000_000));
      assertEquals(instant, Instants.parse(instant.toString()));
    }
  }
}
