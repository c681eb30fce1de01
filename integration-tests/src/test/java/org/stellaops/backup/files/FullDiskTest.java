package org.stellaops.backup.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;

/** A real file system that is full or read-only; root mounts it. */
@Tag("interop")
class FullDiskTest {
  @TempDir Path temp;

  private Path disk;

  @BeforeEach
  void mount() throws Exception {
    disk = Files.createDirectory(temp.resolve("disk"));
    run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.toString());
  }

  @AfterEach
  void unmount() throws Exception {
    run("umount", disk.toString());
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }

  private static Reason put(ObjectStore store, String name, int bytes) {
    return assertThrows(
            BackupException.Sink.class,
            () -> store.put(ObjectName.of(name), ObjectBody.of(new byte[bytes])))
        .reason();
  }

  @Test
  void a_full_disk_is_told_and_leaves_nothing() throws Exception {
    try (ObjectStore store = DirectorySink.at(disk.resolve("store")).open(StoreContext.system())) {
      assertEquals(Reason.NO_SPACE, put(store, "large", 2 << 20));
      assertEquals(List.of(), store.list("", PageToken.START).objects());
      store.put(ObjectName.of("small"), ObjectBody.of(new byte[100_000]));
      assertEquals(1, store.list("", PageToken.START).objects().size());
    }
    assertEquals(1, Tree.of(disk.resolve("store")).size());
  }

  @Test
  void a_disk_that_became_read_only_is_denied() throws Exception {
    try (ObjectStore store = DirectorySink.at(disk.resolve("store")).open(StoreContext.system())) {
      store.put(ObjectName.of("a"), ObjectBody.of(new byte[1]));
    }
    run("mount", "-o", "remount,ro", disk.toString());
    try (ObjectStore store = DirectorySink.at(disk.resolve("store")).open(StoreContext.system())) {
      assertEquals(Reason.DENIED, put(store, "b", 1));
      assertEquals(1, store.list("", PageToken.START).objects().size());
    }
  }
}
