package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.ProxyFault;
import org.stellaops.backup.testkit.ProxyPlan;

/** What is set up wrongly is told apart, whatever is tried first, and nothing half is shown. */
class S3FailureTest {
  private static final ObjectName NAME = ObjectName.of("some/object");
  private static ProxiedServer server;

  @BeforeAll
  static void start() throws Exception {
    server = ProxiedServer.start();
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @BeforeEach
  void heal() {
    server.proxy().follow(ProxyPlan.none());
  }

  @Test
  void a_wrong_secret() throws Exception {
    S3Sink sink =
        server.newSink().credentials(ProxiedServer.ACCESS_KEY, Secret.of("not-the-secret"));

    requireEverywhere(sink, CoreFailure.CREDENTIALS_REFUSED, Reason.DENIED, "not-the-secret");
  }

  @Test
  void an_unknown_access_key() throws Exception {
    S3Sink sink = server.newSink().credentials("nobody", Secret.of(ProxiedServer.SECRET_KEY));

    requireEverywhere(
        sink, CoreFailure.CREDENTIALS_REFUSED, Reason.DENIED, ProxiedServer.SECRET_KEY);
  }

  @Test
  void a_missing_bucket() throws Exception {
    requireEverywhere(
        server.sink("no-such-bucket"), CoreFailure.BUCKET_MISSING, Reason.REFUSED, "secret");
  }

  @Test
  void a_clock_twenty_minutes_off() throws Exception {
    S3Sink sink =
        server.newSink().signedBy(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(20)));

    BackupException.Sink e =
        requireEverywhere(sink, CoreFailure.CLOCK_SKEWED, Reason.REFUSED, "secret");

    assertTrue(
        e.getMessage().matches(".*clock is (119\\d|120\\d) s ahead of the server's.*"),
        e::getMessage);
  }

  @Test
  void a_bucket_in_another_region() throws Exception {
    server
        .proxy()
        .follow(
            ProxyPlan.from(
                0,
                ProxyFault.status(
                    301, Map.of("x-amz-bucket-region", "eu-west-3"), error("PermanentRedirect"))));

    BackupException.Sink e =
        requireEverywhere(
            server.newSink().region("eu-central-1"),
            CoreFailure.WRONG_REGION,
            Reason.REFUSED,
            "secret");

    assertTrue(
        e.getMessage().contains("in region eu-west-3, asked was eu-central-1"), e::getMessage);
  }

  @Test
  void a_signature_for_another_region() throws Exception {
    server
        .proxy()
        .follow(
            ProxyPlan.from(
                0, ProxyFault.status(400, Map.of(), error("AuthorizationHeaderMalformed"))));

    requireEverywhere(server.newSink(), CoreFailure.WRONG_REGION, Reason.REFUSED, "secret");
  }

  @Test
  void no_right_to_list_or_to_delete() throws Exception {
    S3Sink sink = server.newSink();
    server
        .proxy()
        .follow(
            ProxyPlan.on(
                r -> r.method().equals("DELETE") || r.query().contains("list-type"),
                ProxyFault.status(403, Map.of(), error("AccessDenied"))));
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(NAME, ObjectBody.of(new byte[1]));

      var list = require(CoreFailure.SINK_DENIED, () -> store.list("", PageToken.START));
      var delete = require(CoreFailure.SINK_DENIED, () -> store.delete(NAME));

      assertEquals(Reason.DENIED, list.reason());
      assertTrue(list.getMessage().contains("s3:ListBucket"), list::getMessage);
      assertTrue(delete.getMessage().contains("s3:DeleteObject"), delete::getMessage);
      assertTrue(store.ability(StoreAbility.Times.class).orElseThrow().storedAt(NAME).isPresent());
      assertTrue(
          store
              .ability(StoreAbility.Times.class)
              .orElseThrow()
              .storedAt(ObjectName.of("absent"))
              .isEmpty());
    }
  }

  @Test
  void a_bucket_without_lock_when_one_is_asked_for() {
    S3Sink sink = server.newSink().objectLock(S3Sink.LockMode.COMPLIANCE, Duration.ofDays(30));

    var e = require(CoreFailure.LOCK_MISSING, () -> sink.open(StoreContext.system()).close());

    assertEquals(Reason.REFUSED, e.reason());
  }

  @Test
  void a_server_that_is_not_there() throws Exception {
    S3Sink sink = server.newSink().endpoint(URI.create("http://127.0.0.1:1"));

    requireEverywhere(sink, CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, "secret");
  }

  @Test
  void a_server_that_has_no_room() throws Exception {
    server
        .proxy()
        .follow(
            ProxyPlan.on(
                r -> r.method().equals("PUT"),
                ProxyFault.status(507, Map.of(), error("XMinioStorageFull"))));
    try (ObjectStore store = server.newSink().open(StoreContext.system())) {
      var e = require(CoreFailure.SINK_FULL, () -> store.put(NAME, ObjectBody.of(new byte[1])));

      assertEquals(Reason.NO_SPACE, e.reason());
    }
  }

  @Test
  void an_object_in_a_cold_tier() throws Exception {
    server
        .proxy()
        .follow(
            ProxyPlan.on(
                r -> r.method().equals("GET"),
                ProxyFault.status(403, Map.of(), error("InvalidObjectState"))));
    try (ObjectStore store = server.newSink().open(StoreContext.system())) {
      var e = require(CoreFailure.NOT_RETRIEVED, () -> store.open(NAME, ByteRange.ALL).close());

      assertEquals(Reason.NOT_YET_RETRIEVED, e.reason());
    }
  }

  @Test
  void a_name_too_long_with_its_prefix() throws Exception {
    String folder = "f".repeat(200);
    ObjectName name = ObjectName.of((folder + "/").repeat(4) + "n".repeat(200));
    try (ObjectStore store = server.newSink().prefix(folder).open(StoreContext.system())) {
      require(CoreFailure.NAME_REFUSED, () -> store.put(name, ObjectBody.of(new byte[1])));
    }
  }

  @Test
  void a_sink_that_says_too_little_does_not_open() {
    S3Sink sink = S3Sink.bucket("b");
    assertThrows(IllegalStateException.class, () -> sink.open(StoreContext.system()).close());
    S3Sink named = sink.credentials("a", Secret.of("b"));
    assertThrows(IllegalStateException.class, () -> named.open(StoreContext.system()).close());
  }

  @Test
  void an_endpoint_with_credentials_in_it_is_refused_and_not_repeated() {
    for (String wrong :
        List.of("https://key:topsecret@minio.example", "https://minio.example/?key=topsecret")) {
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> S3Sink.bucket("b").endpoint(URI.create(wrong)));
      assertTrue(!String.valueOf(e.getMessage()).contains("topsecret"), e::getMessage);
    }
  }

  @Test
  void a_lock_without_checksums_is_refused_before_anything_is_opened() {
    S3Sink unchecked = server.sink("b").checksums(S3Sink.Checksums.NONE);
    S3Sink locking = server.sink("b").objectLock(S3Sink.LockMode.GOVERNANCE, Duration.ofDays(1));
    List<Executable> pairs =
        List.of(
            () -> unchecked.objectLock(S3Sink.LockMode.GOVERNANCE, Duration.ofDays(1)),
            () -> locking.checksums(S3Sink.Checksums.NONE));
    for (Executable pair : pairs) {
      var e = assertThrows(IllegalArgumentException.class, pair);
      assertEquals("objectLock needs checksums, found checksums(NONE)", e.getMessage());
    }
  }

  /** Whatever is tried, it says what is wrong and where, and never the secret. */
  private static BackupException.Sink requireEverywhere(
      S3Sink sink, CoreFailure code, Reason reason, String secret) throws IOException {
    BackupException.Sink last;
    try (ObjectStore store = sink.open(StoreContext.system())) {
      StoreAbility.Times times = store.ability(StoreAbility.Times.class).orElseThrow();
      StoreAbility.Strays strays = store.ability(StoreAbility.Strays.class).orElseThrow();
      List<Action> actions =
          List.of(
              () -> store.put(NAME, ObjectBody.of(new byte[10])),
              () -> store.put(NAME, ObjectBody.of(new byte[2 << 20])),
              () -> store.open(NAME, ByteRange.ALL).close(),
              () -> store.open(NAME, new ByteRange(0, 0)).close(),
              () -> store.list("", PageToken.START),
              () -> times.storedAt(NAME),
              strays::sweep,
              () -> store.delete(NAME));
      last = require(code, actions.get(0));
      for (Action action : actions) {
        last = require(code, action);
        assertEquals(reason, last.reason(), last.getMessage());
        assertTrue(last.getMessage().contains("bucket "), last::getMessage);
        for (Throwable e = last; e != null; e = e.getCause()) {
          assertTrue(!String.valueOf(e.getMessage()).contains(secret), e::getMessage);
        }
      }
    }
    return last;
  }

  private static BackupException.Sink require(CoreFailure code, Action action) {
    var e = assertThrows(BackupException.Sink.class, action::run);
    assertEquals(code, e.code(), e.getMessage());
    return e;
  }

  private static String error(String code) {
    return "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>m</Message></Error>"
        .formatted(code);
  }

  private interface Action {
    void run() throws IOException;
  }
}
