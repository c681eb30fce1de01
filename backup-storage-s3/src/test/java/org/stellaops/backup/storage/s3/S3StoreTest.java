package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.ReadableStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.store.LabelledSink;
import org.stellaops.backup.testkit.ExposureVerdicts;
import org.stellaops.backup.testkit.ProxiedRequest;
import org.stellaops.backup.testkit.ProxyFault;
import org.stellaops.backup.testkit.ProxyPlan;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;

/** What a bucket's store does beyond the contract of all stores. */
class S3StoreTest {
  private static final ObjectName NAME = ObjectName.of("some/object");
  private static final int PART = (int) S3Pace.MIN_PART_BYTES;

  private static ProxiedServer server;
  private S3Sink sink;

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
    sink = server.newSink();
  }

  @Test
  void objects_of_several_parts_are_whole() throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(2);
    try (ObjectStore one = sink.open(StoreContext.system());
        ObjectStore two = sink.parallelism(2, executor).open(StoreContext.system())) {
      for (ObjectStore store : List.of(one, two)) {
        for (int size : new int[] {PART, PART + 1, 2 * PART, 2 * PART + 1}) {
          byte[] bytes = bytes(size);

          store.put(NAME, ObjectBody.of(bytes));

          assertArrayEquals(bytes, read(store, NAME));
          store.delete(NAME);
        }
      }
    } finally {
      executor.shutdownNow();
    }
  }

  @Test
  void parts_grow_so_that_ten_thousand_are_enough() {
    long limit = 10_000L * (16 << 20);
    assertEquals(16 << 20, S3Pace.STANDARD.partBytesOf(1));
    assertEquals(16 << 20, S3Pace.STANDARD.partBytesOf(limit));
    assertEquals(17 << 20, S3Pace.STANDARD.partBytesOf(limit + 1));
    assertEquals(10_000L * (64 << 20), S3Pace.STANDARD.maxObjectBytes());
    assertTrue(S3Pace.STANDARD.maxObjectBytes() > 150L << 30);
  }

  @Test
  void an_object_whose_parts_memory_does_not_hold_is_refused_before_it_is_read() throws Exception {
    long length = 10_000L * (64 << 20) + 1;
    ObjectBody body = unreadable(length);
    try (ObjectStore store = sink.open(StoreContext.system())) {
      var e = assertThrows(BackupException.Sink.class, () -> store.put(NAME, body));

      assertEquals(CoreFailure.TOO_LARGE, e.code());
      assertTrue(
          server.proxy().requests().stream().noneMatch(r -> r.method().startsWith("P")),
          "nothing is begun");
    }
  }

  @Test
  void a_body_that_fails_within_an_upload_of_parts_leaves_nothing() throws Exception {
    byte[] bytes = bytes(2 * PART + 1);
    ObjectBody lying = lying(bytes);
    try (ObjectStore store = sink.open(StoreContext.system())) {
      var e = assertThrows(BackupException.Sink.class, () -> store.put(NAME, lying));

      assertEquals(Reason.REFUSED, e.reason(), e.getMessage());
      assertEquals(List.of(), list(store, ""));
      assertEquals(0, store.ability(StoreAbility.Strays.class).orElseThrow().sweep());
    }
  }

  @Test
  void terms_are_on_every_request_that_stores() throws Exception {
    Instant before = Instant.now();
    S3Sink terms = sink.storageClass("STANDARD_IA").kmsKey("alias/k").label("region", "x");
    try (var store = open(terms, S3Sink.LockMode.GOVERNANCE)) {
      store.put(NAME, ObjectBody.of(bytes(10)));
      store.put(ObjectName.of("large"), ObjectBody.of(bytes(PART + 1)));
      store.put(ObjectName.of("w/a/stream/s"), ObjectBody.of(bytes(10)));
      store.put(ObjectName.of("beat/a/1"), ObjectBody.of(bytes(10)));
      assertEquals(Map.of("region", "x"), store.traits().labels());
    } catch (BackupException.Sink e) {
      // S3Proxy stores no lock; what matters is what it was asked.
    }

    List<ProxiedRequest> stored =
        server.proxy().requests().stream()
            .filter(r -> r.header("x-amz-storage-class").isPresent())
            .toList();
    assertEquals(4, stored.size(), stored.toString());
    for (ProxiedRequest request : stored) {
      assertEquals("STANDARD_IA", request.header("x-amz-storage-class").orElseThrow());
      assertEquals("aws:kms", request.header("x-amz-server-side-encryption").orElseThrow());
      assertEquals(
          "alias/k", request.header("x-amz-server-side-encryption-aws-kms-key-id").orElseThrow());
      assertTrue(request.header("x-amz-meta-stella-put").isPresent());
    }
    for (int i = 0; i < 2; i++) {
      Instant until = lockOf(stored.get(i));
      assertFalse(until.isBefore(before.plus(Duration.ofDays(30)).minusSeconds(1)));
      assertEquals("GOVERNANCE", stored.get(i).header("x-amz-object-lock-mode").orElseThrow());
    }
    assertTrue(lockOf(stored.get(2)).isBefore(before.plus(Duration.ofDays(2))));
    assertTrue(stored.get(3).header("x-amz-object-lock-mode").isEmpty());
  }

  @Test
  void the_servers_get_checksums_unless_told_otherwise() throws Exception {
    byte[] bytes = bytes(1000);
    try (ObjectStore with = sink.open(StoreContext.system());
        ObjectStore without = sink.checksums(S3Sink.Checksums.NONE).open(StoreContext.system())) {
      with.put(ObjectName.of("with"), ObjectBody.of(bytes));
      without.put(ObjectName.of("without"), ObjectBody.of(bytes));
    }

    assertTrue(server.proxy().requests().get(0).header("x-amz-checksum-sha256").isPresent());
    assertTrue(
        server.proxy().requests().get(1).headers().keySet().stream()
            .noneMatch(name -> name.startsWith("x-amz-checksum")));
  }

  @Test
  void a_body_is_read_no_more_often_than_it_is_sent_and_signed() throws Exception {
    var opened = new AtomicInteger();
    byte[] bytes = bytes(1000);
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(NAME, counting(bytes, opened));
    }

    assertTrue(opened.get() <= 2, "opened " + opened.get() + " times");
  }

  @Test
  void without_conditional_create_a_store_says_so_and_asks_first() throws Exception {
    try (ObjectStore store = sink.withoutConditionalCreate().open(StoreContext.system())) {
      assertFalse(store.traits().isCreateExclusive());
      store.put(NAME, ObjectBody.of(bytes(10)));

      var e =
          assertThrows(BackupException.Sink.class, () -> store.put(NAME, ObjectBody.of(bytes(11))));

      assertEquals(Reason.ALREADY_EXISTS, e.reason());
      assertTrue(
          server.proxy().requests().stream().allMatch(r -> r.header("if-none-match").isEmpty()));
    }
  }

  @Test
  void a_listing_has_pages_and_leaves_out_what_is_no_name() throws Exception {
    try (ObjectStore store = sink.prefix("p").open(StoreContext.system())) {
      List<String> names = new ArrayList<>();
      for (int i = 10; i < 40; i++) {
        names.add("o/" + i);
        store.put(ObjectName.of("o/" + i), ObjectBody.of(bytes(1)));
      }
      String bucket = bucket();
      server.client().putObject(r -> r.bucket(bucket).key("p/o/x\\y"), body(1));
      server.client().putObject(r -> r.bucket(bucket).key("q/o/1"), body(1));

      assertEquals(names, list(store, "o/"));
      assertTrue(
          server.proxy().requests().stream().filter(r -> r.query().contains("list-type")).count()
              >= 5);
    }
  }

  @Test
  void deletion_removes_all_versions() throws Exception {
    String bucket = bucket();
    server
        .client()
        .putBucketVersioning(
            r ->
                r.bucket(bucket)
                    .versioningConfiguration(v -> v.status(BucketVersioningStatus.ENABLED)));
    try (ObjectStore store = sink.open(StoreContext.system())) {
      server.client().putObject(r -> r.bucket(bucket).key(NAME.value()), body(1));
      server.client().putObject(r -> r.bucket(bucket).key(NAME.value()), body(2));
      server.client().deleteObject(r -> r.bucket(bucket).key(NAME.value()));
      server.client().putObject(r -> r.bucket(bucket).key(NAME.value()), body(3));
      server.client().putObject(r -> r.bucket(bucket).key(NAME.value() + "-other"), body(4));

      store.delete(NAME);

      var left = server.client().listObjectVersions(r -> r.bucket(bucket));
      assertEquals(1, left.versions().size(), left.toString());
      assertEquals(NAME.value() + "-other", left.versions().get(0).key());
      assertEquals(0, left.deleteMarkers().size());
    }
  }

  @Test
  void a_sweep_takes_old_uploads_of_its_prefix_only() throws Exception {
    String bucket = bucket();
    server.client().createMultipartUpload(r -> r.bucket(bucket).key("p/stray"));
    server.client().createMultipartUpload(r -> r.bucket(bucket).key("elsewhere"));
    try (ObjectStore patient =
            sink.prefix("p").straysOlderThan(Duration.ofHours(1)).open(StoreContext.system());
        ObjectStore store = sink.prefix("p").open(StoreContext.system())) {
      assertEquals(0, patient.ability(StoreAbility.Strays.class).orElseThrow().sweep());
      assertEquals(1, store.ability(StoreAbility.Strays.class).orElseThrow().sweep());
      assertEquals(0, store.ability(StoreAbility.Strays.class).orElseThrow().sweep());
    }
    assertEquals(1, server.client().listMultipartUploads(r -> r.bucket(bucket)).uploads().size());
  }

  @Test
  void what_the_server_computed_of_an_object_is_told() throws Exception {
    ObjectBody body = ObjectBody.of(bytes(1));
    ObjectName inParts = ObjectName.of("some/parts");
    try (ObjectStore store = sink.open(StoreContext.system())) {
      store.put(NAME, body);
      store.put(inParts, ObjectBody.of(bytes(PART + 1)));
      StoreAbility.Digests digests = store.ability(StoreAbility.Digests.class).orElseThrow();

      assertEquals(Optional.of(body.digest()), digests.digest(NAME));

      assertEquals(Optional.empty(), digests.digest(inParts));
      assertReason(Reason.NOT_FOUND, () -> digests.digest(ObjectName.of("absent")));
      assertEquals(List.of(NAME.value(), inParts.value()), list(store, ""), "nothing is left");
    }
  }

  @Test
  void a_server_that_takes_what_was_announced_as_something_else_is_not_believed() throws Exception {
    String bucket = "careless";
    server.client().createBucket(r -> r.bucket(bucket));
    S3Sink careless = S3Sink.bucket(careless(server.client()), bucket).pathStyle();
    try (ObjectStore store = careless.open(StoreContext.system())) {
      store.put(NAME, ObjectBody.of(bytes(1)));
      StoreAbility.Digests digests = store.ability(StoreAbility.Digests.class).orElseThrow();

      assertEquals(Optional.empty(), digests.digest(NAME));

      assertEquals(List.of(NAME.value()), list(store, ""), "nothing is left of trying");
    }
  }

  /** A client whose server hears nothing of checksums, and so compares none. */
  @SuppressWarnings("unchecked") // what the SDK declares
  private static S3Client careless(S3Client client) {
    return (S3Client)
        Proxy.newProxyInstance(
            S3Client.class.getClassLoader(),
            new Class<?>[] {S3Client.class},
            (proxy, method, arguments) -> {
              if (!method.getName().equals("putObject")) {
                return method.invoke(client, arguments);
              }
              PutObjectRequest.Builder request =
                  arguments[0] instanceof PutObjectRequest put
                      ? put.toBuilder()
                      : PutObjectRequest.builder()
                          .applyMutation((Consumer<PutObjectRequest.Builder>) arguments[0]);
              return client.putObject(
                  request.checksumSHA256(null).build(),
                  (software.amazon.awssdk.core.sync.RequestBody) arguments[1]);
            });
  }

  @Test
  void the_server_copies_small_and_large_objects() throws Exception {
    S3Sink target = server.newSink().prefix("copy");
    for (int size : new int[] {10, (6 << 20) + 1_000}) {
      ObjectName name = ObjectName.of("object-" + size);
      byte[] bytes = bytes(size);
      try (ObjectStore from = LabelledSink.of(sink, "site", "a").open(StoreContext.system());
          ObjectStore to = LabelledSink.of(target, "site", "b").open(StoreContext.system())) {
        from.put(name, ObjectBody.of(bytes));
        StoreAbility.ServerCopy copies = to.ability(StoreAbility.ServerCopy.class).orElseThrow();

        assertTrue(copies.copy(from, name));

        assertArrayEquals(bytes, read(to, name));
        assertReason(Reason.ALREADY_EXISTS, () -> copies.copy(from, name));
        assertReason(Reason.NOT_FOUND, () -> copies.copy(from, ObjectName.of("absent")));
      }
    }
  }

  @Test
  void the_server_copies_nothing_from_another() throws Exception {
    S3Sink other =
        S3Sink.bucket("b")
            .endpoint(URI.create("http://127.0.0.1:1"))
            .credentials("a", Secret.of("b"));
    try (ObjectStore to = sink.open(StoreContext.system());
        ReadableStore from = other.open(StoreContext.system())) {
      assertFalse(to.ability(StoreAbility.ServerCopy.class).orElseThrow().copy(from, NAME));
    }
  }

  @Test
  void what_is_damaged_is_set_aside() throws Exception {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      StoreAbility.Mending mending = store.ability(StoreAbility.Mending.class).orElseThrow();
      assertReason(Reason.NOT_FOUND, () -> mending.mend(NAME, ObjectBody.of(bytes(2))));
      store.put(NAME, ObjectBody.of(bytes(1)));

      mending.mend(NAME, ObjectBody.of(bytes(2)));
      mending.mend(NAME, ObjectBody.of(bytes(3)));

      assertArrayEquals(bytes(3), read(store, NAME));
      assertArrayEquals(bytes(1), read(store, ObjectName.of(NAME + ".damaged")));
      assertArrayEquals(bytes(2), read(store, ObjectName.of(NAME + ".damaged-2")));
    }
  }

  @Test
  void the_time_of_an_object_is_the_servers() throws Exception {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      StoreAbility.Times times = store.ability(StoreAbility.Times.class).orElseThrow();
      assertTrue(times.storedAt(NAME).isEmpty());
      store.put(NAME, ObjectBody.of(bytes(1)));
      Duration age = Duration.between(times.storedAt(NAME).orElseThrow(), Instant.now());
      assertTrue(age.abs().toMinutes() < 5, age.toString());
    }
  }

  @Test
  void an_archived_object_is_cold_until_it_was_asked_for() {
    assertEquals(StoreAbility.Retrieval.State.READABLE, state("STANDARD_IA", null));
    assertEquals(StoreAbility.Retrieval.State.COLD, state("GLACIER", null));
    assertEquals(
        StoreAbility.Retrieval.State.UNDER_WAY, state("DEEP_ARCHIVE", "ongoing-request=\"true\""));
    assertEquals(
        StoreAbility.Retrieval.State.READABLE,
        state("GLACIER", "ongoing-request=\"false\", expiry-date=\"x\""));
  }

  @Test
  void a_listing_tells_how_far_objects_are_a_page_at_a_time() throws Exception {
    StringBuilder rows = new StringBuilder();
    row(rows, 1, "STANDARD", "");
    row(rows, 2, "GLACIER", restored(true));
    row(rows, 3, "DEEP_ARCHIVE", restored(false));
    row(rows, 4, "GLACIER", "");
    row(rows, 5, "INTELLIGENT_TIERING", "");
    String reply =
        "<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>".formatted(rows);
    server
        .proxy()
        .follow(
            ProxyPlan.on(
                r -> r.query().contains("list-type"), ProxyFault.status(200, Map.of(), reply)));
    try (ObjectStore store = sink.open(StoreContext.system())) {
      Map<String, StoreAbility.Retrieval.State> told = new TreeMap<>();

      store
          .ability(StoreAbility.Retrieval.class)
          .orElseThrow()
          .states("w/", (name, state) -> told.put(name.value(), state));

      // Not every server tells what was asked for on top, and none of archives within a class.
      assertEquals(
          Map.of(
              "w/1",
              StoreAbility.Retrieval.State.READABLE,
              "w/2",
              StoreAbility.Retrieval.State.UNDER_WAY,
              "w/3",
              StoreAbility.Retrieval.State.READABLE),
          told);
      var requests = server.proxy().requests();
      assertEquals(1, requests.size(), requests.toString());
      assertEquals(
          "RestoreStatus", requests.get(0).header("x-amz-optional-object-attributes").orElse(""));
    }
  }

  private static void row(StringBuilder rows, int number, String storageClass, String more) {
    rows.append(
        "<Contents><Key>w/%d</Key><Size>1</Size><StorageClass>%s</StorageClass>%s</Contents>"
            .formatted(number, storageClass, more));
  }

  private static String restored(boolean isInProgress) {
    return "<RestoreStatus><IsRestoreInProgress>%s</IsRestoreInProgress></RestoreStatus>"
        .formatted(isInProgress);
  }

  @Test
  void a_look_at_who_may_what_says_what_is_unknown() throws Exception {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      assertEquals(
          Map.of(
              "sink: check.transport", Verdict.WARN,
              "sink: check.public-policy", Verdict.SKIP,
              "sink: check.public-grants", Verdict.PASS,
              "sink: check.public-access", Verdict.SKIP,
              "sink: check.versioning", Verdict.WARN,
              "sink: check.immutability", Verdict.SKIP,
              "sink: check.encryption", Verdict.PASS),
          ExposureVerdicts.of(store));
    }
  }

  @Test
  void a_public_bucket_fails_the_look() throws Exception {
    String bucket = bucket();
    server.client().putBucketAcl(r -> r.bucket(bucket).acl("public-read"));
    try (ObjectStore store = sink.open(StoreContext.system())) {
      assertEquals(Verdict.FAIL, ExposureVerdicts.of(store).get("sink: check.public-grants"));
    }
  }

  @Test
  void a_client_that_was_given_stays_open() throws Exception {
    S3Sink given = S3Sink.bucket(server.client(), bucket());
    try (ObjectStore store = given.open(StoreContext.system())) {
      store.put(NAME, ObjectBody.of(bytes(10)));
    }
    try (ObjectStore store = given.open(StoreContext.system())) {
      assertArrayEquals(bytes(10), read(store, NAME));
    }
  }

  @Test
  void a_stopped_run_ends_within_a_request_of_many_bytes() throws Exception {
    var stopping = new StoppingAfter(3);
    StoreContext context = new StoreContext(StoreContext.system().clock(), stopping);
    try (ObjectStore store = sink.open(context)) {
      assertThrows(
          BackupException.Stopped.class, () -> store.put(NAME, ObjectBody.of(bytes(900_000))));
      stopping.left = Integer.MAX_VALUE;
      assertEquals(List.of(), list(store, ""));
    }
  }

  private S3Store open(S3Sink terms, S3Sink.LockMode mode) {
    return terms.objectLock(mode, Duration.ofDays(30)).openUnchecked(StoreContext.system());
  }

  private static Instant lockOf(ProxiedRequest request) {
    return Instant.parse(request.header("x-amz-object-lock-retain-until-date").orElseThrow());
  }

  private String bucket() {
    return sink.describe().substring("s3://".length()).split(" ", 2)[0];
  }

  private static software.amazon.awssdk.core.sync.RequestBody body(int size) {
    return software.amazon.awssdk.core.sync.RequestBody.fromBytes(bytes(size));
  }

  private static StoreAbility.Retrieval.State state(String storageClass, String restore) {
    return S3Archive.stateOf(
        HeadObjectResponse.builder().storageClass(storageClass).restore(restore).build());
  }

  private static void assertReason(Reason expected, Action action) {
    var e = assertThrows(BackupException.Sink.class, action::run);
    assertEquals(expected, e.reason(), e.getMessage());
  }

  private static ObjectBody counting(byte[] bytes, AtomicInteger opened) {
    ObjectBody body = ObjectBody.of(bytes);
    return body(
        bytes.length,
        body.digest(),
        () -> {
          opened.incrementAndGet();
          return body.open();
        });
  }

  /** The last byte is another one. */
  private static ObjectBody lying(byte[] bytes) {
    byte[] other = bytes.clone();
    other[other.length - 1] ^= 1;
    return body(bytes.length, Digest.ofContent(bytes), () -> ObjectBody.of(other).open());
  }

  private static ObjectBody unreadable(long length) {
    return body(
        length,
        Digest.ofContent(new byte[0]),
        () -> {
          throw new AssertionError("read");
        });
  }

  private static ObjectBody body(long length, Digest digest, Opening opening) {
    return new ObjectBody() {
      @Override
      public long lengthBytes() {
        return length;
      }

      @Override
      public Digest digest() {
        return digest;
      }

      @Override
      public InputStream open() throws IOException {
        return opening.open();
      }
    };
  }

  private static List<String> list(ObjectStore store, String prefix) throws IOException {
    List<String> found = new ArrayList<>();
    PageToken token = PageToken.START;
    while (!token.equals(PageToken.END)) {
      ObjectPage page = store.list(prefix, token);
      page.objects().forEach(o -> found.add(o.name().value()));
      token = page.next();
    }
    return found;
  }

  private static byte[] read(ObjectStore store, ObjectName name) throws IOException {
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }

  private static byte[] bytes(int size) {
    byte[] bytes = new byte[size];
    new Random(size).nextBytes(bytes);
    return bytes;
  }

  private interface Action {
    void run() throws IOException;
  }

  private interface Opening {
    InputStream open() throws IOException;
  }

  /** Stops at the check after so many. */
  private static final class StoppingAfter implements Stopping {
    private int left;

    StoppingAfter(int checks) {
      left = checks;
    }

    @Override
    public void check() throws BackupException.Stopped {
      left--;
      if (left < 0) {
        throw new BackupException.Stopped(CoreFailure.CANCELLED, "stopped");
      }
    }

    @Override
    public boolean isStopping() {
      return left < 0;
    }

    @Override
    public java.io.Closeable onStop(Runnable action) {
      return () -> {};
    }
  }
}
