package org.stellaops.backup.storage.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotId;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectPage;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.spi.StoredObject;
import org.stellaops.backup.testkit.BackupHost;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;

/** What only a real server shows: protection, versions, policies, long lists. */
@Tag("interop")
class MinioIT {
  private static final ObjectName NAME = ObjectName.of("some/object");
  private static final ObjectBody BODY = ObjectBody.of(new byte[] {1, 2, 3});

  @TempDir static Path temp;
  private static MinioServer server;

  @BeforeAll
  static void start() throws Exception {
    server = MinioServer.start(temp);
  }

  @AfterAll
  static void stop() throws Exception {
    server.close();
  }

  @ParameterizedTest
  @EnumSource
  void a_protected_object_cannot_be_deleted_and_its_protection_only_grows(S3Sink.LockMode mode)
      throws Exception {
    S3Sink sink = server.newLockingSink().objectLock(mode, Duration.ofDays(1));
    try (ObjectStore store = sink.open(StoreContext.system())) {
      StoreAbility.Locking locking = store.ability(StoreAbility.Locking.class).orElseThrow();
      store.put(NAME, BODY);
      Instant first = locking.lockedUntil(NAME).orElseThrow();
      assertTrue(Duration.between(Instant.now(), first).toHours() >= 23, first.toString());

      var e = assertThrows(BackupException.Sink.class, () -> store.delete(NAME));

      assertEquals(CoreFailure.OBJECT_LOCKED, e.code(), e.getMessage());
      assertEquals(Reason.LOCKED, e.reason());
      assertTrue(e.getMessage().contains("until " + first), e::getMessage);
      assertArrayEquals(new byte[] {1, 2, 3}, read(store, NAME));

      Instant later = Instant.now().plus(Duration.ofDays(20)).truncatedTo(ChronoUnit.SECONDS);
      locking.lock(NAME, later);
      assertEquals(later, locking.lockedUntil(NAME).orElseThrow());
      locking.lock(NAME, first);
      assertEquals(later, locking.lockedUntil(NAME).orElseThrow());
      assertReason(
          Reason.NOT_FOUND, () -> locking.lockedUntil(ObjectName.of("absent")).isPresent());
    }
  }

  @Test
  void signs_of_life_are_not_protected_and_leave_no_version() throws Exception {
    String bucket = server.newBucket(true);
    S3Sink sink = server.sink(bucket).objectLock(S3Sink.LockMode.COMPLIANCE, Duration.ofDays(1));
    ObjectName beat = ObjectName.of("beat/host-a/run-1");
    try (ObjectStore store = sink.open(StoreContext.system())) {
      StoreAbility.Locking locking = store.ability(StoreAbility.Locking.class).orElseThrow();
      store.put(beat, BODY);
      assertTrue(locking.lockedUntil(beat).isEmpty());

      store.delete(beat);
    }
    var left = server.client().listObjectVersions(r -> r.bucket(bucket));
    assertEquals(0, left.versions().size() + left.deleteMarkers().size(), left.toString());
  }

  @Test
  void the_digest_of_what_was_put_whole_is_stated_by_the_server() throws Exception {
    S3Sink sink = server.newSink();
    long part = S3Pace.MIN_PART_BYTES;
    byte[] parts = new byte[(int) part * 2 + 1];
    S3Pace inParts =
        new S3Pace(
            part,
            2 * part,
            part,
            1,
            Runnable::run,
            2,
            Duration.ofMillis(1),
            Duration.ZERO,
            1000,
            part);
    ObjectName large = ObjectName.of("some/large");
    try (ObjectStore store = sink.at(inParts).open(StoreContext.system());
        ObjectStore unasked = sink.checksums(S3Sink.Checksums.NONE).open(StoreContext.system())) {
      store.put(NAME, BODY);
      store.put(large, ObjectBody.of(parts));
      StoreAbility.Digests digests = store.ability(StoreAbility.Digests.class).orElseThrow();

      assertEquals(Optional.of(BODY.digest()), digests.digest(NAME));

      assertEquals(Optional.empty(), digests.digest(large), "it came in parts");
      assertReason(Reason.NOT_FOUND, () -> digests.digest(ObjectName.of("absent")));
      assertTrue(unasked.ability(StoreAbility.Digests.class).isEmpty());
      assertEquals(
          List.of(large, NAME),
          store.list("", PageToken.START).objects().stream().map(StoredObject::name).toList(),
          "asking left nothing");
    }
  }

  @Test
  void a_copy_into_a_bucket_is_compared_without_reading_it_unless_that_is_asked_for()
      throws Exception {
    try (AgeIdentity identity = AgeIdentity.generate()) {
      var host =
          new BackupHost(
              temp.resolve("copied"),
              server.newSink(),
              identity,
              identity.recipient(),
              (file, writer) -> WriterKeyFile.at(file).named(writer));
      host.write(1, 3_000_000);
      host.backUp("first");
      S3Sink copy = server.newSink().prefix("copy");
      S3Sink read = server.newSink().prefix("read");
      try (BackupRepository repository = host.open()) {
        DirectorySink between = DirectorySink.at(temp.resolve("between"));
        repository.copy(CopyRequest.to(between)).requireComplete();
        try (BackupRepository from = BackupRepository.at(between).open()) {
          CopyReport stated = from.copy(CopyRequest.to(copy)).requireComplete();
          CopyReport compared =
              from.copy(CopyRequest.to(read).comparingEverything()).requireComplete();

          assertTrue(stated.sent() > 5, stated.toString());
          assertEquals(stated.sent(), stated.stated());
          assertEquals(stated.sent(), compared.sent());
          assertEquals(0, compared.stated());
        }
      }
      try (BackupRepository there = BackupRepository.at(copy).identity(identity).open()) {
        assertTrue(there.check(Verification.full(identity)).isIntact());
      }
    }
  }

  @Test
  void a_bucket_without_lock_is_refused_where_one_is_asked_for() {
    S3Sink sink = server.newSink().objectLock(S3Sink.LockMode.GOVERNANCE, Duration.ofDays(1));

    var e =
        assertThrows(BackupException.Sink.class, () -> sink.open(StoreContext.system()).close());

    assertEquals(CoreFailure.LOCK_MISSING, e.code(), e.getMessage());
  }

  @Test
  void what_prune_may_not_remove_stays_and_is_reported() throws Exception {
    S3Sink sink =
        server.newLockingSink().objectLock(S3Sink.LockMode.COMPLIANCE, Duration.ofDays(1));
    try (AgeIdentity identity = AgeIdentity.generate()) {
      var host =
          new BackupHost(
              temp.resolve("locked"),
              sink,
              identity,
              identity.recipient(),
              (file, name) -> WriterKeyFile.at(file).named(name));
      host.write(1, 200_000);
      host.backUp("first");
      host.write(2, 200_000);
      host.backUp("second");
      host.prune(1);
      host.write(3, 200_000);
      SnapshotId third = host.backUp("third");

      PruneReport report = host.prune(2);

      assertFalse(report.problems().isEmpty(), report.toString());
      assertTrue(
          report.problems().stream().allMatch(f -> f.code() == CoreFailure.OBJECT_LOCKED),
          report.problems().toString());
      host.requireAllComplete();
      host.requireRestored(third);
    }
  }

  @Test
  void a_deletion_removes_all_versions() throws Exception {
    String bucket = server.newBucket(false);
    server
        .client()
        .putBucketVersioning(
            r ->
                r.bucket(bucket)
                    .versioningConfiguration(v -> v.status(BucketVersioningStatus.ENABLED)));
    try (ObjectStore store = server.sink(bucket).open(StoreContext.system())) {
      store.put(NAME, BODY);
      server.client().deleteObject(r -> r.bucket(bucket).key(NAME.value()));
      store.put(NAME, BODY);

      store.delete(NAME);
    }
    var left = server.client().listObjectVersions(r -> r.bucket(bucket));
    assertEquals(0, left.versions().size() + left.deleteMarkers().size(), left.toString());
  }

  @Test
  void wrong_credentials_a_missing_bucket_and_a_wrong_clock_are_told_apart() throws Exception {
    S3Sink sink = server.newSink();
    requireBoth(
        sink.credentials(MinioServer.ACCESS_KEY, Secret.of("wrong-secret")),
        CoreFailure.CREDENTIALS_REFUSED);
    requireBoth(
        sink.credentials("nobody", Secret.of("wrong-secret")), CoreFailure.CREDENTIALS_REFUSED);
    requireBoth(server.sink("no-such-bucket"), CoreFailure.BUCKET_MISSING);
    for (Duration off : List.of(Duration.ofMinutes(20), Duration.ofMinutes(-20))) {
      requireBoth(sink.signedBy(Clock.offset(Clock.systemUTC(), off)), CoreFailure.CLOCK_SKEWED);
    }
  }

  @Test
  void no_right_to_list_or_to_delete_is_said() throws Exception {
    String bucket = server.newBucket(false);
    String policy =
        """
        {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},
         "Action":["s3:GetObject","s3:PutObject"],"Resource":["arn:aws:s3:::%s/*"]}]}
        """
            .formatted(bucket);
    server.client().putBucketPolicy(r -> r.bucket(bucket).policy(policy));
    S3Sink anybody = server.sink(bucket).credentials(AnonymousCredentialsProvider.create());
    try (ObjectStore store = anybody.open(StoreContext.system())) {
      store.put(NAME, BODY);
      assertArrayEquals(new byte[] {1, 2, 3}, read(store, NAME));

      var list = assertThrows(BackupException.Sink.class, () -> store.list("", PageToken.START));
      var delete = assertThrows(BackupException.Sink.class, () -> store.delete(NAME));

      assertEquals(CoreFailure.SINK_DENIED, list.code(), list.getMessage());
      assertTrue(list.getMessage().contains("s3:ListBucket"), list::getMessage);
      assertEquals(CoreFailure.SINK_DENIED, delete.code(), delete.getMessage());
      assertTrue(delete.getMessage().contains("s3:DeleteObject"), delete::getMessage);
    }
  }

  @Test
  void more_than_a_thousand_objects_are_listed() throws Exception {
    Set<String> expected = new HashSet<>();
    try (ObjectStore store = server.newSink().open(StoreContext.system())) {
      for (int i = 0; i < 1_050; i++) {
        store.put(ObjectName.of("many/" + i), BODY);
        expected.add("many/" + i);
      }
      Set<String> found = new HashSet<>();
      int pages = 0;
      for (PageToken token = PageToken.START; !token.equals(PageToken.END); pages++) {
        ObjectPage page = store.list("many/", token);
        page.objects().forEach(o -> assertTrue(found.add(o.name().value())));
        token = page.next();
      }
      assertEquals(expected, found);
      assertEquals(2, pages);
    }
  }

  @Test
  void an_upload_of_more_than_a_thousand_parts_is_forgotten_when_it_fails() throws Exception {
    String bucket = server.newBucket(false);
    byte[] bytes = new byte[1_100];
    ObjectBody lying = body(bytes, Digest.ofContent(new byte[1]));
    S3Pace tiny =
        new S3Pace(
            1, 16, 1, 1, Runnable::run, 2, Duration.ofMillis(1), Duration.ZERO, 1000, 1 << 20);
    try (ObjectStore store = server.sink(bucket).at(tiny).open(StoreContext.system())) {
      assertThrows(BackupException.Sink.class, () -> store.put(NAME, lying));
    }
    assertEquals(
        0,
        server
            .client()
            .listMultipartUploads(r -> r.bucket(bucket).prefix(NAME.value()))
            .uploads()
            .size());
  }

  @Test
  void the_server_copies_an_object_in_parts() throws Exception {
    S3Pace parts =
        new S3Pace(
            S3Pace.MIN_PART_BYTES,
            2 * S3Pace.MIN_PART_BYTES,
            1,
            1,
            Runnable::run,
            3,
            Duration.ofMillis(100),
            Duration.ofHours(1),
            1000,
            S3Pace.MIN_PART_BYTES);
    ObjectBody zeros = Zeros.of(2 * S3Pace.MIN_PART_BYTES + 1);
    try (ObjectStore from = server.newSink().at(parts).open(StoreContext.system());
        ObjectStore to = server.newSink().at(parts).open(StoreContext.system())) {
      from.put(NAME, zeros);

      assertTrue(to.ability(StoreAbility.ServerCopy.class).orElseThrow().copy(from, NAME));

      try (InputStream in = to.open(NAME, ByteRange.ALL)) {
        assertEquals(zeros.digest(), Zeros.digestOf(in));
      }
    }
  }

  /** Five gigabytes to and fro. */
  @Tag("soak")
  @Test
  void an_object_of_more_than_a_thousand_parts_is_whole() throws Exception {
    long length = 1_001L * S3Pace.MIN_PART_BYTES;
    S3Pace many =
        new S3Pace(
            S3Pace.MIN_PART_BYTES,
            2 * S3Pace.MIN_PART_BYTES,
            1,
            1,
            Runnable::run,
            3,
            Duration.ofMillis(100),
            Duration.ofHours(1),
            1000,
            1L << 30);
    try (ObjectStore store = server.newSink().at(many).open(StoreContext.system())) {
      ObjectBody zeros = Zeros.of(length);
      store.put(NAME, zeros);
      try (InputStream in = store.open(NAME, ByteRange.ALL)) {
        assertEquals(zeros.digest(), Zeros.digestOf(in));
      }
      StoreAbility.ServerCopy copies = store.ability(StoreAbility.ServerCopy.class).orElseThrow();
      try (ObjectStore other = server.newSink().at(many).open(StoreContext.system())) {
        assertTrue(other.ability(StoreAbility.ServerCopy.class).orElseThrow().copy(store, NAME));
        try (InputStream in = other.open(NAME, ByteRange.ALL)) {
          assertEquals(zeros.digest(), Zeros.digestOf(in));
        }
      }
      assertReason(Reason.ALREADY_EXISTS, () -> copies.copy(store, NAME));
    }
  }

  private static void requireBoth(S3Sink sink, CoreFailure code) throws IOException {
    try (ObjectStore store = sink.open(StoreContext.system())) {
      var put = assertThrows(BackupException.Sink.class, () -> store.put(NAME, BODY));
      var list = assertThrows(BackupException.Sink.class, () -> store.list("", PageToken.START));
      var stat =
          assertThrows(
              BackupException.Sink.class,
              () -> store.ability(StoreAbility.Times.class).orElseThrow().storedAt(NAME));

      assertEquals(code, put.code(), put.getMessage());
      assertEquals(code, list.code(), list.getMessage());
      assertEquals(code, stat.code(), stat.getMessage());
    }
  }

  private static void assertReason(Reason expected, Action action) {
    var e = assertThrows(BackupException.Sink.class, action::run);
    assertEquals(expected, e.reason(), e.getMessage());
  }

  private static byte[] read(ObjectStore store, ObjectName name) throws IOException {
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }

  private static ObjectBody body(byte[] bytes, Digest digest) {
    return ObjectBody.of(bytes, bytes.length, digest);
  }

  private interface Action {
    void run() throws IOException;
  }
}
