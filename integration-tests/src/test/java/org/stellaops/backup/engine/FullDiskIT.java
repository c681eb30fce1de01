package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;

/** A whole run against a real file system that is full or read-only; root mounts it. */
@Tag("interop")
class FullDiskIT {
  private static final BytesSource SMALL = BytesSource.of("a", Fixture.random(1, 100_000));
  private static final BytesSource LARGE = BytesSource.of("a", Fixture.random(2, 40 << 20));

  @TempDir Path root;
  private Path disk;
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void mount() throws Exception {
    disk = Files.createDirectory(root.resolve("disk"));
    run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk.toString());
    owner = AgeIdentity.generate();
    host =
        new Host(
            root.resolve("host"), owner.recipient(), DirectorySink.at(disk.resolve("repository")));
    host.backUp(SMALL, "first").requireGood();
  }

  @AfterEach
  void unmount() throws Exception {
    owner.close();
    run("umount", disk.toString());
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }

  /** Only the first snapshot is there, and it is sound. */
  private void assertOnlyTheFirst() throws Exception {
    try (BackupRepository repository = host.repository(owner)) {
      assertEquals(
          List.of("first"),
          repository.catalog().list(SnapshotFilter.all()).stream()
              .map(s -> s.name().value())
              .toList());
      assertTrue(repository.check(Verification.full(owner)).isIntact());
    }
    assertTrue(host.isThereAndComplete("first", SMALL, owner));
    host.assertWorkspaceClean();
  }

  @Test
  void a_run_that_fills_the_disk_ends_as_full_and_what_was_there_is_sound() throws Exception {
    var e = assertThrows(BackupException.Sink.class, () -> host.backUp(LARGE, "second"));
    assertSame(CoreFailure.SINK_FULL, e.code());
    assertFalse(Files.exists(disk.resolve("repository/tmp")), "nothing half written is left");
    assertOnlyTheFirst();
    run("mount", "-o", "remount,size=96m", disk.toString());
    host.backUp(LARGE, "second").requireGood();
    assertTrue(host.isThereAndComplete("second", LARGE, owner));
  }

  @Test
  void a_disk_that_became_read_only_is_denied_and_works_when_it_is_mended() throws Exception {
    try (BackupEngine engine = host.with(LARGE, host.sink).open()) {
      run("mount", "-o", "remount,ro", disk.toString());
      var e =
          assertThrows(
              BackupException.Sink.class,
              () -> engine.backup(BackupRequest.full().named("second")));
      assertSame(CoreFailure.SINK_DENIED, e.code());
    }
    assertOnlyTheFirst();
    run("mount", "-o", "remount,rw", disk.toString());
    host.assertNextRunSucceeds(SMALL, owner);
  }

  @Test
  void digests_that_fit_neither_memory_nor_the_disk_are_told_and_leave_nothing() throws Exception {
    Files.write(disk.resolve("other"), new byte[(int) free() - (4 << 20)]);
    long before = free();
    DigestSet digests = new DigestSet(ScratchFolder.in(disk));
    var e =
        assertThrows(
            BackupException.Refused.class,
            () -> {
              for (int i = 0; i < 600_000; i++) {
                digests.put(
                    Digest.ofContent(Integer.toString(i).getBytes(StandardCharsets.US_ASCII)));
              }
            });
    assertSame(CoreFailure.WORKSPACE_FAILED, e.code());
    assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
    assertEquals(before, free());
  }

  private long free() throws Exception {
    return Files.getFileStore(disk).getUsableSpace();
  }
}
