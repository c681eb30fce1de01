package org.stellaops.backup.internal.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.stellaops.backup.internal.repository.StreamSamples.TIME;
import static org.stellaops.backup.internal.repository.StreamSamples.at;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamStatus.State;
import org.stellaops.backup.spi.BackupListener;

@Timeout(60)
class StreamProgressTest {
  private static final BackupException PROBLEM =
      new BackupException.Source(CoreFailure.SOURCE_FAILED, "the line was cut");

  private final List<Finding> heard = new ArrayList<>();
  private Instant now = TIME;
  private final StreamProgress progress =
      new StreamProgress(
          SourceName.of("wal"),
          () -> now,
          new Listeners(
              List.of(
                  new BackupListener() {
                    @Override
                    public void streamFound(SourceName stream, Finding finding) {
                      heard.add(finding);
                    }
                  })));

  private static Finding finding(int subject, String detail) {
    return new Finding(CoreFailure.SOURCE_FAILED, "subject " + subject, detail);
  }

  private boolean isDurable(Position position) throws InterruptedException {
    return progress.await(position, Duration.ZERO);
  }

  @Test
  void it_begins_by_following() {
    assertEquals(State.FOLLOWING, progress.status().state());
    assertEquals(TIME, progress.status().since());
    assertEquals(Optional.empty(), progress.status().durable());
  }

  @Test
  void since_changes_only_with_the_state() {
    now = TIME.plusSeconds(5);
    progress.turn(State.WAITING, Optional.of(PROBLEM));
    now = TIME.plusSeconds(9);
    progress.turn(State.WAITING, Optional.of(PROBLEM));
    assertEquals(TIME.plusSeconds(5), progress.status().since());
    assertEquals(Optional.of(PROBLEM), progress.status().problem());
  }

  @Test
  void who_records_again_follows_again_without_a_problem() {
    progress.turn(State.WAITING, Optional.of(PROBLEM));
    progress.durable(Optional.of(at(1, 5)));
    assertEquals(State.FOLLOWING, progress.status().state());
    assertEquals(Optional.empty(), progress.status().problem());
    assertEquals(Optional.of(at(1, 5)), progress.status().durable());
  }

  @Test
  void the_newest_finding_of_a_subject_counts_and_all_are_heard() {
    progress.found(finding(1, "first"));
    progress.found(finding(2, "other"));
    progress.found(finding(1, "second"));
    assertEquals(List.of(finding(2, "other"), finding(1, "second")), progress.status().findings());
    assertEquals(3, heard.size());
  }

  @Test
  void findings_do_not_grow_without_end() {
    for (int i = 0; i < 1000; i++) {
      progress.found(finding(i, "x"));
    }
    assertEquals(100, progress.status().findings().size());
    assertEquals(finding(999, "x"), progress.status().findings().get(99));
    assertEquals(1000, heard.size());
  }

  @Test
  void lag_is_what_was_said_last() {
    progress.lag(7, Duration.ofSeconds(3));
    assertEquals(7, progress.status().lagBytes());
    assertEquals(Duration.ofSeconds(3), progress.status().lagTime());
  }

  @Test
  void what_is_durable_is_so_up_to_its_place_on_its_branch_and_on_earlier_ones() throws Exception {
    progress.durable(Optional.of(at(2, Long.MIN_VALUE)));
    assertTrue(isDurable(at(2, Long.MIN_VALUE)));
    assertTrue(isDurable(at(2, 5)));
    assertTrue(isDurable(at(1, 5)));
    assertFalse(isDurable(at(2, -1)));
    assertFalse(isDurable(at(3, 5)));
    assertFalse(isDurable(new Position("other", 1, 5, "0/5")));
  }

  @Test
  void waiting_ends_when_it_is_durable() throws Exception {
    var waiting = CompletableFuture.supplyAsync(() -> awaits(at(1, 10), Duration.ofDays(400_000)));
    progress.durable(Optional.of(at(1, 5)));
    progress.durable(Optional.of(at(1, 10)));
    assertTrue(waiting.get());
  }

  @Test
  void waiting_ends_when_the_stream_does() throws Exception {
    var waiting = CompletableFuture.supplyAsync(() -> awaits(at(1, 10), Duration.ofDays(1)));
    progress.turn(State.FAILED, Optional.of(PROBLEM));
    assertFalse(waiting.get());
    assertFalse(awaits(at(1, 10), Duration.ofDays(1)));
  }

  private boolean awaits(Position position, Duration within) {
    try {
      return progress.await(position, within);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
