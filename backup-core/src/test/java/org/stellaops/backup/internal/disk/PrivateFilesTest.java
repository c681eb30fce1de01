package org.stellaops.backup.internal.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFilesTest {
  @TempDir Path temp;
  private Path real;
  private Path link;
  private Path dangling;

  @BeforeEach
  void links() throws Exception {
    real = Files.createDirectory(temp.resolve("real"));
    link = Files.createSymbolicLink(temp.resolve("link"), real);
    dangling = Files.createSymbolicLink(temp.resolve("dangling"), temp.resolve("nowhere"));
  }

  @Test
  void one_directory_is_new_or_refused() throws Exception {
    for (Path there : new Path[] {real, link, dangling}) {
      assertThrows(FileAlreadyExistsException.class, () -> PrivateFiles.createShared(there));
    }
    assertThrows(NoSuchFileException.class, () -> PrivateFiles.createShared(temp.resolve("a/b")));
    PrivateFiles.createShared(temp.resolve("a"));
    assertTrue(Files.isDirectory(temp.resolve("a")));
  }

  @Test
  void all_above_it_are_made_and_a_link_to_a_directory_is_one() throws Exception {
    PrivateFiles.createAllShared(real);
    PrivateFiles.createAllShared(link);
    PrivateFiles.createAllShared(link.resolve("a/b"));
    assertTrue(Files.isDirectory(real.resolve("a/b")));
    assertEquals(real, Files.readSymbolicLink(link));
    assertThrows(FileAlreadyExistsException.class, () -> PrivateFiles.createAllShared(dangling));
    assertThrows(
        FileAlreadyExistsException.class,
        () -> PrivateFiles.createAllShared(Files.createFile(temp.resolve("file"))));
  }
}
