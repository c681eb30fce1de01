package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.store.RetryPolicy;
import org.stellaops.backup.store.RetryingStore;

/**
 * What a store behind a wire has to do when the wire fails: every request of every operation meets
 * every fault of a {@link FaultyProxy}. An operation that returns did what it says; one that fails
 * says that it may pass, and left an object absent or complete; trying again ends well.
 *
 * <p>The sink must be one that does not try again by itself.
 */
@SuppressWarnings("NullAway.Init") // JUnit calls prepare before each test
public abstract class WireFaultContract {
  private static final ObjectName NAME = ObjectName.of("logs/object");
  private static final ObjectName OTHER = ObjectName.of("logs/other");
  private static final byte[] OTHER_BYTES = SeededBytes.of(21, 3000);

  private static final List<ProxyFault> FAULTS =
      List.of(
          ProxyFault.reset(),
          ProxyFault.resetInBody(0),
          ProxyFault.resetInBody(1000),
          ProxyFault.lostReply(),
          ProxyFault.status(500),
          ProxyFault.status(503),
          ProxyFault.truncatedReply(0),
          ProxyFault.truncatedReply(100));

  private FaultyProxy proxy;

  /** For subclasses. */
  protected WireFaultContract() {}

  /** Where the server is: {@code http://127.0.0.1:port}. */
  protected abstract URI server();

  /**
   * An empty place of its own; gives the sink of it that asks at the address it is told, in the
   * form of {@link #server}, instead of at the server's.
   */
  protected abstract Function<URI, BackupSink> newPlace() throws Exception;

  /** Length of an object that takes several requests to put. */
  protected abstract int largeBytes();

  /**
   * Called before each test, when the proxy is there: for servers that tell clients addresses of
   * their own, and have to be told which. Does nothing unless overridden.
   */
  protected void startBehind(URI proxyUri) throws Exception {}

  /** Puts a proxy in front of the server. */
  @BeforeEach
  public void prepare() throws Exception {
    proxy = FaultyProxy.before(server());
    startBehind(proxy.uri());
  }

  /** Ends the proxy. */
  @AfterEach
  public void cleanUp() throws Exception {
    proxy.close();
  }

  @Test
  public void a_small_put_leaves_the_object_absent_or_complete() throws Exception {
    assertLawOfPut(SeededBytes.of(22, 5000));
  }

  @Test
  public void a_large_put_leaves_the_object_absent_or_complete() throws Exception {
    assertLawOfPut(SeededBytes.of(23, largeBytes()));
  }

  @Test
  public void a_put_of_what_exists_changes_nothing() throws Exception {
    forEachFault(
        (place, fault) -> {
          Reason reason = reasonOf(place, store -> put(store, OTHER, new byte[10]));
          if (reason != Reason.ALREADY_EXISTS) {
            assertEquals(Reason.TRANSIENT, reason, fault);
            assertFalse(fault.isEmpty());
          }
          assertArrayEquals(OTHER_BYTES, read(place.direct(), OTHER), fault);
        });
  }

  @Test
  public void a_read_gives_all_or_fails() throws Exception {
    byte[] bytes = SeededBytes.of(24, largeBytes());
    forEachFault(
        (place, fault) -> {
          put(place.direct(), NAME, bytes);
          Reason reason =
              reasonOf(place, store -> assertArrayEquals(bytes, read(store, NAME), fault));
          assertMayPass(reason, fault);
        });
  }

  @Test
  public void a_listing_shows_all_or_fails() throws Exception {
    forEachFault(
        (place, fault) -> {
          Reason reason = reasonOf(place, store -> assertEquals(Set.of(OTHER), list(store), fault));
          assertMayPass(reason, fault);
        });
  }

  @Test
  public void a_delete_leaves_the_object_absent_or_complete() throws Exception {
    forEachFault(
        (place, fault) -> {
          Reason reason = reasonOf(place, store -> store.delete(OTHER));
          assertMayPass(reason, fault);
          Set<ObjectName> left = list(place.direct());
          assertTrue(left.isEmpty() || reason != null && left.equals(Set.of(OTHER)), fault);
          if (!left.isEmpty()) {
            assertArrayEquals(OTHER_BYTES, read(place.direct(), OTHER), fault);
          }
        });
  }

  @Test
  public void whoever_tries_again_gets_through() throws Exception {
    byte[] bytes = SeededBytes.of(25, largeBytes());
    var policy = new RetryPolicy(4, Duration.ZERO, Duration.ZERO);
    forEachFault(
        (place, fault) -> {
          try (var store =
              new RetryingStore(
                  place.proxied().open(StoreContext.system()),
                  policy,
                  time -> {},
                  new SplittableRandom(1))) {
            put(store, NAME, bytes);
            assertEquals(Set.of(NAME, OTHER), list(store), fault);
            store.delete(OTHER);
          }
          assertArrayEquals(bytes, read(place.direct(), NAME), fault);
          assertEquals(Set.of(NAME), list(place.direct()), fault);
        });
  }

  private void assertLawOfPut(byte[] bytes) throws Exception {
    forEachFault(
        (place, fault) -> {
          Reason reason = reasonOf(place, store -> put(store, NAME, bytes));
          assertMayPass(reason, fault);
          Set<ObjectName> there = list(place.direct());
          if (there.contains(NAME)) {
            assertArrayEquals(bytes, read(place.direct(), NAME), fault);
          } else {
            assertEquals(Reason.TRANSIENT, reason, fault);
            put(place.direct(), NAME, bytes);
          }
          assertEquals(Set.of(NAME, OTHER), list(place.direct()), fault);
        });
  }

  /** First without a fault, to count requests; then with each fault at each of them. */
  private void forEachFault(Law law) throws Exception {
    proxy.follow(ProxyPlan.none());
    check(law, "");
    List<ProxiedRequest> requests = proxy.requests();
    assertTrue(!requests.isEmpty(), "nothing came through the proxy");
    for (ProxiedRequest request : requests) {
      for (ProxyFault fault : FAULTS) {
        proxy.follow(ProxyPlan.at(request.number(), fault));
        check(law, fault + " at " + request);
      }
    }
  }

  private void check(Law law, String fault) throws Exception {
    Function<URI, BackupSink> place = newPlace();
    try (ObjectStore direct = place.apply(server()).open(StoreContext.system())) {
      put(direct, OTHER, OTHER_BYTES);
      law.check(new Place(place.apply(proxy.uri()), direct), fault);
    }
  }

  /** Without a fault nothing fails. */
  private static void assertMayPass(@Nullable Reason reason, String fault) {
    if (reason != null) {
      assertEquals(Reason.TRANSIENT, reason, fault);
      assertFalse(fault.isEmpty());
    }
  }

  /** Why it failed; null if it did not. */
  private static @Nullable Reason reasonOf(Place place, Operation operation) throws IOException {
    try (ObjectStore store = place.proxied().open(StoreContext.system())) {
      operation.run(store);
      return null;
    } catch (BackupException.Sink e) {
      return e.reason();
    }
  }

  private static void put(ObjectStore store, ObjectName name, byte[] bytes) throws IOException {
    store.put(name, ObjectBody.of(bytes));
  }

  private static byte[] read(ObjectStore store, ObjectName name) throws IOException {
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }

  private static Set<ObjectName> list(ObjectStore store) throws IOException {
    List<ObjectName> names = new ArrayList<>();
    PageToken token = PageToken.START;
    while (!token.equals(PageToken.END)) {
      ObjectPage page = store.list("", token);
      page.objects().forEach(row -> names.add(row.name()));
      token = page.next();
    }
    return new TreeSet<>(names);
  }

  private record Place(BackupSink proxied, ObjectStore direct) {}

  @FunctionalInterface
  private interface Law {
    void check(Place place, String fault) throws IOException;
  }

  @FunctionalInterface
  private interface Operation {
    void run(ObjectStore store) throws IOException;
  }
}
