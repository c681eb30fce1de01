package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.internal.disk.PrivateFiles;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.model.Digest;

/** What one run stores goes into files where there is much of it, and nobody notices. */
class ChunkSpillTest {
  private static final String WRITER = "host-a";
  private static final int FEW = 40;

  @TempDir Path folder;

  private static ObjectRef ref(int pack) {
    byte[] content = ByteBuffer.allocate(4).putInt(pack).array();
    return Names.pack(WRITER, Digest.ofContent(content), 1000 + pack);
  }

  private static ChunkId id(long number) {
    byte[] bytes = new byte[ChunkId.BYTES];
    new Random(number).nextBytes(bytes);
    return ChunkId.of(bytes);
  }

  private ChunkIndex spilling(int mostInMemory) {
    return new ChunkIndex(WRITER, Optional.of(ChunkFiles.in(folder, WRITER)), mostInMemory);
  }

  private Path temporary() {
    return folder.resolve("index").resolve(WRITER).resolve("tmp");
  }

  private List<Path> files() throws IOException {
    if (!Files.exists(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }

  private static byte[] written(ChunkIndex index, int from, int to) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    index.write(from, to, out);
    return out.toByteArray();
  }

  /** Fills packs one after the other, each of ten chunks, and names each at once. */
  private static void fill(ChunkIndex index, int packs) throws IOException {
    for (int i = 0; i < packs; i++) {
      int pack = index.addPack();
      for (int chunk = 0; chunk < 10; chunk++) {
        index.add(id(pack * 10L + chunk), new ChunkPlace(pack, chunk * 10, 10, 100));
      }
      index.namePack(pack, ref(pack));
    }
  }

  private static void assertHolds(ChunkIndex index, int packs) throws IOException {
    assertEquals(packs * 10L, index.size());
    assertEquals(packs, index.packCount());
    for (int pack = 0; pack < packs; pack++) {
      assertEquals(ref(pack), index.pack(pack));
      for (int chunk = 0; chunk < 10; chunk++) {
        assertEquals(
            Optional.of(new ChunkPlace(pack, chunk * 10, 10, 100)),
            index.find(id(pack * 10L + chunk)));
      }
      assertEquals(Optional.empty(), index.find(id(-1 - pack)));
    }
  }

  /** Two indexes, one of them without files, and what they must say. */
  private final class Compared {
    private final Random random;
    private final ChunkIndex small;
    private final ChunkIndex large = new ChunkIndex(WRITER);
    private final Map<ChunkId, List<ChunkPlace>> places = new HashMap<>();
    private final List<ChunkId> ids = new ArrayList<>();
    private final Set<Integer> absent = new HashSet<>();
    private final Deque<Integer> unnamed = new ArrayDeque<>();
    private int mostFiles;

    Compared(long seed) {
      random = new Random(seed);
      small = spilling(1 + random.nextInt(FEW));
    }

    private Optional<ChunkPlace> expected(ChunkId id) {
      return places.getOrDefault(id, List.of()).stream()
          .filter(p -> !absent.contains(p.pack()))
          .findFirst();
    }

    /** Adds what is not known, as a pipeline does. */
    void pack() throws IOException {
      int pack = small.addPack();
      assertEquals(pack, large.addPack());
      unnamed.add(pack);
      int offset = 0;
      for (int chunks = 1 + random.nextInt(20); chunks > 0; chunks--) {
        boolean isOld = random.nextInt(4) == 0 && !ids.isEmpty();
        ChunkId id = isOld ? ids.get(random.nextInt(ids.size())) : id(random.nextLong());
        if (expected(id).isEmpty()) {
          ChunkPlace place = new ChunkPlace(pack, offset, 5 + random.nextInt(50), 100);
          offset += place.storedBytes();
          small.add(id, place);
          large.add(id, place);
          places.computeIfAbsent(id, i -> new ArrayList<>()).add(place);
          ids.add(id);
        }
        find(id);
        find(id(random.nextLong()));
      }
    }

    private void find(ChunkId id) {
      Optional<ChunkPlace> found = small.find(id);
      assertEquals(expected(id).isPresent(), found.isPresent());
      found.ifPresent(
          place -> {
            assertTrue(places.get(id).contains(place), place.toString());
            assertFalse(absent.contains(place.pack()), place.toString());
          });
    }

    /** Some are stored later than others that were made after them. */
    void name(int mostUnnamed) {
      while (unnamed.size() > mostUnnamed) {
        List<Integer> waiting = new ArrayList<>(unnamed);
        int pack = waiting.get(random.nextInt(waiting.size()));
        unnamed.remove(pack);
        small.namePack(pack, ref(pack));
        large.namePack(pack, ref(pack));
      }
    }

    void forgetSome() throws IOException {
      absent.clear();
      absent.addAll(unnamed);
      Set<ObjectRef> gone = new HashSet<>();
      for (int pack = 0; pack < small.packCount(); pack++) {
        if (random.nextInt(5) == 0) {
          absent.add(pack);
          gone.add(ref(pack));
        }
      }
      IoPredicate<ObjectRef> isThere = pack -> !gone.contains(pack);
      small.keepOnly(isThere);
      large.keepOnly(isThere);
    }

    void compare() throws IOException {
      assertEquals(large.size(), small.size());
      assertEquals(large.packCount(), small.packCount());
      List<String> expected = new ArrayList<>();
      for (int pack = 0; pack < small.packCount(); pack++) {
        assertEquals(!absent.contains(pack), small.isPresent(pack));
        if (!unnamed.contains(pack)) {
          assertEquals(ref(pack), small.pack(pack));
          if (!absent.contains(pack)) {
            expected.add(ref(pack) + " " + pack);
          }
        }
      }
      assertEquals(expected, present(small));
      assertEquals(expected, present(large));
      int from = random.nextInt(small.packCount() + 1);
      int to = from + random.nextInt(small.packCount() + 1 - from);
      assertArrayEquals(written(large, from, to), written(small, from, to));
      assertArrayEquals(merged(large), merged(small));
      mostFiles = Math.max(mostFiles, files().size());
    }

    private List<String> present(ChunkIndex index) throws IOException {
      List<String> present = new ArrayList<>();
      index.forEachPresent((pack, ordinal) -> present.add(pack + " " + ordinal));
      return present;
    }

    private byte[] merged(ChunkIndex index) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      index.merge(List.of(), pack -> true, 0, out);
      return out.toByteArray();
    }

    void close() throws IOException {
      ids.forEach(this::find);
      small.close();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void an_index_with_little_memory_says_what_one_with_much_says(long seed) throws Exception {
    Compared both = new Compared(seed);
    for (int round = 0; round < 12; round++) {
      for (int pack = 0; pack < 15; pack++) {
        both.pack();
        both.name(both.random.nextInt(4));
      }
      both.compare();
      if (both.random.nextInt(3) == 0) {
        both.name(0);
        both.forgetSome();
        both.compare();
      }
    }
    both.close();
    assertTrue(both.mostFiles >= 3, "seed " + seed + " spilled nothing");
    assertEquals(List.of(), files());
    assertFalse(Files.exists(temporary()));
  }

  @Test
  void however_often_it_spills_there_are_few_files() throws Exception {
    try (ChunkIndex index = spilling(FEW)) {
      fill(index, 400);
      // Of 100 spills: at most three of each of four sizes, what is in order, and the lock.
      assertTrue(files().size() <= 14, files().toString());
      assertHolds(index, 400);
    }
    assertEquals(List.of(), files());
  }

  @Test
  void its_files_are_private() throws Exception {
    try (ChunkIndex index = spilling(FEW)) {
      fill(index, 20);
      List<Path> files = files();
      assertTrue(files.size() >= 3, files.toString());
      if (FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
        for (Path file : files) {
          assertEquals(
              "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        }
      }
    }
  }

  @Test
  void packs_that_are_not_stored_yet_stay_in_memory_with_those_behind_them() throws Exception {
    try (ChunkIndex index = spilling(FEW)) {
      int first = index.addPack();
      index.add(id(-5), new ChunkPlace(first, 0, 10, 100));
      for (int i = 1; i < 50; i++) {
        int pack = index.addPack();
        for (int chunk = 0; chunk < 10; chunk++) {
          index.add(id(pack * 10L + chunk), new ChunkPlace(pack, chunk * 10, 10, 100));
        }
        index.namePack(pack, ref(pack));
      }
      assertEquals(List.of(), files());
      index.namePack(first, ref(first));
      fill(index, 10);
      assertTrue(files().size() >= 3, files().toString());
      assertEquals(ref(first), index.pack(first));
      assertEquals(first, index.find(id(-5)).orElseThrow().pack());
    }
  }

  @Test
  void a_pack_that_will_get_no_name_keeps_nothing_in_memory() throws Exception {
    try (ChunkIndex small = spilling(FEW);
        ChunkIndex large = new ChunkIndex(WRITER)) {
      for (ChunkIndex index : List.of(small, large)) {
        int lost = index.addPack();
        index.add(id(-5), new ChunkPlace(lost, 0, 10, 100));
        index.keepOnly(pack -> true);
        fill(index, 50);
        index.namePack(lost, ref(lost)); // when it was stored after all, nobody counts on it
        assertEquals(Optional.empty(), index.find(id(-5)));
        assertEquals(ref(50), index.pack(50));
      }
      assertTrue(files().size() >= 3, files().toString());
      assertArrayEquals(written(large, 0, large.packCount()), written(small, 0, small.packCount()));
    }
  }

  @Test
  void packs_of_earlier_runs_come_first() throws Exception {
    byte[] part;
    try (ChunkIndex index = new ChunkIndex(WRITER)) {
      fill(index, 30);
      part = written(index, 0, 30);
    }
    ObjectRef object = Names.state(WRITER, Digest.ofContent(part), part.length);
    try (ChunkIndex index = spilling(FEW)) {
      index.load(object, () -> new ByteArrayInputStream(part));
      fill(index, 60);
      assertHolds(index, 90);
      assertThrows(IllegalArgumentException.class, () -> written(index, 29, 90));
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      index.merge(
          List.<ChunkIndex.Part>of(() -> new ByteArrayInputStream(part)), p -> true, 30, all);
      try (ChunkIndex again = new ChunkIndex(WRITER)) {
        again.load(new ByteArrayInputStream(all.toByteArray()), "all");
        assertHolds(again, 90);
      }
    }
    assertEquals(1, files().size(), "the part of earlier runs stays");
  }

  @Test
  void a_part_that_finds_no_place_on_disk_spills_where_there_is_room_again() throws Exception {
    ByteArrayOutputStream part = new ByteArrayOutputStream();
    try (ChunkIndex index = new ChunkIndex(WRITER)) {
      fill(index, 50);
      index.write(0, part);
    }
    try (ChunkIndex index = spilling(FEW)) {
      index.load(new ByteArrayInputStream(part.toByteArray()), "the part");
      assertHolds(index, 50);
      assertArrayEquals(part.toByteArray(), written(index, 0, 50));
      assertTrue(files().size() >= 3, files().toString());
    }
  }

  @Test
  void without_a_place_for_files_it_all_stays_in_memory() throws Exception {
    Files.write(folder.resolve("index"), new byte[0]);
    try (ChunkIndex index = spilling(FEW)) {
      fill(index, 100);
      assertHolds(index, 100);
    }
  }

  @Test
  void a_disk_that_fails_in_between_costs_memory_only() throws Exception {
    try (ChunkIndex index = spilling(FEW);
        ChunkIndex expected = new ChunkIndex(WRITER)) {
      fill(expected, 400);
      fill(index, 50);
      Path own;
      try (Stream<Path> owners = Files.list(temporary())) {
        own = owners.findFirst().orElseThrow();
      }
      long before = Files.size(ordered());
      Files.move(own, folder.resolve("elsewhere"));
      fill(index, 50);
      assertHolds(index, 100);
      assertEquals(before, Files.size(ordered()), "others need the room");
      Files.move(folder.resolve("elsewhere"), own);
      fill(index, 300);
      assertTrue(Files.size(ordered()) > before + 250 * 400, "it did not spill again");
      assertHolds(index, 400);
      assertArrayEquals(written(expected, 0, 400), written(index, 0, 400));
    }
    assertEquals(List.of(), files());
  }

  @Test
  void that_its_files_are_gone_at_the_end_fails_nobody() throws Exception {
    try (ChunkIndex index = spilling(FEW)) {
      fill(index, 50);
      PrivateFiles.deleteTree(folder.resolve("index"));
      assertHolds(index, 50);
    }
    assertEquals(List.of(), files());
  }

  @Test
  void what_was_changed_on_disk_is_not_written_on() throws Exception {
    try (ChunkIndex index = spilling(FEW)) {
      fill(index, 50);
      Path ordered = ordered();
      for (long at : new long[] {0, 5, 60, 100, Files.size(ordered) - 1}) {
        try (RandomAccessFile file = new RandomAccessFile(ordered.toFile(), "rw")) {
          file.seek(at);
          int sound = file.read();
          file.seek(at);
          file.write(sound ^ 4);
          IOException changed = assertThrows(IOException.class, () -> written(index, 0, 50));
          assertTrue(changed.getMessage().contains("was changed"), changed.toString());
          file.seek(at);
          file.write(sound);
        }
      }
      assertEquals(50 * (44 + 10 * 40) + 4, written(index, 0, 50).length);
      try (RandomAccessFile file = new RandomAccessFile(ordered.toFile(), "rw")) {
        file.setLength(file.length() - 1);
      }
      assertThrows(IOException.class, () -> written(index, 0, 50));
    }
  }

  /** The file that has packs in their order. */
  private Path ordered() throws IOException {
    for (Path file : files()) {
      try (InputStream in = Files.newInputStream(file)) {
        if (Arrays.equals("SBI1".getBytes(StandardCharsets.US_ASCII), in.readNBytes(4))) {
          return file;
        }
      }
    }
    throw new AssertionError("none in " + files());
  }

  @Test
  void what_a_process_left_that_died_goes_with_the_next_run() throws Exception {
    Path dead = temporary().resolve("1-1-dead");
    Files.createDirectories(dead);
    Files.createFile(dead.resolve("owner"));
    Files.write(dead.resolve("1"), new byte[1000]);
    try (ChunkIndex living = spilling(FEW);
        ChunkIndex next = spilling(FEW)) {
      fill(living, 20);
      next.forgetAllBut(List.of());
      assertFalse(Files.exists(dead));
      assertHolds(living, 20);
      assertArrayEquals(new byte[] {'S', 'B', 'I', '1'}, Arrays.copyOf(written(living, 0, 20), 4));
    }
    assertEquals(List.of(), files());
  }

  @Test
  void how_many_chunks_stand_in_memory_follows_from_what_a_run_may_use() {
    assertEquals(1 << 12, ChunkIndex.inMemory(32L << 20));
    assertEquals(1 << 17, ChunkIndex.inMemory(96L << 20));
    assertEquals(1 << 18, ChunkIndex.inMemory(160L << 20));
    assertEquals(1 << 20, ChunkIndex.inMemory(1L << 40));
  }
}
