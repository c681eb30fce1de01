package org.stellaops.backup.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.MemorySink;

/** What a store can do it can still do behind the wrappers that are meant for every store. */
class WrappedAbilitiesTest {
  private final MemorySink memory = new MemorySink();
  private final Map<Class<?>, Object> abilities = new HashMap<>();
  private final BackupSink able =
      memory.with(
          inner ->
              new ForwardingStore(inner) {
                @Override
                public <A extends StoreAbility> Optional<A> ability(Class<A> type) {
                  return Optional.ofNullable(abilities.get(type)).map(type::cast);
                }
              });

  private interface OfItsOwn extends StoreAbility {}

  @BeforeEach
  void everything() {
    List<Class<?>> types =
        Arrays.stream(StoreAbility.class.getDeclaredClasses())
            .filter(StoreAbility.class::isAssignableFrom)
            .toList();
    assertTrue(types.size() >= 10, types.toString());
    types.forEach(this::give);
    give(OfItsOwn.class);
  }

  private void give(Class<?> type) {
    abilities.put(
        type,
        Proxy.newProxyInstance(
            type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> null));
  }

  @Test
  void labels_take_nothing_away() throws IOException {
    assertHandedOn(LabelledSink.of(able, "region", "eu"));
  }

  @Test
  void a_quota_takes_only_what_the_store_says_of_its_room() throws IOException {
    BackupSink limited = QuotaSink.of(able, 1_000);
    try (ObjectStore store = limited.open(StoreContext.system())) {
      var room = store.ability(StoreAbility.Capacity.class).orElseThrow();
      assertEquals(OptionalLong.of(1_000), room.freeBytes());
    }
    abilities.remove(StoreAbility.Capacity.class);
    assertHandedOn(limited);
  }

  @Test
  void trying_again_takes_nothing_away() throws IOException {
    try (ObjectStore store =
        RetryingStore.wrapping(RetryPolicy.STANDARD).apply(able.open(StoreContext.system()))) {
      abilities.keySet().forEach(type -> assertTrue(isIn(store, type), type::toString));
    }
  }

  private void assertHandedOn(BackupSink wrapped) throws IOException {
    try (ObjectStore store = wrapped.open(StoreContext.system())) {
      abilities.forEach(
          (type, own) ->
              assertSame(own, store.ability(type.asSubclass(StoreAbility.class)).orElse(null)));
    }
    memory.assertNothingOpen();
  }

  private static boolean isIn(ObjectStore store, Class<?> type) {
    return store.ability(type.asSubclass(StoreAbility.class)).isPresent();
  }
}
