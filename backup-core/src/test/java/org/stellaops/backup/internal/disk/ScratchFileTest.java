package org.stellaops.backup.internal.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

class ScratchFileTest {
  @TempDir Path folder;

  @Test
  void what_was_appended_is_read_anywhere_of_a_file_without_a_name() throws IOException {
    try (ScratchFile file = ScratchFolder.in(folder).create()) {
      file.append("0123456789".getBytes(StandardCharsets.US_ASCII), 2, 5);
      byte[] some = new byte[3];
      file.read(1, some, 3);
      assertArrayEquals("345".getBytes(StandardCharsets.US_ASCII), some);
      file.append("x".getBytes(StandardCharsets.US_ASCII), 0, 1);
      file.read(4, some, 2);
      assertArrayEquals("6x5".getBytes(StandardCharsets.US_ASCII), some);
      assertEquals(6, file.lengthBytes());
      try (var files = Files.list(folder)) {
        assertEquals(0, files.count());
      }
    }
  }

  @Test
  void only_its_owner_may_read_it_wherever_it_is() throws IOException {
    for (ScratchFolder where : List.of(ScratchFolder.in(folder), ScratchFolder.temporary())) {
      Set<Path> before = open();
      try (ScratchFile file = where.create()) {
        file.append(new byte[1], 0, 1);
        Set<Path> now = open();
        now.removeAll(before);
        assertEquals(1, now.size(), now.toString());
        for (Path one : now) {
          assertEquals(
              "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(one)));
        }
      }
    }
  }

  /** Regular files without a name that this process has open, as Linux shows them (proc(5)). */
  private static Set<Path> open() throws IOException {
    Set<Path> open = new HashSet<>();
    try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors) {
        if (Files.isRegularFile(descriptor)
            && Files.readSymbolicLink(descriptor).toString().contains("scratch")) {
          open.add(descriptor);
        }
      }
    }
    return open;
  }

  @Test
  void what_is_not_there_any_more_is_told_as_a_failure_of_the_workspace() throws IOException {
    try (ScratchFile file = ScratchFolder.temporary().create()) {
      file.append(new byte[10], 0, 10);
      var e = assertThrows(BackupException.Refused.class, () -> file.read(5, new byte[6], 6));
      assertSame(CoreFailure.WORKSPACE_FAILED, e.code());
      assertEquals(1, e.getSuppressed().length);
    }
  }

  /** full(4): whatever is written there fails as it does on a full disk. */
  @Test
  void a_full_disk_is_told_with_what_to_do() throws IOException {
    Path full = Files.createSymbolicLink(folder.resolve("scratch-full"), Path.of("/dev/full"));
    try (ScratchFile file = ScratchFile.of(full)) {
      assertFalse(Files.exists(full, LinkOption.NOFOLLOW_LINKS));
      var e = assertThrows(BackupException.Refused.class, () -> file.append(new byte[10], 0, 10));
      assertSame(CoreFailure.WORKSPACE_FAILED, e.code());
      assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
      assertTrue(e.getMessage().contains("hint: free space"), e.getMessage());
      assertEquals(0, file.lengthBytes());
    }
  }
}
