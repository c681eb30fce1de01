package org.stellaops.backup.internal.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.spi.FileKey;

class FamiliarCutterTest {
  private static final int BYTES = 10 << 20;

  private static Gear gear(int key) {
    byte[] bytes = new byte[32];
    bytes[0] = (byte) key;
    return Gear.keyed(FileKey.of(bytes));
  }

  /** Bytes in the order of an artifact; after each part its writer marks a boundary. */
  private record Artifact(List<byte[]> parts) {
    static Artifact random(Random random) {
      List<byte[]> parts = new ArrayList<>();
      for (int left = BYTES; left > 0; ) {
        byte[] part = new byte[Math.min(left, 1 + random.nextInt(5 << 20))];
        random.nextBytes(part);
        if (random.nextInt(4) == 0) {
          Arrays.fill(part, (byte) 0);
        }
        parts.add(part);
        left -= part.length;
      }
      return new Artifact(parts);
    }

    /** Another that is mostly the same. */
    Artifact edited(Random random) {
      List<byte[]> edited = new ArrayList<>(parts);
      int which = random.nextInt(edited.size());
      byte[] part = edited.get(which);
      int at = random.nextInt(part.length);
      switch (random.nextInt(9)) {
        case 0 -> edited.set(which, changed(part, at));
        case 1 -> edited.set(which, spliced(part, at, 0, random.nextInt(3000)));
        case 2 -> edited.set(which, spliced(part, at, random.nextInt(part.length - at), 0));
        case 3 -> edited.set(which, spliced(part, part.length, 0, 1 + random.nextInt(3 << 20)));
        case 4 -> edited.set(which, Arrays.copyOf(part, at));
        case 5 -> edited.add(which, new byte[1 + random.nextInt(3 << 20)]);
        case 6 -> edited.remove(which);
        case 7 -> edited.add(random.nextInt(edited.size()), part);
        default -> edited.add(random.nextInt(edited.size() - 1), edited.remove(which));
      }
      return new Artifact(edited);
    }

    private static byte[] changed(byte[] part, int at) {
      byte[] changed = part.clone();
      changed[at] ^= 1;
      return changed;
    }

    private static byte[] spliced(byte[] part, int at, int removed, int added) {
      byte[] spliced = new byte[part.length - removed + added];
      System.arraycopy(part, 0, spliced, 0, at);
      System.arraycopy(part, at + removed, spliced, at + added, part.length - at - removed);
      return spliced;
    }

    CollectedChunks cutBy(Cutter cutter, Random steps) throws IOException {
      CollectedChunks chunks = new CollectedChunks();
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (byte[] part : parts) {
        for (int at = 0; at < part.length; ) {
          int step = Math.min(part.length - at, 1 + steps.nextInt(1 << (8 + steps.nextInt(15))));
          cutter.write(part, at, step, chunks);
          at += step;
        }
        cutter.end(chunks);
        all.writeBytes(part);
      }
      assertArrayEquals(all.toByteArray(), chunks.joined());
      return chunks;
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void whatever_changed_it_cuts_where_a_search_cuts(long seed) throws IOException {
    Random random = new Random(seed);
    Artifact artifact = Artifact.random(random);
    Cuts cuts = Cuts.none();
    for (int run = 0; run < 6; run++) {
      FamiliarCutter familiar = new FamiliarCutter(gear(1), cuts);
      assertEquals(
          artifact.cutBy(new ContentCutter(gear(1)), random).lengths(),
          artifact.cutBy(familiar, random).lengths(),
          "seed " + seed + " run " + run);
      cuts = familiar.cuts().orElseThrow();
      artifact = artifact.parts().size() < 2 ? Artifact.random(random) : artifact.edited(random);
    }
  }

  /** Were it searched, it would be cut elsewhere: the second gear has another table. */
  @Test
  void what_is_the_same_is_not_searched() throws IOException {
    byte[] bytes = new byte[BYTES];
    new Random(3).nextBytes(bytes);
    Artifact artifact = new Artifact(List.of(bytes));
    FamiliarCutter first = new FamiliarCutter(gear(1), Cuts.none());
    List<Integer> lengths = artifact.cutBy(first, new Random(4)).lengths();
    assertTrue(lengths.size() > 6, lengths.toString());

    FamiliarCutter second = new FamiliarCutter(gear(2), first.cuts().orElseThrow());
    CollectedChunks again = artifact.cutBy(second, new Random(5));

    assertEquals(lengths, again.lengths());
    assertEquals(0, again.searches());
    FamiliarCutter none = new FamiliarCutter(gear(2), Cuts.none());
    assertNotEquals(lengths, artifact.cutBy(none, new Random(6)).lengths());
  }

  @Test
  void after_a_difference_it_finds_its_way_back() throws IOException {
    byte[] bytes = new byte[BYTES];
    new Random(7).nextBytes(bytes);
    FamiliarCutter first = new FamiliarCutter(gear(1), Cuts.none());
    new Artifact(List.of(bytes)).cutBy(first, new Random(8));
    byte[] inserted = new byte[bytes.length + 5000];
    System.arraycopy(bytes, 0, inserted, 5000, bytes.length);

    CollectedChunks chunks =
        new Artifact(List.of(inserted))
            .cutBy(new FamiliarCutter(gear(1), first.cuts().orElseThrow()), new Random(9));

    assertEquals(1, chunks.searches(), "the first chunk only");
  }

  @Test
  void what_changed_in_its_place_costs_one_search() throws IOException {
    byte[] bytes = new byte[BYTES];
    new Random(14).nextBytes(bytes);
    FamiliarCutter first = new FamiliarCutter(gear(1), Cuts.none());
    List<Integer> lengths = new Artifact(List.of(bytes)).cutBy(first, new Random(15)).lengths();
    bytes[lengths.get(0) + 100] ^= 1;

    CollectedChunks chunks =
        new Artifact(List.of(bytes))
            .cutBy(new FamiliarCutter(gear(1), first.cuts().orElseThrow()), new Random(16));

    assertEquals(lengths, chunks.lengths());
    assertEquals(1, chunks.searches());
  }

  @Test
  void cuts_are_read_as_they_were_written() throws IOException {
    FamiliarCutter cutter = new FamiliarCutter(gear(1), Cuts.none());
    Artifact artifact = Artifact.random(new Random(10));
    artifact.cutBy(cutter, new Random(11));
    byte[] written = written(cutter.cuts().orElseThrow());
    Cuts read = Cuts.read(new ByteArrayInputStream(written), "cuts");
    assertArrayEquals(written, written(read));
    assertEquals(0, Cuts.read(new ByteArrayInputStream(written(Cuts.none())), "none").size());
  }

  @Test
  void what_holds_no_cuts_is_malformed() throws IOException {
    FamiliarCutter cutter = new FamiliarCutter(gear(1), Cuts.none());
    Artifact.random(new Random(12)).cutBy(cutter, new Random(13));
    byte[] written = written(cutter.cuts().orElseThrow());
    for (int at = 0; at < 9; at++) {
      byte[] damaged = written.clone();
      damaged[at] = (byte) 0x7f;
      assertMalformed(damaged);
    }
    for (int length = 0; length < written.length; length++) {
      assertMalformed(Arrays.copyOf(written, length));
    }
  }

  private static void assertMalformed(byte[] bytes) {
    assertThrows(
        BackupException.Corrupt.class,
        () -> Cuts.read(new ByteArrayInputStream(bytes), "the cuts"));
  }

  private static byte[] written(Cuts cuts) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    cuts.writeTo(out);
    return out.toByteArray();
  }
}
