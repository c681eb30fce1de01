package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.ObjectBody;

class ThrottleTest {
  private static final int A_SECOND = 10_000;

  private final List<Duration> waits = new ArrayList<>();
  private long now = 5;
  private final Throttle throttle = new Throttle(A_SECOND, () -> now);

  private void await(Duration time) {
    waits.add(time);
    now += time.toNanos();
  }

  private byte[] read(ObjectBody body) throws IOException {
    try (InputStream in = body.open()) {
      return in.readAllBytes();
    }
  }

  @Test
  void what_passes_takes_as_long_as_the_rate_says_and_stays_the_same() throws IOException {
    byte[] bytes = new byte[35_000];
    bytes[34_999] = 7;
    ObjectBody body = ObjectBody.of(bytes);
    ObjectBody paced = throttle.paced(body, this::await);
    assertEquals(body.lengthBytes(), paced.lengthBytes());
    assertEquals(body.digest(), paced.digest());
    assertArrayEquals(bytes, read(paced));
    assertEquals(Duration.ofMillis(3_500), Duration.ofNanos(now - 5));
  }

  @Test
  void no_wait_is_longer_than_a_fraction_of_a_second_so_that_it_can_be_stopped()
      throws IOException {
    read(throttle.paced(ObjectBody.of(new byte[35_000]), this::await));
    assertTrue(waits.size() >= 28, waits.toString());
    assertTrue(waits.stream().allMatch(w -> w.compareTo(Duration.ofMillis(125)) <= 0));
  }

  @Test
  void all_who_share_it_together_have_the_rate() throws IOException {
    List<Duration> others = new ArrayList<>();
    throttle.pass(5_000, others::add);
    throttle.pass(5_000, others::add);
    throttle.pass(1_000, others::add);
    // Nobody has waited yet: each stands behind the other.
    assertEquals(
        List.of(Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofMillis(1_100)), others);
  }

  @Test
  void what_was_not_used_is_not_made_up_for() throws IOException {
    now += Duration.ofHours(1).toNanos();
    throttle.pass(5_000, this::await);
    assertEquals(List.of(Duration.ofMillis(500)), waits);
  }

  @Test
  void a_stop_ends_the_wait() {
    BackupException.Stopped stop =
        new BackupException.Stopped(CoreFailure.CANCELLED, "the run was cancelled");
    ObjectBody paced =
        throttle.paced(
            ObjectBody.of(new byte[35_000]),
            time -> {
              throw stop;
            });
    assertSame(stop, assertThrows(BackupException.Stopped.class, () -> read(paced)));
  }

  @Test
  void without_a_limit_nothing_waits() throws IOException {
    ObjectBody body = ObjectBody.of(new byte[35_000]);
    assertSame(body, new Throttle(Long.MAX_VALUE, () -> now).paced(body, this::await));
  }
}
