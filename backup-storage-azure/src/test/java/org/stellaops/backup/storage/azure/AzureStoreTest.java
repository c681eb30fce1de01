package org.stellaops.backup.storage.azure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
import org.stellaops.backup.testkit.FaultyProxy;
import org.stellaops.backup.testkit.MemorySink;
import org.stellaops.backup.testkit.ProxyFault;
import org.stellaops.backup.testkit.ProxyPlan;

/** What is asked of Azure, and what its answers become, without a server that knows more. */
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class AzureStoreTest {
  private static final ObjectName NAME = ObjectName.of("some/object");
  private static final ObjectBody BODY = ObjectBody.of(new byte[] {1, 2, 3});

  private static final String UNFINISHED =
      """
      <?xml version="1.0" encoding="utf-8"?>\
      <EnumerationResults ServiceEndpoint="http://x/" ContainerName="box"><Blobs><Blob>\
      <Name>here/a</Name><Properties><Content-Length>0</Content-Length>\
      <BlobType>BlockBlob</BlobType></Properties></Blob></Blobs><NextMarker/>\
      </EnumerationResults>""";

  private static final String BLOCKS =
      """
      <?xml version="1.0" encoding="utf-8"?><BlockList><CommittedBlocks/><UncommittedBlocks>\
      <Block><Name>%s</Name><Size>10</Size></Block></UncommittedBlocks></BlockList>""";

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
    "404, BlobNotFound, OBJECT_NOT_FOUND, NOT_FOUND",
    "404, ContainerNotFound, BUCKET_MISSING, REFUSED",
    "409, ContainerBeingDeleted, BUCKET_MISSING, REFUSED",
    "403, AuthenticationFailed, CREDENTIALS_REFUSED, DENIED",
    "401, NoAuthenticationInformation, CREDENTIALS_REFUSED, DENIED",
    "403, AuthorizationPermissionMismatch, SINK_DENIED, DENIED",
    "403, AuthorizationFailure, SINK_DENIED, DENIED",
    "403, AccountIsDisabled, SINK_DENIED, DENIED",
    "409, BlobArchived, NOT_RETRIEVED, NOT_YET_RETRIEVED",
    "409, BlobBeingRehydrated, NOT_RETRIEVED, NOT_YET_RETRIEVED",
    "500, InternalError, SINK_FAILED, TRANSIENT",
    "503, ServerBusy, STORE_BUSY, TRANSIENT",
    "429, TooManyRequests, STORE_BUSY, TRANSIENT",
    "400, InvalidHeaderValue, SINK_FAILED, REFUSED",
    "301, AccountMoved, SINK_FAILED, REFUSED",
  })
  void an_answer_becomes_a_failure_of_its_own(
      int status, String code, CoreFailure failure, Reason reason) throws Exception {
    service.fail(status, code);
    try (ObjectStore store = open(service.sink())) {
      assertFailure(failure, reason, () -> store.open(NAME, ByteRange.ALL));
    }
    assertEquals(1, service.requests().size(), "nothing is tried twice");
  }

  @ParameterizedTest
  @CsvSource({
    "409, BlobImmutableDueToPolicy, OBJECT_LOCKED, LOCKED",
    "412, LeaseIdMissing, OBJECT_LOCKED, LOCKED",
    "404, ContainerNotFound, BUCKET_MISSING, REFUSED",
    "403, AuthorizationPermissionMismatch, SINK_DENIED, DENIED",
  })
  void a_delete_that_was_refused_is_not_taken_for_done(
      int status, String code, CoreFailure failure, Reason reason) throws Exception {
    service.fail(status, code);
    try (ObjectStore store = open(service.sink())) {
      assertFailure(failure, reason, () -> store.delete(NAME));
    }
  }

  @Test
  void the_right_that_is_missing_is_named() throws Exception {
    service.fail(403, "AuthorizationPermissionMismatch");
    try (ObjectStore store = open(service.sink())) {
      var e = assertThrows(IOException.class, () -> store.list("", PageToken.START));
      assertTrue(e.getMessage().contains("the right to list blobs"), e.getMessage());
    }
  }

  @Test
  void a_clock_that_is_off_is_named() throws Exception {
    Instant theirs = Instant.now().minus(Duration.ofMinutes(20));
    String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(theirs.atOffset(ZoneOffset.UTC));
    try (var proxy = FaultyProxy.before(service.endpoint());
        ObjectStore store = open(service.sink().endpoint(proxy.uri().resolve("/acc")))) {
      proxy.follow(
          ProxyPlan.at(
              0,
              ProxyFault.status(
                  403, Map.of("x-ms-error-code", "AuthenticationFailed", "Date", date), "")));
      var e = assertThrows(BackupException.Sink.class, () -> store.open(NAME, ByteRange.ALL));
      assertEquals(CoreFailure.CLOCK_SKEWED, e.code(), e.getMessage());
      assertTrue(e.getMessage().contains("20 minutes off"), e.getMessage());
    }
  }

  @Test
  void a_put_creates_and_says_what_it_is() throws Exception {
    service.answer(201, Map.of(), "");
    try (ObjectStore store = open(service.sink().prefix("here").tier(AzureSink.Tier.COOL))) {
      store.put(NAME, BODY);
    }

    ScriptedService.Request put = service.request(0);
    assertEquals("PUT", put.method());
    assertEquals("/acc/box/here%2Fsome%2Fobject", put.target());
    assertEquals("*", put.header("If-None-Match"));
    assertEquals("BlockBlob", put.header("x-ms-blob-type"));
    assertEquals("Cool", put.header("x-ms-access-tier"));
    assertEquals("UonfcxNn08MpcYnJ9dBUfQ==".length(), put.header("Content-MD5").length());
    assertEquals(BODY.digest().hex(), put.header("x-ms-meta-stella_sha256"));
    assertFalse(put.header("x-ms-meta-stella_nonce").isEmpty());
    assertTrue(put.header("Authorization").startsWith("SharedKey acc:"), "signed by the account");
  }

  @Test
  void a_put_whose_reply_was_lost_is_known_by_its_nonce() throws Exception {
    service
        .fail(500, "OperationTimedOut")
        .properties(Map.of("x-ms-meta-stella_nonce", "NONCE OF FIRST"));
    try (ObjectStore store = open(service.sink())) {
      store.put(NAME, BODY);
    }
    assertEquals("HEAD", service.request(1).method());
  }

  @Test
  void what_may_pass_is_tried_again_and_a_put_of_ours_is_ours() throws Exception {
    service
        .fail(500, "OperationTimedOut")
        .fail(409, "BlobAlreadyExists")
        .fail(503, "ServerBusy")
        .properties(Map.of("x-ms-meta-stella_nonce", "NONCE OF FIRST"));
    var quick = new RetryPolicy(3, Duration.ZERO, Duration.ZERO);
    try (ObjectStore store = open(service.sink().retry(quick))) {
      store.put(NAME, BODY);
    }
    assertEquals(4, service.requests().size());
  }

  @Test
  void what_another_put_meanwhile_exists() throws Exception {
    service.fail(500, "InternalError").properties(Map.of("x-ms-meta-stella_nonce", "another"));
    try (ObjectStore store = open(service.sink())) {
      assertFailure(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, () -> store.put(NAME, BODY));
    }
    service.fail(409, "BlobAlreadyExists").properties(Map.of());
    try (ObjectStore store = open(service.sink())) {
      assertFailure(CoreFailure.OBJECT_EXISTS, Reason.ALREADY_EXISTS, () -> store.put(NAME, BODY));
    }
  }

  @Test
  void a_put_that_nobody_knows_of_may_be_tried_again() throws Exception {
    service.fail(503, "ServerBusy").fail(404, "BlobNotFound");
    try (ObjectStore store = open(service.sink())) {
      assertFailure(CoreFailure.STORE_BUSY, Reason.TRANSIENT, () -> store.put(NAME, BODY));
    }
    service.fail(503, "ServerBusy").fail(503, "ServerBusy");
    try (ObjectStore store = open(service.sink())) {
      assertFailure(CoreFailure.STORE_BUSY, Reason.TRANSIENT, () -> store.put(NAME, BODY));
    }
  }

  @Test
  void a_busy_service_is_asked_for_less_at_once_and_then_for_more() throws Exception {
    service.fail(503, "ServerBusy").fail(429, "TooManyRequests").fail(500, "InternalError");
    var quick = new RetryPolicy(4, Duration.ZERO, Duration.ZERO);
    try (AzureStore store = (AzureStore) open(service.sink().retry(quick))) {
      int first = store.limit();
      service.answer(201, Map.of(), "");
      store.put(NAME, BODY);
      assertEquals(first / 4, store.limit());

      for (int i = 0; i < first; i++) {
        service.answer(201, Map.of(), "");
        store.put(NAME, BODY);
      }
      assertTrue(store.limit() > first / 4, () -> "still at " + store.limit());
    }
  }

  @Test
  void blocks_that_another_writer_swept_away_may_be_sent_again() throws Exception {
    service
        .answer(201, Map.of(), "")
        .answer(201, Map.of(), "")
        .fail(400, "InvalidBlockList")
        .fail(404, "BlobNotFound");
    try (ObjectStore store = open(service.sink().partBytes(64 << 10))) {
      ObjectBody large = ObjectBody.of(new byte[100_000]);
      assertFailure(CoreFailure.SINK_FAILED, Reason.TRANSIENT, () -> store.put(NAME, large));
    }
    assertTrue(service.request(0).target().contains("comp=block"), "staged");
    assertEquals("", service.request(1).header("If-None-Match"));
    assertTrue(service.request(2).target().contains("comp=blocklist"), "committed");
    assertEquals("*", service.request(2).header("If-None-Match"));
  }

  @Test
  void a_sweep_removes_nothing_that_became_a_blob_meanwhile() throws Exception {
    String old = BlockName.of(Instant.EPOCH, UUID.randomUUID().toString(), 0);
    Map<String, String> xml = Map.of("Content-Type", "application/xml");
    service
        .answer(200, xml, UNFINISHED)
        .answer(200, xml, BLOCKS.formatted(old))
        .fail(412, "ConditionNotMet");
    try (ObjectStore store = open(service.sink())) {
      StoreAbility.Strays strays = store.ability(StoreAbility.Strays.class).orElseThrow();

      assertEquals(0, strays.sweep());
    }
    ScriptedService.Request end = service.request(2);
    assertEquals("DELETE", end.method());
    Instant since =
        Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(end.header("If-Unmodified-Since")));
    assertTrue(since.isBefore(Instant.now().minus(Duration.ofHours(23))), since.toString());
  }

  @Test
  void a_sweep_leaves_blocks_alone_that_may_be_a_living_process_s() throws Exception {
    String nonce = UUID.randomUUID().toString();
    Map<String, String> xml = Map.of("Content-Type", "application/xml");
    for (String block : List.of(BlockName.of(Instant.now(), nonce, 0), "YWJj")) {
      service.answer(200, xml, UNFINISHED).answer(200, xml, BLOCKS.formatted(block));
    }
    try (ObjectStore store = open(service.sink())) {
      StoreAbility.Strays strays = store.ability(StoreAbility.Strays.class).orElseThrow();
      assertEquals(0, strays.sweep());
      assertEquals(0, strays.sweep());
    }
    assertTrue(service.requests().stream().allMatch(r -> r.method().equals("GET")), "only asked");
  }

  @Test
  void a_listing_goes_on_where_azure_says_and_passes_over_what_is_no_object() throws Exception {
    service.answer(
        200,
        Map.of("Content-Type", "application/xml"),
        page("<Name>here/a</Name>", "<Name>here//b</Name>", "<NextMarker>m 1</NextMarker>"));
    service.answer(
        200, Map.of("Content-Type", "application/xml"), page("<Name>here/c</Name>", "", ""));
    try (ObjectStore store = open(service.sink().prefix("here"))) {
      ObjectPage first = store.list("", PageToken.START);
      ObjectPage second = store.list("", first.next());

      assertEquals(List.of("a"), first.objects().stream().map(o -> o.name().value()).toList());
      assertEquals(List.of("c"), second.objects().stream().map(o -> o.name().value()).toList());
      assertEquals(PageToken.END, second.next());
    }
    assertTrue(service.request(0).target().contains("prefix=here/"), service.request(0).target());
    assertTrue(service.request(1).target().contains("marker=m%201"), service.request(1).target());
  }

  @Test
  void a_range_behind_the_end_is_empty_and_parts_are_of_one_version() throws Exception {
    service.fail(416, "InvalidRange");
    String part = "x".repeat(64 << 10);
    service
        .answer(206, ranged("bytes 0-65535/65540"), part)
        .answer(206, ranged("bytes 65536-65539/65540"), "tail");
    try (ObjectStore store = open(service.sink().partBytes(64 << 10))) {
      assertEquals(0, store.open(NAME, new ByteRange(9, 9)).readAllBytes().length);
      assertEquals(65540, store.open(NAME, ByteRange.ALL).readAllBytes().length);
    }
    assertEquals("", service.request(1).header("If-Match"));
    assertEquals("0x1", service.request(2).header("If-Match"));
  }

  @Test
  void what_is_read_short_is_no_end() throws Exception {
    service.answer(206, ranged("bytes 0-9/10"), "short");
    try (ObjectStore store = open(service.sink())) {
      assertFailure(
          CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.open(NAME, ByteRange.ALL));
    }
  }

  @Test
  void a_lock_is_set_for_at_least_as_long_and_never_shortened() throws Exception {
    Instant until = Instant.parse("2030-01-01T00:00:00.5Z");
    service.properties(Map.of()).answer(200, Map.of(), "");
    service.properties(
        Map.of(
            "x-ms-immutability-policy-until-date", "Wed, 01 Jan 2031 00:00:00 GMT",
            "x-ms-immutability-policy-mode", "locked"));
    try (ObjectStore store = open(service.sink().immutability(AzureSink.Immutability.LOCKED))) {
      StoreAbility.Locking locking = store.ability(StoreAbility.Locking.class).orElseThrow();
      locking.lock(NAME, until);
      locking.lock(NAME, until);
    }

    ScriptedService.Request lock = service.request(1);
    assertTrue(lock.target().contains("comp=immutabilityPolicies"), lock.target());
    assertEquals(
        "Tue, 01 Jan 2030 00:00:01 GMT", lock.header("x-ms-immutability-policy-until-date"));
    assertEquals(
        "locked", lock.header("x-ms-immutability-policy-mode").toLowerCase(java.util.Locale.ROOT));
    assertEquals(3, service.requests().size(), "a longer lock stays");
  }

  @Test
  void a_container_that_cannot_lock_says_so() throws Exception {
    service.properties(Map.of()).fail(409, "VersionLevelImmutabilityNotEnabled");
    try (ObjectStore store = open(service.sink().immutability(AzureSink.Immutability.UNLOCKED))) {
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
  void what_is_archived_is_asked_for_once() throws Exception {
    service
        .properties(Map.of("x-ms-access-tier", "Archive"))
        .answer(202, Map.of(), "")
        .properties(
            Map.of(
                "x-ms-access-tier", "Archive", "x-ms-archive-status", "rehydrate-pending-to-hot"))
        .properties(Map.of("x-ms-access-tier", "Hot"));
    try (ObjectStore store = open(service.sink())) {
      StoreAbility.Retrieval retrieval = store.ability(StoreAbility.Retrieval.class).orElseThrow();
      retrieval.request(NAME, Duration.ofDays(1));
      retrieval.request(NAME, Duration.ofDays(1));
      assertEquals(StoreAbility.Retrieval.State.READABLE, retrieval.stateOf(NAME));
    }
    assertEquals("Hot", service.request(1).header("x-ms-access-tier"));
    assertEquals(4, service.requests().size());
  }

  @Test
  void a_listing_tells_how_far_blobs_are_a_page_at_a_time() throws Exception {
    service.answer(
        200,
        Map.of("Content-Type", "application/xml"),
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>"
            + tiered("w/1", "<AccessTier>Hot</AccessTier>")
            + tiered("w/2", "<AccessTier>Archive</AccessTier>")
            + tiered(
                "w/3",
                "<AccessTier>Archive</AccessTier>"
                    + "<ArchiveStatus>rehydrate-pending-to-hot</ArchiveStatus>")
            + "</Blobs><NextMarker/></EnumerationResults>");
    try (ObjectStore store = open(service.sink())) {
      List<String> told = new ArrayList<>();

      store
          .ability(StoreAbility.Retrieval.class)
          .orElseThrow()
          .states("w/", (name, state) -> told.add(name + " " + state));

      assertEquals(List.of("w/1 READABLE", "w/2 COLD", "w/3 UNDER_WAY"), told);
      assertEquals(1, service.requests().size());
    }
  }

  private static String tiered(String name, String tier) {
    return "<Blob><Name>%s</Name><Properties><Content-Length>1</Content-Length>%s</Properties></Blob>"
        .formatted(name, tier);
  }

  @Test
  void versions_are_told_read_and_copied_on_top() throws Exception {
    service
        .answer(200, Map.of("Content-Type", "application/xml"), versions())
        .answer(200, Map.of("Content-Type", "application/xml"), versions())
        .properties(Map.of("Content-Length", "0", "x-ms-meta-colour", "red"))
        .properties(Map.of("Content-Length", "0"))
        .answer(202, Map.of("x-ms-copy-status", "success"), "");
    try (ObjectStore store = open(service.sink().prefix("p"))) {
      StoreAbility.History history = store.ability(StoreAbility.History.class).orElseThrow();
      List<String> told = new ArrayList<>();
      history.kept(
          "some",
          v -> told.add(v.name() + " " + v.id() + " " + v.lengthBytes() + " " + v.isReplaced()));
      List<KeptVersion> versions = new ArrayList<>();
      history.kept("some", versions::add);

      assertEquals(
          List.of(
              "some/deleted 2026-11-20T06:00:00.0000000Z 7 false",
              "some/object 2026-11-21T06:00:00.0000000Z 2 true",
              "some/object 2026-11-20T06:00:00.0000000Z 1 true"),
          told);
      assertEquals(Optional.of(Instant.parse("2026-11-21T06:00:00Z")), versions.get(2).hiddenAt());
      history.bringBack(versions.get(2));
    }
    assertTrue(
        service.request(0).target().contains("include=versions"), service.requests()::toString);
    String source = service.request(4).header("x-ms-copy-source");
    assertTrue(source.contains("versionid=2026-11-20T06"), source);
    assertTrue(source.contains("&sig="), source);
    assertFalse(source.substring(source.indexOf('?') + 1).contains("?"), source);
    assertEquals("0x1", service.request(4).header("If-Match"));
    assertEquals("red", service.request(4).header("x-ms-meta-colour"));
  }

  @Test
  void a_version_that_is_not_brought_back_in_passing_is_not_said_to_exist() throws Exception {
    service
        .properties(Map.of("x-ms-meta-stella_nonce", "earlier"))
        .properties(Map.of("x-ms-meta-stella_nonce", "live"))
        .fail(500, "InternalError")
        .properties(Map.of("x-ms-meta-stella_nonce", "live"));
    var version =
        new KeptVersion(
            NAME, "2026-11-20T06:00:00.0000000Z", 3, Instant.EPOCH, Optional.empty(), true);
    try (ObjectStore store = open(service.sink())) {
      StoreAbility.History history = store.ability(StoreAbility.History.class).orElseThrow();
      assertFailure(CoreFailure.SINK_FAILED, Reason.TRANSIENT, () -> history.bringBack(version));
    }
    assertEquals(4, service.requests().size());
  }

  private static String versions() {
    return "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>"
        + version("p/some/deleted", 20, 7, false)
        + version("p/some/object", 20, 1, false)
        + version("p/some/object", 21, 2, false)
        + version("p/some/object", 22, 3, true)
        + "</Blobs><NextMarker/></EnumerationResults>";
  }

  private static String version(String name, int day, int length, boolean isCurrent) {
    return """
        <Blob><Name>%s</Name><VersionId>2026-11-%dT06:00:00.0000000Z</VersionId>%s<Properties>\
        <Last-Modified>%s, %d Nov 2026 06:00:00 GMT</Last-Modified>\
        <Content-Length>%d</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>"""
        .formatted(
            name,
            day,
            isCurrent ? "<IsCurrentVersion>true</IsCurrentVersion>" : "",
            List.of("Fri", "Sat", "Sun").get(day - 20),
            day,
            length);
  }

  @Test
  void a_container_that_anybody_can_read_fails_the_check() throws Exception {
    service.properties(Map.of("x-ms-blob-public-access", "blob"));
    service.properties(Map.of("x-ms-immutable-storage-with-versioning-enabled", "true"));
    service.fail(403, "AuthorizationPermissionMismatch");
    try (ObjectStore store = open(service.sink())) {
      assertEquals(Verdict.FAIL, ExposureVerdicts.of(store).get("sink: check.public-access"));
      assertEquals(Verdict.PASS, ExposureVerdicts.of(store).get("sink: check.immutability"));
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
    URI nowhere = URI.create("http://127.0.0.1:%d/acc".formatted(port));
    try (ObjectStore store = open(service.sink().endpoint(nowhere))) {
      assertFailure(
          CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.list("", PageToken.START));
    }
  }

  @Test
  void a_handshake_that_is_cut_off_is_tried_again() throws Exception {
    var quick = new RetryPolicy(3, Duration.ZERO, Duration.ZERO);
    try (var server = new CutHandshakes()) {
      URI there = URI.create("https://127.0.0.1:%d/acc".formatted(server.port()));
      try (ObjectStore store = open(service.sink().endpoint(there).retry(quick))) {
        assertFailure(CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.delete(NAME));
      }
      assertEquals(3, server.count());
    }
  }

  @Test
  void a_server_that_says_nothing_is_given_up() throws Exception {
    try (var silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      URI there = URI.create("http://127.0.0.1:%d/acc".formatted(silent.getLocalPort()));
      try (ObjectStore store =
          open(service.sink().endpoint(there).timeout(Duration.ofMillis(200)))) {
        assertFailure(CoreFailure.STORE_UNREACHABLE, Reason.TRANSIENT, () -> store.delete(NAME));
      }
    }
  }

  @Test
  void however_many_stores_are_opened_one_client_asks_for_all() throws Exception {
    for (int i = 0; i < 20; i++) {
      service.answer(202, Map.of(), "");
      try (ObjectStore store = open(service.sink())) {
        store.delete(NAME);
      }
    }
    assertEquals(20, service.requests().size());
    assertEquals(
        1,
        Thread.getAllStackTraces().keySet().stream()
            .filter(t -> t.getName().matches("HttpClient-[0-9]+-SelectorManager"))
            .count());
  }

  @Test
  void no_secret_is_in_a_failure_or_a_description() throws Exception {
    String sas = "sv=2024&sig=topsecretsignature";
    AzureSink sink = service.sink().sas(() -> Secret.of(sas));
    service.fail(403, "AuthenticationFailed");
    var said = new StringWriter();
    try (ObjectStore store = open(sink)) {
      assertThrows(IOException.class, () -> store.open(NAME, ByteRange.ALL))
          .printStackTrace(new PrintWriter(said));
    }
    assertThrows(
            IOException.class, () -> open(service.sink().sharedKey(() -> Secret.of("topsecret!"))))
        .printStackTrace(new PrintWriter(said));
    assertThrows(IOException.class, () -> open(service.sink().sas(() -> Secret.of("topsecret"))))
        .printStackTrace(new PrintWriter(said));

    Stream.of(said.toString(), sink.describe(), sink.toString())
        .forEach(text -> assertFalse(text.contains("topsecret"), text));
    assertTrue(service.request(0).target().contains("sig=topsecretsignature"), "it was used");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"sv=1&sig=topsecret\"",
        "'sv=1&sig=topsecret'",
        "sv=1&sig=top\nsecret",
        "sv=1 &sig=topsecret",
        "sv=1&sig=topsecret%",
        "https://acc.blob.core.windows.net/box?sv=1&sig=topsecret",
      })
  void a_signature_that_was_pasted_wrongly_is_refused_and_not_repeated(String pasted) {
    var said = new StringWriter();
    assertFailure(
        CoreFailure.CREDENTIALS_REFUSED,
        Reason.DENIED,
        () -> {
          try (ObjectStore store = open(service.sink().sas(() -> Secret.of(pasted)))) {
            store.list("", PageToken.START);
          } catch (IOException | RuntimeException e) {
            e.printStackTrace(new PrintWriter(said));
            throw e;
          }
        });
    assertFalse(said.toString().contains("secret"), said.toString());
    assertFalse(said.toString().contains("sig=t"), said.toString());
    assertEquals(List.of(), service.requests());
  }

  @Test
  void what_was_not_said_is_not_guessed() {
    AzureSink nowhere = AzureSink.container("box").sharedKey(() -> Secret.of("a2V5"));
    assertThrows(IllegalStateException.class, () -> open(nowhere));
    AzureSink nobody = AzureSink.container("box").account("example");
    assertThrows(IllegalStateException.class, () -> open(nobody));
    assertThrows(
        IllegalArgumentException.class,
        () -> nobody.endpoint(URI.create("https://x.example/?sig=1")));
    assertEquals("https://example.blob.core.windows.net/box/a", nobody.prefix("a").describe());
  }

  private static Map<String, String> ranged(String range) {
    return Map.of("Content-Range", range, "ETag", "\"0x1\"");
  }

  private static String page(String first, String second, String end) {
    String rows =
        Stream.of(first, second)
            .filter(name -> !name.isEmpty())
            .map(
                name ->
                    """
                    <Blob>%s<Properties><Last-Modified>Sun, 22 Nov 2026 06:00:00 GMT</Last-Modified>
                    <Etag>0x1</Etag><Content-Length>1</Content-Length></Properties></Blob>"""
                        .formatted(name))
            .reduce("", String::concat);
    return "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>%s</Blobs>%s</EnumerationResults>"
        .formatted(rows, end);
  }

  private static ObjectStore open(AzureSink sink) throws IOException {
    return sink.open(StoreContext.system());
  }

  private static void assertFailure(CoreFailure code, Reason reason, Executable action) {
    var e = assertThrows(BackupException.Sink.class, action);
    assertEquals(code, e.code(), e.getMessage());
    assertEquals(reason, e.reason(), e.getMessage());
  }
}
