package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

class PackListsTest {
  private final MapStore store = new MapStore();
  private final PackLists lists = new PackLists(store.access(), "host-a");

  private static List<ObjectRef> packs(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> Digest.ofContent(Integer.toString(i).getBytes()))
        .map(d -> Names.pack("host-a", d, 65736))
        .toList();
  }

  private List<ObjectRef> read(List<ObjectRef> written) throws IOException {
    List<ObjectRef> packs = new ArrayList<>();
    for (ObjectRef list : written) {
      PackLists.read(store.access(), list, packs::add);
    }
    return packs;
  }

  @Test
  void packs_come_back_in_their_order() throws IOException {
    for (int count : new int[] {0, 1, 2, 10_000}) {
      assertEquals(packs(count), read(lists.write(packs(count))));
    }
    assertEquals(List.of(), lists.write(List.of()));
  }

  @Test
  void a_list_ends_where_its_packs_say_and_is_shared_by_longer_sequences() throws IOException {
    List<ObjectRef> ten = lists.write(packs(10_000));
    List<ObjectRef> twelve = lists.write(packs(12_000));
    assertEquals(
        packs(10_000).stream().filter(p -> p.stored().hex().startsWith("000")).count() + 1,
        ten.size());
    assertEquals(ten.subList(0, ten.size() - 1), twelve.subList(0, ten.size() - 1));
  }

  @Test
  void a_list_that_is_not_the_signed_one_is_refused() throws IOException {
    ObjectRef list = lists.write(packs(3)).get(0);
    byte[] bytes = store.objects.get(list.name());
    for (int at = 0; at < bytes.length; at++) {
      byte[] flipped = bytes.clone();
      flipped[at] ^= 1;
      store.write(list.toString(), flipped);
      assertRefused(CoreFailure.CORRUPT_OBJECT, list);
      store.write(list.toString(), java.util.Arrays.copyOf(bytes, at));
      assertRefused(CoreFailure.TRUNCATED, list);
    }
    store.objects.clear();
    assertRefused(CoreFailure.OBJECT_NOT_FOUND, list);
  }

  @Test
  void lines_that_name_no_pack_are_refused() throws IOException {
    String hex = packs(1).get(0).stored().hex();
    String pack = packs(1).get(0).toString();
    for (String line :
        List.of(
            "",
            pack,
            hex + " " + pack,
            hex + "  " + pack.replace("/packs/", "/stacks/"),
            hex + "  w/host-a/manifests/" + hex + "-5.age",
            hex + "  ../" + pack,
            "0".repeat(64) + "  " + pack,
            "x".repeat(2_000_000))) {
      byte[] text = (line + "\n").getBytes("US-ASCII");
      ObjectRef list = Names.list("host-a", Digest.ofContent(text), text.length);
      store.write(list.toString(), text);
      assertRefused(CoreFailure.MALFORMED, list);
    }
    assertRefused(CoreFailure.MALFORMED, Names.list("host-a", packs(1).get(0).stored(), 1L << 40));
  }

  private void assertRefused(CoreFailure code, ObjectRef list) {
    var refused =
        assertThrows(
            BackupException.Corrupt.class, () -> PackLists.read(store.access(), list, p -> {}));
    assertEquals(code, refused.code(), refused.getMessage());
    boolean isNamed = refused.getMessage().contains(list.toString());
    assertTrue(isNamed || code == CoreFailure.MALFORMED, refused.getMessage());
  }
}
