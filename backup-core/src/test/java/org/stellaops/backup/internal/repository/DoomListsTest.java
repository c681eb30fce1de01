package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.internal.repository.RetentionEntry.Doom;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Digest;

/** With so few digests in memory that every list is in files. */
class DoomListsTest {
  private static final String WRITER = "host-a";
  private static final int EACH = 30;

  @TempDir Path folder;

  private final MapStore store = new MapStore();

  private DoomLists lists() {
    return new DoomLists(store.access(), ScratchFolder.in(folder), 16);
  }

  private static List<ObjectRef> objects(String writer, int number) {
    List<ObjectRef> objects = new ArrayList<>();
    for (int i = 0; i < EACH; i++) {
      byte[] content = (writer + number + "/" + i).getBytes(StandardCharsets.US_ASCII);
      objects.add(Names.pack(writer, Digest.ofContent(content), 1));
    }
    return objects;
  }

  private Doom doom(String writer, int number) throws IOException {
    return new Doom(
        writer, Instant.EPOCH, DoomLists.write(store.access(), objects(writer, number)));
  }

  private Doom doom(int number) throws IOException {
    return doom(WRITER, number);
  }

  /** Of lists by these numbers whether all is there, and nothing of the others. */
  private static void assertHas(DigestSet set, Set<Integer> numbers) throws IOException {
    for (int number = 0; number < 12; number++) {
      for (ObjectRef object : objects(WRITER, number)) {
        assertEquals(numbers.contains(number), set.contains(object.stored()), "of list " + number);
      }
    }
  }

  /** How often each of some lists was read since this was asked. */
  private int read(Doom... dooms) {
    int read = 0;
    for (Doom doom : dooms) {
      read += store.opened.contains(doom.list().name().value()) ? 1 : 0;
    }
    store.opened.clear();
    return read;
  }

  @Test
  void only_what_is_new_is_read_and_what_was_asked_before_stays_as_it_is() throws IOException {
    DoomLists lists = lists();
    Doom one = doom(1);
    Doom two = doom(2);
    Doom three = doom(3);

    DigestSet first = lists.doomed(WRITER, List.of(one, two), doom -> doom.equals(one));
    assertHas(first, Set.of(1, 2));
    assertEquals(2, read(one, two));
    assertSame(first, lists.doomed(WRITER, List.of(one, two), doom -> doom.equals(one)));

    DigestSet swept = lists.swept(WRITER, List.of(one));
    assertHas(swept, Set.of(1));
    assertEquals(0, read(one, two));

    assertHas(lists.doomed(WRITER, List.of(one, two, three), doom -> false), Set.of(1, 2, 3));
    assertEquals(1, read(one, two, three));
    assertHas(lists.swept(WRITER, List.of(one, three)), Set.of(1, 3));
    assertEquals(1, read(one, two, three));
    assertHas(first, Set.of(1, 2));
    assertHas(swept, Set.of(1));
  }

  @Test
  void what_was_swept_is_not_read_again_to_tell_what_was_doomed() throws IOException {
    DoomLists lists = lists();
    Doom one = doom(1);
    Doom two = doom(2);
    assertHas(lists.swept(WRITER, List.of(one)), Set.of(1));
    read(one);
    assertHas(lists.doomed(WRITER, List.of(one, two), doom -> doom.equals(one)), Set.of(1, 2));
    assertEquals(0, read(one));
  }

  @Test
  void what_is_recalled_is_doomed_no_more() throws IOException {
    DoomLists lists = lists();
    Doom one = doom(1);
    Doom two = doom(2);
    Doom three = doom(3);
    DigestSet before = lists.doomed(WRITER, List.of(one, two, three), doom -> doom.equals(one));
    DigestSet now = lists.doomed(WRITER, List.of(one, three), doom -> doom.equals(one));
    assertHas(now, Set.of(1, 3));
    assertHas(before, Set.of(1, 2, 3));
    assertHas(lists.swept(WRITER, List.of(one)), Set.of(1));
  }

  @Test
  void a_list_that_is_gone_hides_nothing_of_what_was_swept() throws IOException {
    DoomLists lists = lists();
    Doom one = doom(1);
    Doom two = doom(2);
    store.objects.remove(two.list().name());
    assertThrows(
        BackupException.Corrupt.class,
        () -> lists.doomed(WRITER, List.of(one, two), doom -> doom.equals(one)));
    assertHas(lists.swept(WRITER, List.of(one)), Set.of(1));
    doom(2);
    assertHas(lists.doomed(WRITER, List.of(one, two), doom -> doom.equals(one)), Set.of(1, 2));
  }

  @Test
  void many_writers_are_told_apart_and_few_are_remembered() throws IOException {
    DoomLists lists = lists();
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 20; i++) {
        String writer = "host-" + i;
        Doom doom = doom(writer, i);
        DigestSet set = lists.doomed(writer, List.of(doom), d -> false);
        assertTrue(set.contains(objects(writer, i).get(0).stored()));
        assertFalse(set.contains(objects("host-" + (i + 1), i + 1).get(0).stored()));
        assertEquals(1, read(doom), "the writers before were forgotten");
        assertSame(set, lists.doomed(writer, List.of(doom), d -> false));
        assertEquals(0, read(doom));
      }
    }
  }
}
