package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.testkit.MemorySink;
import org.stellaops.backup.testkit.OpenFiles;

/** A writer whose repository is not where it was: the volume is not mounted, or another one is. */
class MissingSinkIT {
  private static final BytesSource SOURCE = BytesSource.of("a", Fixture.random(1, 5_000));

  @TempDir Path root;
  private Path volume;
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void backUpOnce() throws IOException {
    owner = AgeIdentity.generate();
    volume = Files.createDirectory(root.resolve("volume"));
    host =
        new Host(
            root.resolve("host"),
            owner.recipient(),
            DirectorySink.at(volume.resolve("repository")));
    host.backUp(SOURCE, "first");
  }

  @AfterEach
  void nothingIsOpen() throws IOException {
    owner.close();
    OpenFiles.assertNoneBelow(root);
  }

  private void assertNotThere() throws IOException {
    List<Path> before = below(volume);
    byte[] keys = Files.readAllBytes(host.directory.resolve("writer.key"));
    var e = assertThrows(BackupException.Sink.class, () -> host.backUp(SOURCE, "second"));
    assertSame(CoreFailure.SINK_NOT_THERE, e.code());
    assertEquals(before, below(volume), "nothing was created");
    assertArrayEquals(
        keys, Files.readAllBytes(host.directory.resolve("writer.key")), "still bound to it");
  }

  private static List<Path> below(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> paths = Files.walk(directory)) {
      return paths.sorted().toList();
    }
  }

  @Test
  void a_volume_that_is_not_mounted_is_told_and_nothing_is_created_there() throws Exception {
    Path elsewhere = root.resolve("unmounted");
    Files.move(volume, elsewhere);
    assertNotThere();
    assertFalse(Files.exists(volume));
    Files.createDirectory(volume);
    assertNotThere();
    Files.createDirectory(volume.resolve("repository"));
    assertNotThere();
    Files.delete(volume.resolve("repository"));
    Files.delete(volume);
    Files.move(elsewhere, volume);
    host.backUp(SOURCE, "second").requireGood();
    assertTrue(host.isThereAndComplete("first", SOURCE, owner));
  }

  @Test
  void a_repository_of_somebody_else_is_not_written_to() throws Exception {
    var other = new MemorySink();
    Host stranger = new Host(root.resolve("stranger"), owner.recipient(), other);
    stranger.backUp(SOURCE, "theirs");
    var before = other.snapshot().keySet();
    var e = assertThrows(BackupException.Refused.class, () -> host.backUp(SOURCE, "mine", other));
    assertSame(CoreFailure.WRONG_REPOSITORY, e.code());
    assertEquals(before, other.snapshot().keySet());
    other.assertNothingOpen();
  }
}
