package org.stellaops.backup.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.disk.SyncQueue;
import org.stellaops.backup.testkit.OpenFiles;

class SyncQueueTest {
  @TempDir Path temp;

  @Test
  void many_files_are_durable_and_closed_when_it_is_finished() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    try (var queue = new SyncQueue(pool)) {
      for (int i = 0; i < 300; i++) {
        FileOutputStream file = PrivateFiles.create(temp.resolve("f" + i));
        file.write(i);
        queue.add(file);
      }
      queue.finish();
      OpenFiles.assertNoneBelow(temp);
    } finally {
      pool.shutdownNow();
    }
    try (var files = Files.list(temp)) {
      assertEquals(300, files.count());
    }
  }

  @Test
  void a_file_that_cannot_be_made_durable_fails_it() throws Exception {
    FileOutputStream closed = PrivateFiles.create(temp.resolve("a"));
    closed.close();
    List<Runnable> tasks = new ArrayList<>();
    try (var queue = new SyncQueue(tasks::add)) {
      queue.add(closed);
      tasks.forEach(Runnable::run);
      assertThrows(IOException.class, queue::finish);
    }
  }

  @Test
  void a_channel_is_synced_and_closed_and_one_that_cannot_be_fails_it() throws Exception {
    FileChannel directory = FileChannel.open(temp, StandardOpenOption.READ);
    FileChannel closed = FileChannel.open(temp, StandardOpenOption.READ);
    closed.close();
    List<Runnable> tasks = new ArrayList<>();
    try (var queue = new SyncQueue(tasks::add)) {
      queue.add(directory);
      tasks.remove(0).run();
      assertFalse(directory.isOpen());
      queue.finish();
      queue.add(closed);
      tasks.remove(0).run();
      assertThrows(IOException.class, queue::finish);
    }
  }

  @Test
  void a_file_is_closed_where_nobody_takes_it() throws Exception {
    FileOutputStream file = PrivateFiles.create(temp.resolve("a"));
    try (var queue =
        new SyncQueue(
            task -> {
              throw new RejectedExecutionException("full");
            })) {
      assertThrows(RejectedExecutionException.class, () -> queue.add(file));
    }
    OpenFiles.assertNoneBelow(temp);
  }
}
