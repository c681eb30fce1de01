package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.postgres.fixture.SyntheticWal;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;

/** On what the earliest instant rests to which a capture can be recovered. */
class IncludedWalTest {
  private static final Instant CHECKPOINT = Instant.parse("2026-01-02T03:04:05Z");
  private static final Instant OUR_CLOCK = CHECKPOINT.plusSeconds(7200);
  private static final SegmentSize SIZE = SegmentSize.DEFAULT;

  private final SyntheticWal wal = new SyntheticWal(new Lsn(SIZE.bytes()), SIZE.bytes(), 1);

  @Test
  void that_of_a_standby_on_the_time_of_its_checkpoint_where_nothing_was_committed_since()
      throws IOException {
    wal.checkpoint(CHECKPOINT);

    assertEquals(CHECKPOINT.plusSeconds(2), earliest(true, CHECKPOINT.plusSeconds(600)));
  }

  @Test
  void that_of_a_standby_on_the_last_commit_which_may_be_ahead_of_its_clock() throws IOException {
    wal.checkpoint(CHECKPOINT);
    wal.commit(700, CHECKPOINT.plusSeconds(300));
    wal.commit(701, CHECKPOINT.plusSeconds(299));

    assertEquals(CHECKPOINT.plusSeconds(300), earliest(true, CHECKPOINT.plusSeconds(60)));
  }

  @Test
  void that_of_a_primary_on_its_clock_and_not_on_a_checkpoint() throws IOException {
    wal.checkpoint(CHECKPOINT);

    assertEquals(CHECKPOINT.plusSeconds(1), earliest(false, CHECKPOINT));
  }

  /**
   * @param label when the server that sends made its label, by its clock
   */
  private Instant earliest(boolean isOfStandby, Instant label) throws IOException {
    IncludedWal included =
        new IncludedWal(new WalOrigin(17, SyntheticWal.SYSTEM, SIZE, 1), isOfStandby);
    included.begin("backup_label", label);
    included.begin("pg_wal/000000010000000000000001", label);
    byte[] bytes = wal.bytes();
    included.content(bytes, 0, bytes.length);
    return included.recoverableFrom(OUR_CLOCK);
  }
}
