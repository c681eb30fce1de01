package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.bundle.BundleReport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.testkit.MemorySink;

/** A bundle on a real file system that is too small or read-only; root mounts it. */
@Tag("interop")
class BundleMediumIT {
  private static final SnapshotRef SNAPSHOT = SnapshotRef.named("only");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(2, 12 << 20));
  private Path medium;
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void mount() throws Exception {
    medium = Files.createDirectory(root.resolve("medium"));
    run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", medium.toString());
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    host.backUp(source, "only").requireGood();
  }

  @AfterEach
  void unmount() throws Exception {
    owner.close();
    run("umount", medium.toString());
    sink.assertNothingOpen();
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
  }

  private Path file() {
    return medium.resolve("backup.enc");
  }

  private BundleReport write(long volumeBytes) throws Exception {
    try (BackupRepository repository = host.repository(owner)) {
      return repository.writeBundle(BundleRequest.of(file(), SNAPSHOT).volumeBytes(volumeBytes));
    }
  }

  private List<Path> files() throws Exception {
    try (Stream<Path> files = Files.list(medium)) {
      return files.toList();
    }
  }

  @Test
  void a_full_medium_keeps_nothing_and_a_larger_one_takes_the_bundle() throws Exception {
    for (long volumeBytes : new long[] {1 << 20, 1 << 30}) {
      var e = assertThrows(BackupException.Sink.class, () -> write(volumeBytes));
      assertSame(CoreFailure.SINK_FULL, e.code(), e::toString);
      assertEquals(List.of(), files());
    }
    run("mount", "-o", "remount,size=64m", medium.toString());
    assertTrue(write(1 << 20).volumes().size() > 10);
    assertEquals(List.of(), OfflineBundle.at(file()).damage());
    try (BackupRepository bundle =
        BackupRepository.at(OfflineBundle.at(file())).identity(owner).open()) {
      Host.assertRestores(bundle, SNAPSHOT, source.artifacts());
    }
  }

  @Test
  void a_medium_that_is_read_only_is_denied() throws Exception {
    run("mount", "-o", "remount,ro", medium.toString());
    var e = assertThrows(BackupException.Sink.class, () -> write(1 << 20));
    assertSame(CoreFailure.SINK_DENIED, e.code(), e::toString);
    assertEquals(List.of(), files());
  }
}
