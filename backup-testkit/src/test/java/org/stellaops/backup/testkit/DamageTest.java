package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.ObjectName;

class DamageTest {
  private static final ObjectName A = ObjectName.of("a");
  private static final ObjectName B = ObjectName.of("d/b");
  private static final ObjectName EMPTY = ObjectName.of("empty");
  private static final ObjectName NEW = ObjectName.of("new/name");

  @TempDir Path directory;
  private final MemorySink sink = new MemorySink();
  private List<RawObjects> places = List.of();

  @BeforeEach
  void write() throws IOException {
    places = List.of(sink.raw(), RawObjects.in(directory));
    for (RawObjects raw : places) {
      raw.write(A, new byte[] {1, 2, 3});
      raw.write(B, new byte[] {4, 5});
      raw.write(EMPTY, new byte[0]);
    }
  }

  @Test
  void a_flip_changes_one_bit() throws IOException {
    assertDamage(Damage.flip(A, 1, 7), Map.of("a", "[1, -126, 3]", "d/b", "[4, 5]", "empty", "[]"));
  }

  @Test
  void a_truncation_keeps_the_head() throws IOException {
    assertDamage(Damage.truncate(A, 2), Map.of("a", "[1, 2]", "d/b", "[4, 5]", "empty", "[]"));
    assertDamage(Damage.truncate(A, 0), Map.of("a", "[]", "d/b", "[4, 5]", "empty", "[]"));
  }

  @Test
  void an_extension_adds_to_the_end() throws IOException {
    assertDamage(
        Damage.extend(A, (byte) 9), Map.of("a", "[1, 2, 3, 9]", "d/b", "[4, 5]", "empty", "[]"));
  }

  @Test
  void a_swap_exchanges_two_objects() throws IOException {
    assertDamage(Damage.swap(A, B), Map.of("a", "[4, 5]", "d/b", "[1, 2, 3]", "empty", "[]"));
  }

  @Test
  void a_drop_removes_one_object() throws IOException {
    assertDamage(Damage.drop(B), Map.of("a", "[1, 2, 3]", "empty", "[]"));
  }

  @Test
  void a_replay_writes_an_object_under_another_name_that_may_exist() throws IOException {
    assertDamage(Damage.replay(A, B), Map.of("a", "[1, 2, 3]", "d/b", "[1, 2, 3]", "empty", "[]"));
    assertDamage(
        Damage.replay(A, NEW),
        Map.of("a", "[1, 2, 3]", "d/b", "[4, 5]", "empty", "[]", "new/name", "[1, 2, 3]"));
  }

  @Test
  void damage_is_undone_when_the_work_fails() throws IOException {
    assertThrows(
        IOException.class,
        () ->
            Damage.drop(A)
                .during(
                    sink.raw(),
                    () -> {
                      throw new IOException("work");
                    }));

    assertArrayEquals(new byte[] {1, 2, 3}, sink.raw().read(A));
  }

  @Test
  void damage_says_what_it_does_where() {
    assertEquals("flip bit 3 of d/b at byte 17", Damage.flip(B, 17, 3).toString());
    assertEquals("truncate a to 2 bytes", Damage.truncate(A, 2).toString());
    assertEquals("swap a and d/b", Damage.swap(A, B).toString());
    assertEquals(List.of(A, B), Damage.swap(A, B).objects());
    assertEquals(List.of(B), Damage.replay(A, B).objects());
  }

  @Test
  void every_byte_is_visited_once() throws IOException {
    for (RawObjects raw : places) {
      assertEquals(
          List.of(
              "flip bit 0 of a at byte 0",
              "flip bit 1 of a at byte 1",
              "flip bit 2 of a at byte 2",
              "flip bit 3 of d/b at byte 0",
              "flip bit 4 of d/b at byte 1"),
          texts(Damage.everyByte(raw)));
    }
  }

  @Test
  void every_bit_is_visited_once() throws IOException {
    List<String> texts = texts(Damage.everyBit(sink.raw()));

    assertEquals(40, texts.size());
    assertEquals(40, new HashSet<>(texts).size());
    assertEquals("flip bit 7 of d/b at byte 1", texts.get(39));
  }

  @Test
  void seeded_damage_is_the_same_again_and_names_its_seed() throws IOException {
    Iterable<Damage> damage = Damage.seeded(sink.raw(), 42, 1000);

    List<String> texts = texts(damage);

    assertEquals(1000, texts.size());
    assertEquals(texts, texts(damage));
    assertTrue(texts.get(7).endsWith("(number 7 of seed 42)"), texts.get(7));
    Set<String> places = new HashSet<>();
    texts.forEach(t -> places.add(t.substring(0, t.indexOf(" ("))));
    assertEquals(40, places.size());
  }

  @Test
  void every_truncation_every_drop_and_every_swap() throws IOException {
    assertEquals(
        List.of(
            "truncate a to 0 bytes",
            "truncate a to 1 bytes",
            "truncate a to 2 bytes",
            "truncate d/b to 0 bytes",
            "truncate d/b to 1 bytes"),
        texts(Damage.everyTruncation(sink.raw())));
    assertEquals(List.of("drop a", "drop d/b", "drop empty"), texts(Damage.everyDrop(sink.raw())));
    sink.raw().write(NEW, new byte[] {4, 5});
    assertEquals(
        List.of(
            "swap a and d/b",
            "swap a and empty",
            "swap a and new/name",
            "swap d/b and empty",
            "swap empty and new/name"),
        texts(Damage.everySwap(sink.raw())));
  }

  @Test
  void a_read_only_file_is_damaged_and_stays_read_only() throws IOException {
    Path file = directory.resolve("a");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
    RawObjects raw = RawObjects.in(directory);

    Damage.flip(A, 0, 0).inflict(raw);
    Damage.truncate(A, 1).inflict(raw);

    assertArrayEquals(new byte[] {0}, raw.read(A));
    assertEquals("r--------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void files_that_are_no_objects_can_be_left_out() throws IOException {
    assertEquals(
        Set.of(A, EMPTY), RawObjects.in(directory, n -> !n.value().startsWith("d/")).names());
  }

  @Test
  void what_is_not_there_cannot_be_damaged() {
    for (RawObjects raw : places) {
      assertThrows(IllegalArgumentException.class, () -> Damage.drop(NEW).inflict(raw));
      assertThrows(IllegalArgumentException.class, () -> Damage.flip(NEW, 0, 0).inflict(raw));
    }
  }

  private void assertDamage(Damage damage, Map<String, String> expected) throws IOException {
    for (RawObjects raw : places) {
      Map<String, String> before = contents(raw);
      try (Damage.Undo undo = damage.inflict(raw)) {
        assertEquals(expected, contents(raw), damage + " " + undo.getClass().getSimpleName());
      }
      assertEquals(before, contents(raw), "undone: " + damage);
    }
  }

  private static Map<String, String> contents(RawObjects raw) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    for (ObjectName name : raw.names()) {
      byte[] bytes = raw.read(name);
      assertEquals(bytes.length, raw.lengthBytes(name));
      contents.put(name.value(), Arrays.toString(bytes));
    }
    return contents;
  }

  private static List<String> texts(Iterable<Damage> damage) {
    List<String> texts = new ArrayList<>();
    damage.forEach(d -> texts.add(d.toString()));
    return texts;
  }
}
