package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

class DigestSetTest {
  private static final int FEW = 40;

  @TempDir Path folder;

  /** How digests are distributed: nobody has to be honest about those in names. */
  private enum Kind {
    EVEN,
    BEGINNING_ALIKE,
    ENDING_ALIKE,
    COUNTED
  }

  private static Digest digest(Kind kind, Random random) {
    byte[] bytes = new byte[32];
    random.nextBytes(bytes);
    switch (kind) {
      case BEGINNING_ALIKE -> ByteBuffer.wrap(bytes).putLong(0x8000000000000000L);
      case ENDING_ALIKE -> {
        bytes[6] = 0;
        bytes[7] = (byte) (bytes[7] & 3);
      }
      case COUNTED -> ByteBuffer.wrap(bytes).putLong(0).putLong(1 + random.nextInt(20_000));
      default -> {}
    }
    return Digest.of(bytes);
  }

  /** Two that agree in their first half are one. */
  private static String half(Digest digest) {
    return digest.hex().substring(0, 32);
  }

  private DigestSet set(int mostInMemory) {
    return new DigestSet(ScratchFolder.in(folder), mostInMemory);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, FEW, 1000, 1 << 19})
  void it_holds_what_was_added_and_nothing_else(int mostInMemory) throws IOException {
    for (Kind kind : Kind.values()) {
      Random random = new Random(mostInMemory);
      try (DigestSet set = set(mostInMemory)) {
        Set<String> model = new HashSet<>();
        List<Digest> added = new ArrayList<>();
        for (int i = 0; i < Math.min(3000, 300 * mostInMemory); i++) {
          Digest digest = digest(kind, random);
          added.add(digest);
          assertEquals(model.add(half(digest)), set.add(digest), kind + " " + i);
          assertFalse(set.add(digest));
          assertTrue(set.contains(added.get(random.nextInt(added.size()))));
          Digest other = digest(kind, random);
          assertEquals(model.contains(half(other)), set.contains(other), kind + " " + i);
        }
        assertHas(set, added, model);
        assertHas(set.settle(), added, model);
        assertNumbered(set, added, model);
      }
    }
  }

  private static void assertHas(DigestSet set, List<Digest> added, Set<String> model)
      throws IOException {
    assertEquals((long) model.size(), set.size());
    for (Digest digest : added) {
      assertTrue(set.contains(digest));
    }
    Random random = new Random(5);
    for (Kind kind : Kind.values()) {
      for (int i = 0; i < 1000; i++) {
        Digest other = digest(kind, random);
        assertEquals(model.contains(half(other)), set.contains(other));
      }
    }
  }

  private static void assertNumbered(DigestSet set, List<Digest> added, Set<String> model)
      throws IOException {
    Set<Integer> numbers = new HashSet<>();
    for (Digest digest : added) {
      int number = set.indexOf(digest);
      assertTrue(0 <= number && number < set.capacity());
      numbers.add(number);
    }
    assertEquals(model.size(), numbers.size());
    Digest other = digest(Kind.EVEN, new Random(99));
    assertEquals(-1, set.indexOf(other));
  }

  @Test
  void what_is_put_more_than_once_is_counted_once_when_it_is_settled() throws IOException {
    Random random = new Random(3);
    List<Digest> digests = new ArrayList<>();
    Set<String> model = new HashSet<>();
    try (DigestSet set = set(FEW)) {
      for (int i = 0; i < 2000; i++) {
        digests.add(digest(Kind.EVEN, random));
        model.add(half(digests.get(i)));
        set.put(digests.get(i));
        set.put(digests.get(random.nextInt(digests.size())));
      }
      assertThrows(IllegalStateException.class, set::size);
      assertHas(set.settle(), digests, model);
      assertNumbered(set, digests, model);
      // What follows it is settled, too.
      digests.add(digest(Kind.EVEN, random));
      model.add(half(digests.get(2000)));
      assertTrue(set.add(digests.get(2000)));
      assertThrows(IllegalStateException.class, () -> set.indexOf(digests.get(0)));
      assertHas(set.settle(), digests, model);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {FEW, 10_000})
  void all_of_another_one_are_put(int mostInMemory) throws IOException {
    Random random = new Random(4);
    List<Digest> digests = new ArrayList<>();
    Set<String> model = new HashSet<>();
    try (DigestSet one = set(FEW);
        DigestSet other = set(mostInMemory)) {
      for (int i = 0; i < 1000; i++) {
        Digest digest = digest(Kind.EVEN, random);
        digests.add(digest);
        model.add(half(digest));
        (i % 3 == 0 ? one : other).put(digest);
      }
      one.putAll(other);
      assertHas(one.settle(), digests, model);
    }
  }

  @Test
  void a_copy_is_added_to_and_closed_while_others_read_the_first() throws Exception {
    Random random = new Random(6);
    List<Digest> first = new ArrayList<>();
    List<Digest> later = new ArrayList<>();
    DigestSet set = set(FEW);
    for (int i = 0; i < 10 * FEW + 7; i++) {
      first.add(digest(Kind.EVEN, random));
      set.put(first.get(i));
    }
    ExecutorService readers = Executors.newFixedThreadPool(4);
    try {
      List<Future<Integer>> found = new ArrayList<>();
      DigestSet copy = set.copy();
      Callable<Integer> reader = () -> found(set, first, later);
      for (int i = 0; i < 2000; i++) {
        later.add(digest(Kind.EVEN, random));
      }
      for (int i = 0; i < 4; i++) {
        found.add(readers.submit(reader));
      }
      for (Digest digest : later) {
        copy.put(digest);
      }
      assertEquals(
          first.size() + later.size(),
          found(copy, first, List.of()) + found(copy, later, List.of()));
      copy.close();
      for (Future<Integer> each : found) {
        assertEquals(first.size() * 20, each.get());
      }
      assertEquals(first.size(), found(set, first, List.of()));
      assertEquals(first.size() * 20, found(set, first, later));
    } finally {
      readers.shutdownNow();
    }
  }

  /** How many of the first are there, as often as there are others; none of those is. */
  private static int found(DigestSet set, List<Digest> first, List<Digest> others)
      throws IOException {
    int found = 0;
    for (int round = 0; round < (others.isEmpty() ? 1 : 20); round++) {
      for (Digest digest : first) {
        found += set.contains(digest) ? 1 : 0;
      }
      for (Digest digest : others) {
        assertFalse(set.contains(digest));
      }
    }
    return found;
  }

  @Test
  void an_interrupted_thread_reads_and_takes_nothing_from_others() throws Exception {
    Random random = new Random(7);
    try (DigestSet set = set(FEW)) {
      List<Digest> digests = new ArrayList<>();
      Thread.currentThread().interrupt();
      for (int i = 0; i < 1000; i++) {
        digests.add(digest(Kind.EVEN, random));
        set.add(digests.get(i));
      }
      assertEquals(1000, found(set, digests, List.of()));
      assertTrue(Thread.interrupted());
      assertEquals(1000, found(set.settle(), digests, List.of()));
    }
  }

  @Test
  void nothing_of_it_is_in_the_folder_or_open_once_it_is_closed() throws IOException {
    try (DigestSet set = set(FEW)) {
      for (int i = 0; i < 2000; i++) {
        set.put(digest(Kind.EVEN, new Random(i)));
        assertEquals(List.of(), names(), "a file that is open has no name");
      }
      assertTrue(open() > 0);
    }
    assertEquals(0, open());
  }

  @Test
  void few_files_are_open_and_what_nobody_can_reach_is_closed_by_the_jvm() throws Exception {
    for (int i = 0; i < 20; i++) {
      DigestSet forgotten = set(FEW);
      for (int j = 0; j < 1000; j++) {
        forgotten.put(digest(Kind.EVEN, new Random(j)));
      }
      assertTrue(forgotten.contains(digest(Kind.EVEN, new Random(1))));
    }
    for (int i = 0; i < 1000 && open() > 0; i++) {
      System.gc();
      Thread.onSpinWait();
    }
    assertEquals(0, open());
    try (DigestSet set = set(FEW)) {
      for (int j = 0; j < 100 * FEW; j++) {
        set.put(digest(Kind.EVEN, new Random(j)));
        if (j % FEW == FEW / 2) {
          assertTrue(open() <= 5, open() + " files are open");
        }
      }
      set.settle();
      assertEquals(1, open());
    }
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(f -> f.getFileName().toString()).toList();
    }
  }

  /** Files of the folder that this process has open, as Linux shows them (proc(5)). */
  private int open() throws IOException {
    int open = 0;
    try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors) {
        try {
          open += Files.readSymbolicLink(descriptor).startsWith(folder) ? 1 : 0;
        } catch (IOException e) {
          // Closed meanwhile.
          continue;
        }
      }
    }
    return open;
  }

  @Test
  void what_cannot_be_written_is_told_and_the_set_answers_no_more() throws IOException {
    Random random = new Random(8);
    DigestSet set = set(FEW);
    for (int i = 0; i < 3 * FEW - 1; i++) {
      set.add(digest(Kind.EVEN, random));
    }
    Files.delete(folder);
    Digest last = digest(Kind.EVEN, random);
    var e = assertThrows(BackupException.Refused.class, () -> set.add(last));
    assertSame(CoreFailure.WORKSPACE_FAILED, e.code());
    assertTrue(e.getMessage().contains("hint: free space where the workspace is"), e.getMessage());
    Files.createDirectory(folder);
    for (Executable later :
        List.<Executable>of(() -> set.contains(last), () -> set.add(last), set::settle)) {
      var again = assertThrows(BackupException.Refused.class, later);
      assertSame(CoreFailure.WORKSPACE_FAILED, again.code());
    }
    assertThrows(IllegalStateException.class, set::size);
    assertEquals(0, open());
  }

  /** As where what was written did not reach the disk, and nobody was told. */
  @Test
  void bytes_that_a_disk_lost_are_told_at_each_look() throws IOException {
    Random random = new Random(9);
    List<Digest> added = new ArrayList<>();
    try (DigestSet set = set(512)) {
      for (int i = 0; i < 4_096; i++) {
        added.add(digest(Kind.EVEN, random));
        set.put(added.get(i));
      }
      set.settle();
      assertTrue(set.contains(added.get(7)));
      loseWhatIsOpen();
      for (Digest digest : added) {
        var e = assertThrows(BackupException.Refused.class, () -> set.contains(digest));
        assertSame(CoreFailure.WORKSPACE_FAILED, e.code());
      }
      try (DigestSet more = set(512)) {
        assertThrows(BackupException.Refused.class, () -> more.putAll(set));
      }
    }
  }

  private void loseWhatIsOpen() throws IOException {
    try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors) {
        if (Files.isSymbolicLink(descriptor)
            && Files.readSymbolicLink(descriptor).startsWith(folder)) {
          Files.write(descriptor, new byte[(int) Files.size(descriptor)], StandardOpenOption.WRITE);
        }
      }
    }
  }

  @Test
  void what_a_killed_process_left_goes_a_day_later() throws IOException {
    Path old = Files.createFile(folder.resolve("scratch-old"));
    Path fresh = Files.createFile(folder.resolve("scratch-fresh"));
    Path other = Files.createFile(folder.resolve("heads.old"));
    for (Path file : List.of(old, other)) {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now().minus(25, ChronoUnit.HOURS)));
    }
    try (DigestSet set = set(1)) {
      set.add(digest(Kind.EVEN, new Random(1)));
      assertEquals(
          Set.of(fresh.getFileName().toString(), other.getFileName().toString()),
          Set.copyOf(names()));
    }
  }
}
