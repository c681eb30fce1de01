package org.stellaops.backup.storage.gcs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.Storage;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.FaultyProxy;
import org.stellaops.backup.testkit.ProxiedRequest;
import org.stellaops.backup.testkit.ProxyFault;
import org.stellaops.backup.testkit.ProxyPlan;

/** What a store in fake-gcs-server can do besides the contract. */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class FakeGcsTest {
  private static final ObjectName NAME = ObjectName.of("packs/a b+c%2F");
  private static final byte[] BYTES = bytes(600_000);

  private static FakeGcs server;

  @BeforeAll
  static void start() throws IOException {
    server = FakeGcs.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void a_missing_bucket_is_named_and_not_made() throws Exception {
    try (ObjectStore store = open(server.sink("absent"))) {
      assertMissing(() -> store.list("", PageToken.START));
      assertMissing(() -> store.put(NAME, ObjectBody.of(BYTES)));
      assertMissing(() -> store.delete(NAME));
      assertMissing(() -> store.open(NAME, ByteRange.ALL));
    }
  }

  @Test
  void more_objects_than_a_page_holds_are_listed() throws Exception {
    try (ObjectStore store = open(server.newSink())) {
      for (int i = 0; i < 1003; i++) {
        store.put(ObjectName.of("many/" + i), ObjectBody.of(new byte[0]));
      }
      int found = 0;
      int pages = 0;
      PageToken token = PageToken.START;
      while (!token.equals(PageToken.END)) {
        var page = store.list("many/", token);
        found += page.objects().size();
        pages++;
        token = page.next();
      }
      assertEquals(1003, found);
      assertEquals(2, pages);
    }
  }

  @Test
  void a_damaged_object_is_set_aside() throws Exception {
    String bucket = server.newBucket();
    Storage raw = server.client();
    try (ObjectStore store = open(server.sink(bucket).partBytes(256 << 10))) {
      byte[] first = BYTES.clone();
      first[99]++;
      byte[] second = BYTES.clone();
      second[98]++;
      store.put(NAME, ObjectBody.of(BYTES));
      StoreAbility.Mending mending = store.ability(StoreAbility.Mending.class).orElseThrow();
      assertReason(
          Reason.NOT_FOUND, () -> mending.mend(ObjectName.of("absent"), ObjectBody.of(BYTES)));

      raw.create(BlobInfo.newBuilder(bucket, NAME.value()).build(), first);
      mending.mend(NAME, ObjectBody.of(BYTES));
      raw.create(BlobInfo.newBuilder(bucket, NAME.value()).build(), second);
      mending.mend(NAME, ObjectBody.of(BYTES));
      raw.create(BlobInfo.newBuilder(bucket, NAME.value()).build(), second);
      mending.mend(NAME, ObjectBody.of(BYTES));

      assertArrayEquals(BYTES, read(store, NAME));
      assertArrayEquals(first, read(store, ObjectName.of(NAME + ".damaged")));
      assertArrayEquals(second, read(store, ObjectName.of(NAME + ".damaged-2")));
      assertEquals(3, store.list("", PageToken.START).objects().size());
    }
  }

  @Test
  void an_upload_that_breaks_off_is_given_up_at_its_address() throws Exception {
    int port = FakeGcs.freePort();
    URI address = URI.create("http://127.0.0.1:" + port);
    try (FaultyProxy proxy = FaultyProxy.before(address);
        FakeGcs behind = FakeGcs.start(port, proxy.uri());
        ObjectStore store =
            open(
                behind
                    .newSink()
                    .endpoint(proxy.uri())
                    .partBytes(256 << 10)
                    .retry(ScriptedService.ONCE))) {
      proxy.follow(
          ProxyPlan.on(
              r -> r.method().equals("PUT") && r.header("content-range").orElse("").contains("524"),
              ProxyFault.reset()));

      assertReason(Reason.TRANSIENT, () -> store.put(NAME, ObjectBody.of(BYTES)));

      List<ProxiedRequest> requests = proxy.requests();
      ProxiedRequest part = ofMethod(requests, "PUT");
      ProxiedRequest end = ofMethod(requests, "DELETE");
      assertEquals(part.query(), end.query());
      assertTrue(end.query().contains("upload_id="), requests::toString);
      assertTrue(end.number() > part.number(), requests::toString);
    }
  }

  private static ProxiedRequest ofMethod(List<ProxiedRequest> requests, String method) {
    return requests.stream().filter(r -> r.method().equals(method)).findFirst().orElseThrow();
  }

  @Test
  void the_server_copies_between_buckets() throws Exception {
    try (ObjectStore from = open(server.newSink());
        ObjectStore to = open(server.newSink().prefix("copies"))) {
      from.put(NAME, ObjectBody.of(BYTES));
      StoreAbility.ServerCopy copy = to.ability(StoreAbility.ServerCopy.class).orElseThrow();

      assertTrue(copy.copy(from, NAME));

      assertArrayEquals(BYTES, read(to, NAME));
      // That a copy replaces nothing is asked for, but this server does not heed it.
      assertReason(Reason.NOT_FOUND, () -> copy.copy(from, ObjectName.of("absent")));
    }
  }

  @Test
  void the_time_is_the_servers() throws Exception {
    try (ObjectStore store = open(server.newSink())) {
      StoreAbility.Times times = store.ability(StoreAbility.Times.class).orElseThrow();
      assertEquals(Optional.empty(), times.storedAt(NAME));
      store.put(NAME, ObjectBody.of(BYTES));
      Instant stored = times.storedAt(NAME).orElseThrow();
      assertTrue(Duration.between(stored, Instant.now()).abs().toMinutes() < 5, stored.toString());
    }
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(31).nextBytes(bytes);
    return bytes;
  }

  private static ObjectStore open(GcsSink sink) throws IOException {
    return sink.open(StoreContext.system());
  }

  private static byte[] read(ObjectStore store, ObjectName name) throws IOException {
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }

  private static void assertMissing(Executable action) {
    var e = assertThrows(BackupException.Sink.class, action);
    assertEquals(CoreFailure.BUCKET_MISSING, e.code(), e.getMessage());
  }

  private static void assertReason(Reason reason, Executable action) {
    assertEquals(reason, assertThrows(BackupException.Sink.class, action).reason());
  }
}
