package org.stellaops.backup.internal.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.Stopping;

class ObjectRefTest {
  private static final Digest DIGEST = Digest.ofContent(new byte[10]);

  @Test
  void a_name_says_what_it_holds() throws IOException {
    ObjectRef pack = Names.pack("host-a", DIGEST, 10);
    assertEquals(pack, ObjectRef.parse(pack.toString()));
    assertTrue(pack.isPack());
    assertTrue(Names.list("host-a", DIGEST, 10).isList());
    assertEquals("%s/%s-10".formatted(DIGEST.hex().substring(0, 2), DIGEST), pack.packPath());
  }

  @Test
  void whatever_else_is_no_such_name() {
    String hex = DIGEST.hex();
    for (String name :
        List.of(
            "",
            "w/host-a/manifests/" + hex,
            "w/host-a/manifests/" + hex + "-10",
            "w/host-a/manifests/" + hex + "-010.age",
            "w/host-a/manifests/" + hex + "--1.age",
            "w/host-a/manifests/" + hex + "-1000000000000000000.age",
            "w/host-a/manifests/" + hex.toUpperCase(java.util.Locale.ROOT) + "-10.age",
            "w/host.a/manifests/" + hex + "-10.age",
            "w/../manifests/" + hex + "-10.age",
            "w/host-a/packs/00/" + hex + "-10.age",
            "w/host-a/packs/" + hex + "-10.age",
            "/w/host-a/manifests/" + hex + "-10.age",
            "w/host-a/manifests/" + hex + "-10.age\n")) {
      assertThrows(BackupException.Corrupt.class, () -> ObjectRef.parse(name), name);
    }
  }

  @Test
  void stored_bytes_are_compared_with_length_and_digest() throws IOException {
    MapStore store = new MapStore();
    ObjectRef object = Names.manifest("host-a", DIGEST, 10);
    assertVerdict(CoreFailure.OBJECT_NOT_FOUND, store, object);
    store.write(object.toString(), new byte[10]);
    assertEquals(10, store.access().verify(object, Stopping.never()));
    store.write(object.toString(), new byte[9]);
    assertVerdict(CoreFailure.TRUNCATED, store, object);
    store.write(object.toString(), new byte[11]);
    assertVerdict(CoreFailure.CORRUPT_OBJECT, store, object);
    store.write(object.toString(), new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    assertVerdict(CoreFailure.CORRUPT_OBJECT, store, object);
  }

  @Test
  void a_name_that_lies_about_the_length_is_damage_although_the_digest_is_right() {
    MapStore store = new MapStore();
    ObjectRef lying = Names.manifest("host-a", DIGEST, 11);
    store.write(lying.toString(), new byte[10]);
    assertVerdict(CoreFailure.TRUNCATED, store, lying);
  }

  private static void assertVerdict(CoreFailure code, MapStore store, ObjectRef object) {
    var damage =
        assertThrows(
            BackupException.Corrupt.class, () -> store.access().verify(object, Stopping.never()));
    assertEquals(code, damage.code(), damage.getMessage());
    assertTrue(damage.getMessage().contains(object.toString()), damage.getMessage());
  }
}
