package org.stellaops.backup.storage.gcs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.api.client.http.HttpHeaders;
import com.google.api.client.http.HttpResponseException;
import com.google.auth.Credentials;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.security.KeyPairGenerator;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.KeptVersion;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.store.RetryPolicy;
import org.stellaops.backup.testkit.ExposureVerdicts;
import org.stellaops.backup.testkit.MemorySink;

/** What is asked of Google, and what its answers become, without a server that knows more. */
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class GcsStoreTest {
  private static final ObjectName NAME = ObjectName.of("some/object");
  private static final ObjectBody BODY = ObjectBody.of(new byte[] {'1', '2', '3'});
  private static final String BLOB =
      """
      {"name":"some/object","bucket":"box","generation":"7","size":"3",
       "metadata":{"stella-nonce":"%s"}%s}""";

  private static final String SKEW =
      "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";

  private ScriptedService service;

  @BeforeEach
  void start() throws IOException {
    service = ScriptedService.start();
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @ParameterizedTest
  @CsvSource({
    "401, authError, Invalid Credentials, CREDENTIALS_REFUSED, DENIED",
    "403, forbidden, x does not have storage.objects.list access, SINK_DENIED, DENIED",
    "403, accountDisabled, The account is disabled., SINK_DENIED, DENIED",
    "403, rateLimitExceeded, Slow down, STORE_BUSY, TRANSIENT",
    "404, notFound, The specified bucket does not exist., BUCKET_MISSING, REFUSED",
    "429, rateLimitExceeded, Slow down, STORE_BUSY, TRANSIENT",
    "408, timeout, Late, SINK_FAILED, TRANSIENT",
    "500, backendError, Sorry, SINK_FAILED, TRANSIENT",
    "503, backendError, Sorry, STORE_BUSY, TRANSIENT",
    "400, invalid, Bad, SINK_FAILED, REFUSED",
  })
  void an_answer_becomes_a_failure_of_its_own(
      int status, String reason, String message, CoreFailure failure, Reason expected)
      throws Exception {
    service.fail(status, reason, message);
    try (ObjectStore store = open(service.sink())) {
      assertFailure(failure, expected, () -> store.list("", PageToken.START));
    }
    assertEquals(1, service.requests().size(), "nothing is tried twice");
  }

  @Test
  void a_delete_that_was_refused_is_not_taken_for_done() throws Exception {
    service
        .fail(403, "retentionPolicyNotMet", "Object is subject to retention policy")
        .fail(403, "forbidden", "x does not have storage.objects.delete access")
        .fail(404, "notFound", "No such object")
        .fail(404, "notFound", "The specified bucket does not exist.");
    try (ObjectStore store = open(service.sink())) {
      assertFailure(CoreFailure.OBJECT_LOCKED, Reason.LOCKED, () -> store.delete(NAME));
      assertFailure(CoreFailure.SINK_DENIED, Reason.DENIED, () -> store.delete(NAME));
      assertFailure(CoreFailure.BUCKET_MISSING, Reason.REFUSED, () -> store.delete(NAME));
    }
  }

  @Test
  void a_delete_of_nothing_is_done_where_there_is_a_bucket() throws Exception {
    service.fail(404, "notFound", "No such object").emptyList();
    try (ObjectStore store = open(service.sink())) {
      store.delete(NAME);
    }
    assertEquals(2, service.requests().size());
  }

  @Test
  void the_right_that_is_missing_is_named() throws Exception {
    service.fail(403, "forbidden", "no");
    try (ObjectStore store = open(service.sink())) {
      var e = assertThrows(IOException.class, () -> store.list("", PageToken.START));
      assertTrue(e.getMessage().contains("the right storage.objects.list"), e.getMessage());
    }
  }

  @Test
  void a_put_creates_and_says_what_it_is() throws Exception {
    service.answer(200, BLOB.formatted("x", ""));
    try (ObjectStore store =
        open(service.sink().prefix("here").storageClass(GcsSink.StorageClass.NEARLINE))) {
      store.put(NAME, BODY);
    }

    ScriptedService.Request put = service.request(0);
    assertEquals("POST", put.method());
    assertTrue(put.target().startsWith("/upload/storage/v1/b/box/o?"), put.target());
    assertTrue(put.target().contains("ifGenerationMatch=0"), put.target());
    assertTrue(put.body().contains("\"name\":\"here/some/object\""), put.body());
    assertTrue(put.body().contains("\"storageClass\":\"NEARLINE\""), put.body());
    // CRC-32C of "123" is 0x107b2fb2.
    assertTrue(put.body().contains("\"crc32c\":\"EHsvsg==\""), put.body());
    assertTrue(put.body().contains(BODY.digest().hex()), put.body());
  }

  @Test
  void a_put_whose_reply_was_lost_is_known_by_its_nonce() throws Exception {
    service
        .fail(503, "backendError", "Sorry")
        .answer(200, BLOB.formatted(ScriptedService.NONCE_OF_FIRST, ""));
    try (ObjectStore store = open(service.sink())) {
      store.put(NAME, BODY);
    }
    assertEquals("GET", service.request(1).method());
  }

  @Test
  void what_may_pass_is_tried_again_and_a_put_of_ours_is_ours() throws Exception {
    service
        .fail(503, "backendError", "Sorry")
        .fail(412, "conditionNotMet", "At least one precondition did not hold")
        .fail(503, "backendError", "Sorry")
        .answer(200, BLOB.formatted(ScriptedService.NONCE_OF_FIRST, ""));
    var quick = new RetryPolicy(3, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().retry(quick))) {
      store.put(NAME, BODY);
    }
    assertEquals(4, service.requests().size());
  }

  @Test
  void a_stream_that_breaks_goes_on_where_it_was() throws Exception {
    service.answer(200, BLOB.formatted("x", "")).answer(200, "12").answer(206, "3");
    var quick = new RetryPolicy(2, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().retry(quick));
        InputStream in = store.open(NAME, ByteRange.ALL)) {
      assertArrayEquals(new byte[] {'1', '2', '3'}, in.readAllBytes());
    }
    assertEquals("bytes=2-2", service.request(2).range());
  }

  @Test
  void a_stream_that_never_gives_a_byte_is_given_up() throws Exception {
    service.answer(200, BLOB.formatted("x", ""));
    for (int i = 0; i < 10; i++) {
      service.cut(200, 3);
    }
    var quick = new RetryPolicy(3, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().retry(quick))) {
      assertFailure(
          CoreFailure.STORE_UNREACHABLE,
          Reason.TRANSIENT,
          () -> store.open(NAME, ByteRange.ALL).close());
    }
    // Newer JDKs call it a premature end, upon which the SDK itself asks once more.
    int readings = service.requests().size() - 1;
    assertTrue(readings == 3 || readings == 6, "readings: " + readings);
  }

  @ParameterizedTest
  @ValueSource(ints = {404, 410})
  void an_upload_that_google_forgot_begins_again(int forgotten) throws Exception {
    int part = 256 << 10;
    String whole = BLOB.formatted("x", "").replace("\"size\":\"3\"", "\"size\":\"%d\"");
    service
        .session(1)
        .fail(forgotten, "notFound", "No such upload")
        .fail(499, "cancelled", "given up")
        .session(2)
        .received(part)
        .answer(200, whole.formatted(part + 1));
    var quick = new RetryPolicy(2, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().partBytes(part).retry(quick))) {
      store.put(NAME, ObjectBody.of(new byte[part + 1]));
    }
    assertTrue(service.request(1).target().endsWith("upload_id=1"), service.request(1).target());
    assertTrue(service.request(5).target().endsWith("upload_id=2"), service.request(5).target());
    assertEquals(6, service.requests().size());
  }

  @Test
  void a_bucket_that_is_not_there_takes_no_parts() throws Exception {
    service.fail(404, "notFound", "The specified bucket does not exist.");
    int part = 256 << 10;
    try (ObjectStore store = open(service.sink().partBytes(part))) {
      assertFailure(
          CoreFailure.BUCKET_MISSING,
          Reason.REFUSED,
          () -> store.put(NAME, ObjectBody.of(new byte[part + 1])));
    }
  }

  @Test
  void what_another_put_meanwhile_exists() throws Exception {
    service
        .fail(503, "backendError", "Sorry")
        .answer(200, BLOB.formatted("another", ""))
        .fail(412, "conditionNotMet", "At least one precondition did not hold")
        .answer(200, BLOB.formatted("another", ""));
    try (ObjectStore store = open(service.sink())) {
      assertFailure(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, () -> store.put(NAME, BODY));
      assertFailure(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, () -> store.put(NAME, BODY));
    }
  }

  @Test
  void bytes_that_were_damaged_on_the_way_are_sent_again() throws Exception {
    service
        .fail(400, "invalid", "Provided CRC32C EHsvsg== doesn't match calculated CRC32C AAAAAA==.")
        .answer(200, BLOB.formatted("x", ""));
    var quick = new RetryPolicy(2, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().retry(quick))) {
      store.put(NAME, BODY);
    }
    assertEquals(
        List.of("POST", "POST"), service.requests().stream().map(r -> r.method()).toList());
  }

  @Test
  void a_put_that_nobody_knows_of_may_be_tried_again() throws Exception {
    service
        .fail(503, "backendError", "Sorry")
        .fail(404, "notFound", "No such object")
        .emptyList()
        .fail(503, "backendError", "Sorry")
        .fail(503, "backendError", "Sorry");
    try (ObjectStore store = open(service.sink())) {
      assertFailure(CoreFailure.STORE_BUSY, Reason.TRANSIENT, () -> store.put(NAME, BODY));
      assertFailure(CoreFailure.STORE_BUSY, Reason.TRANSIENT, () -> store.put(NAME, BODY));
    }
  }

  @Test
  void a_busy_service_is_asked_for_less_at_once_and_then_for_more() throws Exception {
    service
        .fail(503, "backendError", "Sorry")
        .fail(429, "rateLimitExceeded", "Slow down")
        .fail(500, "internalError", "Oops")
        .answer(200, BLOB.formatted("x", ""));
    var quick = new RetryPolicy(4, Duration.ZERO, Duration.ZERO);
    try (GcsStore store = (GcsStore) open(service.sink().retry(quick))) {
      StoreAbility.Times times = store.ability(StoreAbility.Times.class).orElseThrow();
      int first = store.limit();
      store.put(NAME, BODY);
      assertEquals(first / 4, store.limit());

      for (int i = 0; i < first; i++) {
        service.answer(200, BLOB.formatted("x", ""));
        times.storedAt(NAME);
      }
      assertTrue(store.limit() > first / 4, () -> "still at " + store.limit());
    }
  }

  @Test
  void a_listing_goes_on_where_google_says_and_passes_over_what_is_no_object() throws Exception {
    service
        .answer(
            200,
            """
            {"items":[{"bucket":"box","name":"here/a","size":"1","generation":"5"},
                      {"bucket":"box","name":"here//b","size":"1","generation":"5"}],"nextPageToken":"more"}""")
        .answer(
            200,
            """
            {"items":[{"bucket":"box","name":"here/c","size":"2","generation":"6"}]}""");
    try (ObjectStore store = open(service.sink().prefix("here"))) {
      ObjectPage first = store.list("", PageToken.START);
      ObjectPage second = store.list("", first.next());

      assertEquals(List.of("a"), first.objects().stream().map(o -> o.name().value()).toList());
      assertEquals("6", second.objects().get(0).version());
      assertEquals(PageToken.END, second.next());
    }
    assertTrue(service.request(1).target().contains("pageToken=more"), service.request(1).target());
  }

  @Test
  void an_object_that_is_not_there_is_not_a_bucket_that_is_not_there() throws Exception {
    service
        .fail(404, "notFound", "No such object: box/some/object")
        .emptyList()
        .fail(404, "notFound", "Not Found")
        .fail(404, "notFound", "Not Found");
    try (ObjectStore store = open(service.sink())) {
      assertFailure(
          CoreFailure.OBJECT_NOT_FOUND, Reason.NOT_FOUND, () -> store.open(NAME, ByteRange.ALL));
      assertFailure(
          CoreFailure.BUCKET_MISSING, Reason.REFUSED, () -> store.open(NAME, ByteRange.ALL));
    }
  }

  @Test
  void what_is_read_is_of_one_generation_and_what_is_read_short_is_no_end() throws Exception {
    service.answer(200, BLOB.formatted("x", "")).answer(200, "12");
    try (ObjectStore store = open(service.sink());
        InputStream in = store.open(NAME, ByteRange.ALL)) {
      assertFailure(CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, in::readAllBytes);
    }
    assertTrue(service.request(1).target().contains("generation=7"), service.request(1).target());
  }

  @Test
  void a_copy_is_made_only_where_there_is_nothing() throws Exception {
    service
        .answer(200, BLOB.formatted("x", ""))
        .fail(412, "conditionNotMet", "At least one precondition did not hold")
        .answer(200, BLOB.formatted("another", ""));
    GcsSink sink = service.sink();
    try (ObjectStore from = open(sink);
        ObjectStore to = open(sink.prefix("copies"))) {
      StoreAbility.ServerCopy copy = to.ability(StoreAbility.ServerCopy.class).orElseThrow();
      assertFailure(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, () -> copy.copy(from, NAME));
    }
    assertTrue(service.request(1).target().contains("rewriteTo"), service.request(1).target());
    assertTrue(
        service.request(1).target().contains("ifGenerationMatch=0"), service.request(1).target());
  }

  @Test
  void a_version_that_is_not_brought_back_in_passing_is_not_said_to_exist() throws Exception {
    service
        .answer(200, BLOB.formatted("live", ""))
        .answer(200, BLOB.formatted("earlier", ""))
        .fail(503, "backendError", "Sorry")
        .answer(200, BLOB.formatted("live", ""));
    var version = new KeptVersion(NAME, "5", 3, Instant.EPOCH, Optional.empty(), true);
    try (ObjectStore store = open(service.sink())) {
      StoreAbility.History history = store.ability(StoreAbility.History.class).orElseThrow();
      assertFailure(CoreFailure.STORE_BUSY, Reason.TRANSIENT, () -> history.bringBack(version));
    }
    assertEquals(4, service.requests().size());
  }

  @Test
  void a_lock_is_set_and_never_shortened() throws Exception {
    service
        .answer(200, BLOB.formatted("x", ""))
        .answer(200, BLOB.formatted("x", ""))
        .answer(
            200,
            BLOB.formatted(
                "x",
                ",\"retention\":{\"mode\":\"Locked\",\"retainUntilTime\":\"2031-01-01T00:00:00Z\"}"))
        .answer(200, BLOB.formatted("x", ",\"temporaryHold\":true"));
    Instant until = Instant.parse("2030-01-01T00:00:00Z");
    try (ObjectStore store = open(service.sink().retention(GcsSink.Retention.LOCKED))) {
      StoreAbility.Locking locking = store.ability(StoreAbility.Locking.class).orElseThrow();
      locking.lock(NAME, until);
      locking.lock(NAME, until);
      locking.lock(NAME, until);
    }

    ScriptedService.Request lock = service.request(1);
    assertTrue(lock.body().contains("2030-01-01T00:00:00"), lock.body());
    assertTrue(lock.body().contains("\"mode\":\"Locked\""), lock.body());
    assertEquals(4, service.requests().size(), "what is locked for longer stays");
  }

  @Test
  void a_bucket_that_cannot_lock_says_so() throws Exception {
    service
        .answer(200, BLOB.formatted("x", ""))
        .fail(400, "invalid", "Object retention is not enabled on bucket");
    try (ObjectStore store = open(service.sink().retention(GcsSink.Retention.UNLOCKED))) {
      StoreAbility.Locking locking = store.ability(StoreAbility.Locking.class).orElseThrow();
      assertFailure(
          CoreFailure.LOCK_MISSING,
          Reason.REFUSED,
          () -> locking.lock(NAME, Instant.parse("2030-01-01T00:00:00Z")));
    }
    try (ObjectStore store = open(service.sink())) {
      assertEquals(Optional.empty(), store.ability(StoreAbility.Locking.class));
    }
  }

  @Test
  void a_bucket_that_anybody_can_read_fails_the_check() throws Exception {
    service
        .answer(200, "{\"name\":\"box\",\"objectRetention\":{\"mode\":\"Enabled\"}}")
        .answer(
            200,
            """
            {"version":1,"etag":"CAE=","bindings":[
             {"role":"roles/storage.objectViewer","members":["allUsers"]}]}""")
        .answer(
            200,
            """
            {"name":"box","iamConfiguration":{"publicAccessPrevention":"enforced",
             "uniformBucketLevelAccess":{"enabled":true}}}""")
        .fail(403, "forbidden", "no");
    try (ObjectStore store = open(service.sink())) {
      var first = ExposureVerdicts.of(store);
      assertEquals(Verdict.FAIL, first.get("sink: check.public-access"));
      assertEquals(Verdict.PASS, first.get("sink: check.immutability"));
      var second = ExposureVerdicts.of(store);
      assertEquals(Verdict.PASS, second.get("sink: check.public-access"));
      assertEquals(Verdict.WARN, second.get("sink: check.immutability"));
      assertEquals(Verdict.SKIP, ExposureVerdicts.of(store).get("sink: check.public-access"));
    }
  }

  @Test
  void nothing_is_copied_from_another_kind_of_store() throws Exception {
    try (ObjectStore store = open(service.sink());
        ObjectStore other = new MemorySink().open()) {
      assertFalse(store.ability(StoreAbility.ServerCopy.class).orElseThrow().copy(other, NAME));
    }
    assertEquals(List.of(), service.requests());
  }

  @Test
  void a_server_that_is_not_there_may_come_back() throws Exception {
    int port;
    try (var closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = closed.getLocalPort();
    }
    URI nowhere = URI.create("http://127.0.0.1:" + port);
    try (ObjectStore store = open(service.sink().endpoint(nowhere))) {
      assertFailure(
          CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.list("", PageToken.START));
    }
  }

  @Test
  void a_handshake_that_is_cut_off_is_tried_again() throws Exception {
    var quick = new RetryPolicy(3, Duration.ZERO, Duration.ZERO);
    try (var server = new CutHandshakes()) {
      URI there = URI.create("https://127.0.0.1:" + server.port());
      try (ObjectStore store = open(service.sink().endpoint(there).retry(quick))) {
        assertFailure(
            CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.list("", PageToken.START));
      }
      assertEquals(3, server.count());
    }
  }

  @Test
  void a_server_that_says_nothing_is_given_up() throws Exception {
    try (var silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      URI there = URI.create("http://127.0.0.1:" + silent.getLocalPort());
      try (ObjectStore store =
          open(service.sink().endpoint(there).timeout(Duration.ofMillis(200)))) {
        assertFailure(
            CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.list("", PageToken.START));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "invalid_grant: Invalid JWT: Token must be in a reasonable timeframe, CLOCK_SKEWED",
    "invalid_grant: account not found, CREDENTIALS_REFUSED",
  })
  void a_token_that_is_not_given_says_why(String said, CoreFailure failure) throws Exception {
    Credentials refusing =
        new GoogleCredentials() {
          @Override
          public AccessToken refreshAccessToken() throws IOException {
            throw new IOException("Error getting access token", new IOException(said));
          }
        };
    try (ObjectStore store = open(service.sink().credentials(refusing))) {
      assertFailure(failure, Reason.DENIED, () -> store.list("", PageToken.START));
      assertFailure(failure, Reason.DENIED, () -> store.put(NAME, BODY));
    }
    assertEquals(List.of(), service.requests());
  }

  @ParameterizedTest
  @MethodSource("passingFailures")
  void a_token_that_does_not_come_is_asked_for_again(IOException passing) throws Exception {
    var asked = new AtomicInteger();
    Credentials failing =
        new GoogleCredentials() {
          @Override
          public AccessToken refreshAccessToken() throws IOException {
            asked.incrementAndGet();
            throw new IOException("Error getting access token for service account: x", passing);
          }
        };
    var quick = new RetryPolicy(3, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().credentials(failing).retry(quick))) {
      assertFailure(
          CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.list("", PageToken.START));
    }
    assertEquals(3, asked.get());
    assertEquals(List.of(), service.requests());
  }

  static List<IOException> passingFailures() {
    return List.of(
        new UnknownHostException("oauth2.googleapis.com"),
        new SocketTimeoutException("Read timed out"),
        new SocketException("Connection reset"),
        new SSLException("Connection reset"),
        new HttpResponseException.Builder(503, "Service Unavailable", new HttpHeaders()).build());
  }

  @Test
  void a_token_that_the_token_service_refuses_is_not_asked_for_again() throws Exception {
    var asked = new AtomicInteger();
    Credentials refused =
        new GoogleCredentials() {
          @Override
          public AccessToken refreshAccessToken() throws IOException {
            asked.incrementAndGet();
            var answer = new HttpResponseException.Builder(401, "", new HttpHeaders()).build();
            throw new IOException("Error getting access token for service account: x", answer);
          }
        };
    var quick = new RetryPolicy(3, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().credentials(refused).retry(quick))) {
      assertFailure(
          CoreFailure.CREDENTIALS_REFUSED, Reason.DENIED, () -> store.list("", PageToken.START));
    }
    assertEquals(1, asked.get());
  }

  @Test
  void a_service_account_asks_for_a_token_and_uses_it() throws Exception {
    service
        .answer(200, "{\"access_token\":\"opensesame\",\"expires_in\":3600}")
        .emptyList()
        .answer(400, "{\"error\":\"invalid_grant\",\"error_description\":\"%s\"}".formatted(SKEW));
    try (ObjectStore store = open(service.sink().serviceAccount(this::keyFile))) {
      store.list("", PageToken.START);
    }
    assertTrue(service.request(0).body().contains("grant_type=urn"), service.request(0).body());
    assertEquals("Bearer opensesame", service.request(1).authorization());
    try (ObjectStore store = open(service.sink().serviceAccount(this::keyFile))) {
      assertFailure(CoreFailure.CLOCK_SKEWED, Reason.DENIED, () -> store.list("", PageToken.START));
    }
  }

  /** As Google makes them, for a token service that is here. */
  private Secret keyFile() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      String key =
          Base64.getEncoder().encodeToString(generator.generateKeyPair().getPrivate().getEncoded());
      return Secret.of(
          """
          {"type":"service_account","client_email":"x@example.org","client_id":"1",
           "private_key_id":"2","token_uri":"%s/token",
           "private_key":"-----BEGIN PRIVATE KEY-----\\n%s\\n-----END PRIVATE KEY-----\\n"}"""
              .formatted(service.endpoint(), key));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has RSA", e);
    }
  }

  @Test
  void no_secret_is_in_a_failure() throws Exception {
    var said = new StringWriter();
    String key = "{\"type\":\"service_account\",\"private_key\":\"topsecret\"}";
    assertThrows(IOException.class, () -> open(service.sink().serviceAccount(() -> Secret.of(key))))
        .printStackTrace(new PrintWriter(said));
    var token =
        AccessToken.newBuilder()
            .setTokenValue("topsecret")
            .setExpirationTime(new Date(Long.MAX_VALUE))
            .build();
    service.fail(403, "forbidden", "no");
    try (ObjectStore store = open(service.sink().credentials(GoogleCredentials.create(token)))) {
      assertThrows(IOException.class, () -> store.list("", PageToken.START))
          .printStackTrace(new PrintWriter(said));
    }
    assertFalse(said.toString().contains("topsecret"), said.toString());
  }

  @Test
  void what_was_not_said_is_not_guessed() {
    GcsSink nobody = GcsSink.bucket("box");
    assertThrows(IllegalStateException.class, () -> open(nobody));
    assertThrows(IllegalArgumentException.class, () -> nobody.partBytes(1 << 10));
    assertEquals("gs://box/a", nobody.prefix("a").describe());
  }

  private static ObjectStore open(GcsSink sink) throws IOException {
    return sink.open(StoreContext.system());
  }

  private static void assertFailure(CoreFailure code, Reason reason, Executable action) {
    var e = assertThrows(BackupException.Sink.class, action);
    assertEquals(code, e.code(), e.getMessage());
    assertEquals(reason, e.reason(), e.getMessage());
  }
}
