package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

class ObjectTableTest {
  private static final int IN_MEMORY = 1 << 14;

  @TempDir Path folder;

  private static ObjectRef object(int number) {
    ByteBuffer bytes = ByteBuffer.allocate(32).putInt(number * 7919);
    Digest stored = Digest.of(bytes.array());
    return switch (number % 5) {
      case 0 -> Names.pack("host-a", stored, number);
      case 1 -> Names.manifest("host-a", stored, number);
      case 2 -> Names.state("host-a", stored, number);
      case 3 -> Names.stream("host-a", stored, number);
      default -> Names.list("host-a", stored, number);
    };
  }

  @ParameterizedTest
  @ValueSource(
      ints = {0, 1, 65, IN_MEMORY - 1, IN_MEMORY, IN_MEMORY + 1, 2 * IN_MEMORY, 2 * IN_MEMORY + 9})
  void what_was_added_comes_back_in_its_order_as_often_as_it_is_asked_for(int count)
      throws IOException {
    try (ObjectTable table = new ObjectTable("host-a", ScratchFolder.in(folder))) {
      for (int i = 0; i < count; i++) {
        table.add(object(i));
      }
      for (int round = 0; round < 2; round++) {
        AtomicInteger next = new AtomicInteger();
        table.forEach(o -> assertEquals(object(next.getAndIncrement()), o));
        assertEquals(count, next.get());
      }
    }
  }

  @Test
  void what_does_not_fit_anywhere_is_told() throws IOException {
    try (ObjectTable table = new ObjectTable("host-a", ScratchFolder.in(folder.resolve("gone")))) {
      for (int i = 0; i < IN_MEMORY; i++) {
        table.add(object(i));
      }
      var e = assertThrows(BackupException.Refused.class, () -> table.add(object(IN_MEMORY)));
      assertSame(CoreFailure.WORKSPACE_FAILED, e.code());
    }
    try (var left = Files.list(folder)) {
      assertEquals(0, left.count());
    }
  }
}
