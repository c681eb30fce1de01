package org.stellaops.backup.postgres.internal.restore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EarlySyncTest {
  private static final int MANY_BYTES = 32 << 20;

  @TempDir Path directory;
  private final List<Runnable> tasks = new ArrayList<>();

  private FileChannel open() throws Exception {
    return FileChannel.open(
        directory.resolve("file"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  @Test
  void a_long_file_is_synced_one_stretch_at_a_time_and_a_short_one_never() throws Exception {
    try (FileChannel file = open();
        EarlySync sync = new EarlySync(file, tasks::add)) {
      sync.written(MANY_BYTES - 1);
      assertEquals(0, tasks.size());
      sync.written(1);
      assertEquals(1, tasks.size());
      sync.written(MANY_BYTES);
      assertEquals(1, tasks.size(), "the first is still under way");
      tasks.remove(0).run();
      sync.written(1);
      assertEquals(1, tasks.size());
      tasks.remove(0).run();
    }
  }

  @Test
  void what_could_not_be_synced_fails_the_next_write_or_the_end() throws Exception {
    FileChannel file = open();
    file.close();
    EarlySync sync = new EarlySync(file, tasks::add);
    sync.written(MANY_BYTES);
    tasks.remove(0).run();
    assertThrows(ClosedChannelException.class, () -> sync.written(MANY_BYTES));
    sync.written(MANY_BYTES);
    tasks.remove(0).run();
    assertThrows(ClosedChannelException.class, sync::close);
  }
}
