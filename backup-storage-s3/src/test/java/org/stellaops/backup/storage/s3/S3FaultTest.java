package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.FaultyProxy;
import org.stellaops.backup.testkit.ProxyFault;
import org.stellaops.backup.testkit.ProxyPlan;

/** Every request of every operation meets every fault of the wire. */
class S3FaultTest {
  private static final byte[] SMALL = bytes(1, 70_000);

  /** Two parts. */
  private static final byte[] LARGE = bytes(2, (int) S3Pace.MIN_PART_BYTES + 100_000);

  private static final String SLOW_DOWN =
      "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>m</Message></Error>";

  private static ProxiedServer server;
  private static FaultyProxy proxy;
  private S3Sink sink;
  private int runs;

  @BeforeAll
  static void start() throws Exception {
    server = ProxiedServer.start();
    proxy = server.proxy();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void heal() {
    proxy.follow(ProxyPlan.none());
    sink = server.newSink();
  }

  static Stream<ProxyFault> faults() {
    return Stream.of(
        ProxyFault.reset(),
        ProxyFault.resetInBody(0),
        ProxyFault.resetInBody(60_000),
        ProxyFault.lostReply(),
        ProxyFault.status(500),
        ProxyFault.status(503, Map.of(), SLOW_DOWN),
        ProxyFault.truncatedReply(0),
        ProxyFault.truncatedReply(100));
  }

  @ParameterizedTest
  @MethodSource("faults")
  void one_fault_is_nobodys_business(ProxyFault fault) throws Exception {
    failEach(fault, Math.floorMod(fault.toString().hashCode(), 5), 5);
  }

  @Tag("soak")
  @ParameterizedTest
  @MethodSource("faults")
  void one_fault_anywhere_is_nobodys_business(ProxyFault fault) throws Exception {
    failEach(fault, 0, 1);
  }

  private void failEach(ProxyFault fault, int first, int step) throws Exception {
    long requests = scenario();
    for (long n = first; n < requests; n += step) {
      proxy.follow(ProxyPlan.at(n, fault));
      long made = scenario();
      assertTrue(made > n, () -> "too few requests with " + fault);
    }
    try (ObjectStore store = sink.open(StoreContext.system())) {
      assertNothingStray(store);
    }
  }

  @ParameterizedTest
  @MethodSource("faults")
  void a_wire_that_is_broken_for_good_leaves_an_object_whole_or_absent(ProxyFault fault)
      throws Exception {
    exhaust(fault, 2);
  }

  @Tag("soak")
  @ParameterizedTest
  @MethodSource("faults")
  void a_wire_that_is_broken_for_good_at_any_request_leaves_an_object_whole_or_absent(
      ProxyFault fault) throws Exception {
    exhaust(fault, 1);
  }

  private void exhaust(ProxyFault fault, int step) throws Exception {
    for (byte[] bytes : List.of(SMALL, LARGE)) {
      long requests = requestsOfPut(bytes);
      for (long n = 0; n < requests; n += bytes.length == LARGE.length ? step : 1) {
        ObjectName name = ObjectName.of("broken/" + runs++);
        ObjectBody body = ObjectBody.of(bytes);
        // Faults that pass on what is sent may leave the put done, and so may end well.
        try (ObjectStore broken = sink.open(StoreContext.system())) {
          proxy.follow(ProxyPlan.from(n, fault));
          broken.put(name, body);
        } catch (BackupException.Sink e) {
          assertEquals(Reason.TRANSIENT, e.reason(), fault + " from request " + n + ": " + e);
        }
        proxy.follow(ProxyPlan.none());
        requireWholeOrAbsent(name, body, bytes, fault + " from request " + n);
      }
    }
  }

  private void requireWholeOrAbsent(ObjectName name, ObjectBody body, byte[] bytes, String when)
      throws Exception {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      boolean isThere = list(store, name.value()).containsKey(name.value());
      if (isThere) {
        assertArrayEquals(bytes, read(store, name, ByteRange.ALL), when);
      } else {
        store.put(name, body);
        assertArrayEquals(bytes, read(store, name, ByteRange.ALL), when);
      }
      assertNothingStray(store);
    }
  }

  @Test
  void a_download_goes_on_where_it_broke() throws Exception {
    ObjectName name = ObjectName.of("download");
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(name, ObjectBody.of(LARGE));
      proxy.follow(ProxyPlan.burst(0, 2, ProxyFault.truncatedReply(1_000_000)));

      assertArrayEquals(LARGE, read(store, name, ByteRange.ALL));

      assertEquals(3, proxy.requests().size());
      assertEquals(
          "bytes=2000000-" + (LARGE.length - 1),
          proxy.requests().get(2).header("range").orElseThrow());
    }
  }

  @Test
  void a_download_that_makes_no_progress_ends() throws Exception {
    ObjectName name = ObjectName.of("download");
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(name, ObjectBody.of(LARGE));
      proxy.follow(ProxyPlan.from(0, ProxyFault.truncatedReply(0)));

      var e =
          assertThrows(BackupException.Sink.class, () -> read(store, name, ByteRange.ALL).clone());

      assertEquals(Reason.TRANSIENT, e.reason());
    }
  }

  @Test
  void an_object_that_is_replaced_while_it_is_read_is_refused() throws Exception {
    ObjectName name = ObjectName.of("download");
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(name, ObjectBody.of(LARGE));
      proxy.follow(ProxyPlan.at(0, ProxyFault.truncatedReply(1_000_000)));
      try (InputStream in = store.open(name, ByteRange.ALL)) {
        in.readNBytes(10);
        store.delete(name);
        store.put(name, ObjectBody.of(bytes(3, LARGE.length)));

        var e = assertThrows(BackupException.Sink.class, in::readAllBytes);

        assertEquals(Reason.REFUSED, e.reason(), e.getMessage());
      }
    }
  }

  @Test
  void latency_only_takes_time() throws Exception {
    proxy.follow(ProxyPlan.on(r -> true, ProxyFault.latency(Duration.ofMillis(20))));
    scenario();
  }

  @Test
  void a_server_that_asks_to_slow_down_is_asked_for_less_at_once_and_then_for_more()
      throws Exception {
    try (S3Store store = (S3Store) sink.open(StoreContext.system())) {
      int first = store.limit();
      proxy.follow(ProxyPlan.burst(0, 2, ProxyFault.status(503, Map.of(), SLOW_DOWN)));
      store.put(ObjectName.of("slow/first"), ObjectBody.of(SMALL));
      assertEquals(3, proxy.requests().size());
      assertEquals(first / 4, store.limit());

      ObjectName absent = ObjectName.of("slow/absent");
      for (int i = 0; i < first; i++) {
        store.list(absent.value(), PageToken.START);
      }
      assertTrue(store.limit() > first / 4, () -> "still at " + store.limit());
    }
  }

  @Test
  void a_server_that_goes_on_asking_is_said_to_be_busy() throws Exception {
    proxy.follow(ProxyPlan.from(0, ProxyFault.status(503, Map.of(), SLOW_DOWN)));
    try (ObjectStore store = sink.open(StoreContext.system())) {
      var e =
          assertThrows(
              BackupException.Sink.class,
              () -> store.put(ObjectName.of("busy"), ObjectBody.of(SMALL)));
      assertEquals(CoreFailure.STORE_BUSY, e.code(), e.getMessage());
      assertEquals(Reason.TRANSIENT, e.reason());
    }
  }

  /** All operations once, with all that has to hold; returns how many requests that took. */
  private long scenario() throws IOException {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      scenario(store);
    }
    return proxy.requests().size();
  }

  private void scenario(ObjectStore store) throws IOException {
    String folder = "run-" + runs++ + "/";
    ObjectName small = ObjectName.of(folder + "small");
    ObjectName large = ObjectName.of(folder + "large");
    store.put(small, ObjectBody.of(SMALL));
    store.put(large, ObjectBody.of(LARGE));
    var taken =
        assertThrows(
            BackupException.Sink.class, () -> store.put(small, ObjectBody.of(new byte[1])));
    assertEquals(Reason.ALREADY_EXISTS, taken.reason(), taken.getMessage());
    assertArrayEquals(SMALL, read(store, small, ByteRange.ALL));
    assertArrayEquals(
        Arrays.copyOfRange(LARGE, 5_000_000, 5_100_000),
        read(store, large, new ByteRange(5_000_000, 100_000)));
    assertEquals(
        Map.of(small.value(), (long) SMALL.length, large.value(), (long) LARGE.length),
        list(store, folder));
    assertTrue(store.ability(StoreAbility.Times.class).orElseThrow().storedAt(small).isPresent());
    store.delete(small);
    store.delete(large);
    assertEquals(Map.of(), list(store, folder));
  }

  private long requestsOfPut(byte[] bytes) throws IOException {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      proxy.follow(ProxyPlan.none());
      store.put(ObjectName.of("good/" + runs++), ObjectBody.of(bytes));
      return proxy.requests().size();
    }
  }

  private static void assertNothingStray(ObjectStore store) throws IOException {
    proxy.follow(ProxyPlan.none());
    StoreAbility.Strays strays = store.ability(StoreAbility.Strays.class).orElseThrow();
    strays.sweep();
    assertEquals(0, strays.sweep());
  }

  private static Map<String, Long> list(ObjectStore store, String prefix) throws IOException {
    Map<String, Long> found = new TreeMap<>();
    List<PageToken> tokens = new ArrayList<>(List.of(PageToken.START));
    while (!tokens.get(tokens.size() - 1).equals(PageToken.END)) {
      ObjectPage page = store.list(prefix, tokens.get(tokens.size() - 1));
      page.objects().forEach(o -> found.put(o.name().value(), o.lengthBytes()));
      tokens.add(page.next());
    }
    return found;
  }

  private static byte[] read(ObjectStore store, ObjectName name, ByteRange range)
      throws IOException {
    try (InputStream in = store.open(name, range)) {
      return in.readAllBytes();
    }
  }

  private static byte[] bytes(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
