package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.SnapshotRef;

/** Runs after the first begin with the cuts of the one before; what is stored is the same. */
class SecondRunIT {
  private static final int BYTES = 14 << 20;

  @TempDir Path root;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void every_run_is_restored_as_it_was_and_stores_what_changed(long seed) throws Exception {
    Random random = new Random(seed);
    byte[] content = Fixture.random(seed, BYTES);
    try (DamagedRepository repository = new DamagedRepository(root)) {
      for (int run = 0; run < 4; run++) {
        BackupReport report = repository.backup("run-" + run, BytesSource.of("a", content));
        assertTrue(
            run == 0 || report.newBytes() <= 9 << 20,
            "seed %d run %d stored %d bytes".formatted(seed, run, report.newBytes()));
        assertArrayEquals(
            content,
            repository.restore(SnapshotRef.named("run-" + run)).restored.get("a"),
            "seed " + seed + " run " + run);
        content = edited(content, random);
      }
    }
  }

  /** A few thousand bytes more, less or different. */
  private static byte[] edited(byte[] content, Random random) {
    int at = random.nextInt(content.length - 5000);
    int removed = random.nextInt(5000);
    byte[] added = new byte[random.nextInt(5000)];
    random.nextBytes(added);
    byte[] edited = Arrays.copyOf(content, content.length - removed + added.length);
    System.arraycopy(added, 0, edited, at, added.length);
    System.arraycopy(
        content, at + removed, edited, at + added.length, content.length - at - removed);
    return edited;
  }
}
