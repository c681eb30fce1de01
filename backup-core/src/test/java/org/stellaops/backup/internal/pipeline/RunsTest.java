package org.stellaops.backup.internal.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class RunsTest {
  private final Runs runs = new Runs();

  @Test
  void neighbours_are_one_run() {
    runs.add(new ChunkPlace(3, 0, 10, 100));
    runs.add(new ChunkPlace(3, 10, 20, 200));
    runs.add(new ChunkPlace(3, 30, 5, 50));
    assertEquals(1, runs.size());
    assertEquals(new Run(3, 0, 35, 350), runs.get(0));
  }

  @Test
  void a_gap_a_step_back_and_another_pack_begin_a_run() {
    runs.add(new ChunkPlace(3, 0, 10, 100));
    runs.add(new ChunkPlace(3, 11, 10, 100));
    runs.add(new ChunkPlace(3, 11, 10, 100));
    runs.add(new ChunkPlace(4, 21, 10, 100));
    assertEquals(4, runs.size());
    assertEquals(40, runs.storedBytes());
    assertEquals(400, runs.plainBytes());
  }

  @Test
  void places_at_the_limits_survive() {
    Run large = new Run(Integer.MAX_VALUE, (64 << 20) - 1, 64 << 20, Integer.MAX_VALUE);
    runs.add(
        new ChunkPlace(
            large.pack(), large.offset(), large.storedBytes(), (int) large.plainBytes()));
    assertEquals(large, runs.get(0));
  }

  @Test
  void many_runs_are_kept_in_order() {
    for (int i = 0; i < 10_000; i++) {
      runs.add(new ChunkPlace(i, 2 * i, 1, i + 1));
    }
    assertEquals(10_000, runs.size());
    for (int i = 0; i < 10_000; i++) {
      assertEquals(new Run(i, 2 * i, 1, i + 1), runs.get(i));
    }
  }
}
