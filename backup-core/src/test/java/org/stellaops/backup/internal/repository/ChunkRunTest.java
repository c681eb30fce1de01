package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.internal.disk.TemporaryFiles;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;

class ChunkRunTest {
  private static final String WRITER = "host-a";

  @TempDir Path folder;

  private final Random random = new Random(20261120);
  private final Map<ChunkId, ChunkPlace> expected = new HashMap<>();

  private static ObjectRef ref(int pack) {
    return Names.pack(WRITER, Digest.ofContent(new byte[] {(byte) pack, 1}), 1000 + pack);
  }

  private ChunkId id() {
    byte[] bytes = new byte[ChunkId.BYTES];
    random.nextBytes(bytes);
    return ChunkId.of(bytes);
  }

  private byte[] part(int packs, int chunks) throws IOException {
    ChunkIndex index = new ChunkIndex(WRITER);
    for (int pack = 0; pack < packs; pack++) {
      int ordinal = index.addPack();
      for (int chunk = 0; chunk < chunks; chunk++) {
        ChunkId id = id();
        ChunkPlace place = new ChunkPlace(pack, chunk * 10, 10, 100 + chunk);
        index.add(id, place);
        expected.put(id, place);
      }
      index.namePack(ordinal, ref(pack));
    }
    return written(index, 0);
  }

  private static byte[] written(ChunkIndex index, int firstPack) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    index.write(firstPack, out);
    return out.toByteArray();
  }

  private Path made(byte[] part, int sortedAtOnce) throws IOException {
    Path file = folder.resolve("made");
    Files.deleteIfExists(file);
    TemporaryFiles temporary = new TemporaryFiles(folder.resolve("tmp"));
    try (ChunkRunWriter run = new ChunkRunWriter(temporary, sortedAtOnce)) {
      IndexPart.read(new ByteArrayInputStream(part), WRITER, "the part", run);
      run.finish(file);
    }
    temporary.close();
    return file;
  }

  private void assertHoldsAll(Path file) throws IOException {
    try (ChunkRun run = ChunkRun.open(file)) {
      assertEquals(expected.size(), run.count());
      for (Map.Entry<ChunkId, ChunkPlace> chunk : expected.entrySet()) {
        assertEquals(Optional.of(chunk.getValue()), run.find(chunk.getKey(), pack -> true));
      }
      for (int i = 0; i < 1000; i++) {
        assertEquals(Optional.empty(), run.find(id(), pack -> true));
      }
      for (int pack = 0; pack < run.packs(); pack++) {
        assertEquals(ref(pack), run.pack(pack, WRITER));
      }
    }
  }

  @Test
  void every_chunk_is_found_and_no_other() throws IOException {
    byte[] part = part(40, 500);
    assertHoldsAll(made(part, 1 << 16));
    byte[] whole = Files.readAllBytes(folder.resolve("made"));
    assertHoldsAll(made(part, 300));
    assertTrue(Arrays.equals(whole, Files.readAllBytes(folder.resolve("made"))));
    assertHoldsAll(made(part, 7));
    assertTrue(Arrays.equals(whole, Files.readAllBytes(folder.resolve("made"))));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(folder.resolve("made")), files.toList());
    }
  }

  @Test
  void there_may_be_none() throws IOException {
    assertHoldsAll(made(part(0, 0), 10));
    assertHoldsAll(made(part(3, 0), 10));
    assertHoldsAll(made(part(1, 1), 10));
  }

  @Test
  void ids_that_begin_alike_are_told_apart() throws IOException {
    ChunkIndex index = new ChunkIndex(WRITER);
    index.addPack();
    for (int chunk = 0; chunk < 2000; chunk++) {
      byte[] bytes = new byte[ChunkId.BYTES];
      Arrays.fill(bytes, (byte) 0xfe);
      bytes[30] = (byte) (chunk >> 8);
      bytes[31] = (byte) chunk;
      ChunkPlace place = new ChunkPlace(0, chunk * 10, 10, 100);
      index.add(ChunkId.of(bytes), place);
      expected.put(ChunkId.of(bytes), place);
    }
    index.namePack(0, ref(0));
    assertHoldsAll(made(written(index, 0), 64));
  }

  @Test
  void a_chunk_that_stands_in_two_packs_is_found_in_the_one_that_is_there() throws IOException {
    ChunkIndex index = new ChunkIndex(WRITER);
    ChunkId id = id();
    for (int pack = 0; pack < 3; pack++) {
      index.addPack();
      index.add(id, new ChunkPlace(pack, 0, 10, 100));
      index.namePack(pack, ref(pack));
    }
    Path file = made(written(index, 0), 2);
    try (ChunkRun run = ChunkRun.open(file)) {
      assertEquals(1, run.find(id, pack -> pack == 1).orElseThrow().pack());
      assertEquals(2, run.find(id, pack -> pack == 2).orElseThrow().pack());
      assertEquals(Optional.empty(), run.find(id, pack -> false));
    }
  }

  @Test
  void a_file_that_is_cut_off_or_changed_anywhere_is_not_opened() throws IOException {
    Path file = made(part(3, 5), 4);
    byte[] sound = Files.readAllBytes(file);
    for (int at = 0; at < sound.length; at++) {
      byte[] changed = sound.clone();
      changed[at] ^= 16;
      Files.write(file, changed);
      assertThrows(IOException.class, () -> ChunkRun.open(file).close(), "changed at " + at);
      Files.write(file, Arrays.copyOf(sound, at));
      assertThrows(IOException.class, () -> ChunkRun.open(file).close(), "cut off at " + at);
    }
    Files.write(file, sound);
    assertHoldsAll(file);
  }

  /** A part that counts how often it is fetched. */
  private static final class Fetched implements ChunkIndex.Part {
    private final byte[] bytes;
    private int times;

    Fetched(byte[] bytes) {
      this.bytes = bytes;
    }

    ObjectRef ref() {
      return Names.state(WRITER, Digest.ofContent(bytes), bytes.length);
    }

    @Override
    public InputStream open() {
      times++;
      return new ByteArrayInputStream(bytes);
    }
  }

  private ChunkIndex loaded(Fetched... parts) throws IOException {
    ChunkIndex index = new ChunkIndex(WRITER, Optional.of(ChunkFiles.in(folder, WRITER)), 1000);
    try {
      for (Fetched part : parts) {
        index.load(part.ref(), part);
      }
      return index;
    } catch (IOException e) {
      index.close();
      throw e;
    }
  }

  private Path file(Fetched part) {
    return folder.resolve("index").resolve(WRITER).resolve(part.ref().stored().hex() + ".run");
  }

  @Test
  void only_parts_that_are_new_are_fetched() throws IOException {
    Fetched one = new Fetched(part(4, 50));
    Fetched two = new Fetched(part(2, 70));
    try (ChunkIndex index = loaded(one)) {
      assertEquals(200, index.size());
    }
    try (ChunkIndex index = loaded(one, two)) {
      assertEquals(340, index.size());
      assertEquals(6, index.packCount());
      assertEquals(ref(3), index.pack(3));
      assertEquals(ref(1), index.pack(5));
      expected.keySet().forEach(id -> assertTrue(index.find(id).isPresent(), "not found: " + id));
      int mine = index.addPack();
      assertEquals(6, mine);
      ChunkId id = id();
      index.add(id, new ChunkPlace(mine, 0, 10, 100));
      index.namePack(mine, ref(99));
      assertEquals(6, index.find(id).orElseThrow().pack());
      assertEquals(ref(99), index.pack(6));
      index.keepOnly(pack -> !pack.equals(ref(3)));
      assertTrue(index.find(id).isPresent());
      assertEquals(
          expected.size() - 50,
          expected.keySet().stream().filter(i -> index.find(i).isPresent()).count());
    }
    assertEquals(1, one.times);
    assertEquals(1, two.times);
  }

  @Test
  void a_file_that_is_damaged_is_made_anew() throws IOException {
    Fetched one = new Fetched(part(4, 50));
    loaded(one).close();
    byte[] sound = Files.readAllBytes(file(one));
    byte[] changed = sound.clone();
    changed[100] ^= 1;
    Files.write(file(one), changed);
    try (ChunkIndex index = loaded(one)) {
      expected.keySet().forEach(id -> assertTrue(index.find(id).isPresent(), "not found: " + id));
    }
    assertEquals(2, one.times);
    assertTrue(Arrays.equals(sound, Files.readAllBytes(file(one))));
  }

  @Test
  void files_of_parts_that_nobody_names_go() throws IOException {
    Fetched one = new Fetched(part(4, 50));
    Fetched two = new Fetched(part(2, 70));
    try (ChunkIndex index = loaded(one, two)) {
      index.forgetAllBut(List.of(two.ref()));
    }
    assertFalse(Files.exists(file(one)));
    assertTrue(Files.exists(file(two)));
  }

  @Test
  void without_room_for_files_the_index_is_in_memory() throws IOException {
    Fetched one = new Fetched(part(4, 50));
    Files.write(folder.resolve("index"), new byte[0]);
    try (ChunkIndex index = loaded(one)) {
      assertEquals(200, index.size());
      assertEquals(4, index.packCount());
      expected.keySet().forEach(id -> assertTrue(index.find(id).isPresent(), "not found: " + id));
    }
  }

  @Test
  void a_part_that_is_damaged_is_said_to_be() throws IOException {
    byte[] part = part(4, 50);
    Fetched cut = new Fetched(Arrays.copyOf(part, part.length - 1));
    assertThrows(BackupException.Corrupt.class, () -> loaded(cut));
    assertFalse(Files.exists(file(cut)));
    try (var files = Files.list(file(cut).getParent())) {
      assertEquals(List.of(), files.toList());
    }
  }

  @Test
  void parts_are_merged_without_what_is_not_wanted() throws IOException {
    Fetched one = new Fetched(part(4, 50));
    Fetched two = new Fetched(part(2, 70));
    ByteArrayOutputStream merged = new ByteArrayOutputStream();
    try (ChunkIndex index = loaded(one, two)) {
      int mine = index.addPack();
      ChunkId id = id();
      index.add(id, new ChunkPlace(mine, 0, 10, 100));
      index.namePack(mine, ref(99));
      expected.put(id, new ChunkPlace(mine, 0, 10, 100));
      index.merge(List.of(one, two), pack -> !pack.equals(ref(3)), mine, merged);
    }
    Fetched all = new Fetched(merged.toByteArray());
    try (ChunkIndex index = loaded(all)) {
      assertEquals(expected.size() - 50, index.size());
      assertEquals(6, index.packCount());
      assertEquals(ref(99), index.pack(5));
    }
  }
}
