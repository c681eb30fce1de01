package org.stellaops.backup.storage.azure;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.azure.core.util.BinaryData;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.models.PublicAccessType;
import com.azure.storage.blob.sas.BlobContainerSasPermission;
import com.azure.storage.blob.sas.BlobServiceSasSignatureValues;
import com.azure.storage.blob.specialized.BlockBlobClient;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.ObjectBody;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.PageToken;
import org.stellaops.backup.spi.StoreAbility;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.ExposureVerdicts;

/** What a store in Azurite can do besides the contract, and what it says of bad settings. */
@Tag("interop")
@SuppressWarnings("NullAway.Init") // JUnit calls start first
class AzuriteTest {
  private static final ObjectName NAME = ObjectName.of("packs/a b+c%2F");
  private static final byte[] BYTES = bytes(150_000);

  private static final String NONCE = UUID.randomUUID().toString();

  private static Azurite azurite;

  @BeforeAll
  static void start() throws IOException {
    azurite = Azurite.start();
  }

  @AfterAll
  static void stop() {
    azurite.close();
  }

  @Test
  void a_wrong_key_is_denied() throws Exception {
    // Azurite says AuthorizationFailure, Azure says AuthenticationFailed.
    String other = Base64.getEncoder().encodeToString(new byte[64]);
    try (ObjectStore store = open(azurite.newSink().sharedKey(() -> Secret.of(other)))) {
      assertReason(Reason.DENIED, () -> store.list("", PageToken.START));
      assertReason(Reason.DENIED, () -> store.put(NAME, body(BYTES)));
      assertReason(Reason.DENIED, () -> store.open(NAME, ByteRange.ALL));
    }
  }

  @Test
  void a_missing_container_is_named_and_not_made() throws Exception {
    try (ObjectStore store = open(azurite.sink("absent"))) {
      assertFailure(CoreFailure.BUCKET_MISSING, () -> store.put(NAME, body(BYTES)));
      assertFailure(CoreFailure.BUCKET_MISSING, () -> store.list("", PageToken.START));
      assertFailure(CoreFailure.BUCKET_MISSING, () -> store.open(NAME, ByteRange.ALL));
      assertFailure(CoreFailure.BUCKET_MISSING, () -> store.delete(NAME));
    }
    assertFalse(azurite.client().getBlobContainerClient("absent").exists());
  }

  @Test
  void a_signature_without_rights_says_which() throws Exception {
    BlobContainerClient container = azurite.newContainer();
    var create = new BlobContainerSasPermission().setCreatePermission(true).setReadPermission(true);
    OffsetDateTime end = OffsetDateTime.now().plusHours(1);
    String sas = container.generateSas(new BlobServiceSasSignatureValues(end, create));
    AzureSink sink = azurite.sink(container.getBlobContainerName()).sas(() -> Secret.of("?" + sas));
    try (ObjectStore store = open(sink)) {
      store.put(NAME, body(BYTES));
      assertArrayEquals(BYTES, read(store, NAME));
      assertDenied("list blobs", () -> store.list("", PageToken.START));
      assertDenied("delete blobs", () -> store.delete(NAME));
      assertArrayEquals(BYTES, read(store, NAME));
    }
  }

  @Test
  void blocks_that_nobody_commits_are_no_object_and_in_nobodys_way() throws Exception {
    BlobContainerClient container = azurite.newContainer();
    AzureSink sink = azurite.sink(container.getBlobContainerName()).partBytes(64 << 10);
    BlockBlobClient dead = container.getBlobClient(NAME.value()).getBlockBlobClient();
    String block = BlockName.of(Instant.EPOCH, NONCE, 0);
    dead.stageBlock(block, BinaryData.fromBytes(BYTES));
    assertEquals(List.of(NAME.value()), Azurite.unfinished(container));
    try (ObjectStore store = open(sink)) {
      assertEquals(List.of(), store.list("", PageToken.START).objects());
      assertReason(Reason.NOT_FOUND, () -> store.open(NAME, ByteRange.ALL));
      store.put(NAME, body(BYTES));

      assertArrayEquals(BYTES, read(store, NAME));
      assertEquals(List.of(), Azurite.unfinished(container));
    }
  }

  @Test
  void blocks_of_dead_processes_are_swept_and_no_others() throws Exception {
    BlobContainerClient container = azurite.newContainer();
    AzureSink sink = azurite.sink(container.getBlobContainerName()).partBytes(64 << 10);
    Instant now = Instant.now();
    stage(container, "p/old", BlockName.of(now.minus(Duration.ofHours(25)), NONCE, 0));
    stage(container, "p/young", BlockName.of(now.minus(Duration.ofHours(25)), NONCE, 0));
    stage(container, "p/young", BlockName.of(now.minus(Duration.ofHours(23)), NONCE, 1));
    stage(container, "p/foreign", Base64.getEncoder().encodeToString("x".getBytes(UTF_8)));
    stage(container, "q/old", BlockName.of(now.minus(Duration.ofHours(25)), NONCE, 0));
    try (ObjectStore store = open(sink.prefix("p").at(Duration.ofSeconds(-5)));
        ObjectStore standard = open(sink.prefix("p"))) {
      ObjectName empty = ObjectName.of("beat");
      store.put(empty, body(new byte[0]));
      store.put(NAME, body(BYTES));

      assertEquals(1, sweep(standard));
      assertEquals(List.of("p/foreign", "p/young", "q/old"), Azurite.unfinished(container));
      assertEquals(1, sweep(store));
      assertEquals(List.of("p/foreign", "q/old"), Azurite.unfinished(container));

      assertArrayEquals(new byte[0], read(store, empty));
      assertArrayEquals(BYTES, read(store, NAME));
    }
  }

  private static void stage(BlobContainerClient container, String name, String block) {
    BlockBlobClient blob = container.getBlobClient(name).getBlockBlobClient();
    blob.stageBlock(block, BinaryData.fromBytes(new byte[10]));
  }

  private static int sweep(ObjectStore store) throws IOException {
    return store.ability(StoreAbility.Strays.class).orElseThrow().sweep();
  }

  @Test
  void a_damaged_object_is_set_aside() throws Exception {
    BlobContainerClient container = azurite.newContainer();
    AzureSink sink = azurite.sink(container.getBlobContainerName()).partBytes(64 << 10);
    try (ObjectStore store = open(sink)) {
      byte[] first = BYTES.clone();
      first[99]++;
      byte[] second = BYTES.clone();
      second[98]++;
      store.put(NAME, body(BYTES));
      StoreAbility.Mending mending = store.ability(StoreAbility.Mending.class).orElseThrow();
      assertReason(Reason.NOT_FOUND, () -> mending.mend(ObjectName.of("absent"), body(BYTES)));

      damage(container, first);
      mending.mend(NAME, body(BYTES));
      damage(container, second);
      mending.mend(NAME, body(BYTES));
      damage(container, second);
      mending.mend(NAME, body(BYTES));

      assertArrayEquals(BYTES, read(store, NAME));
      assertArrayEquals(first, read(store, ObjectName.of(NAME + ".damaged")));
      assertArrayEquals(second, read(store, ObjectName.of(NAME + ".damaged-2")));
      assertEquals(3, store.list("", PageToken.START).objects().size());
    }
  }

  private static void damage(BlobContainerClient container, byte[] bytes) {
    container
        .getBlobClient(NAME.value())
        .getBlockBlobClient()
        .upload(new ByteArrayInputStream(bytes), bytes.length, true);
  }

  @Test
  void the_server_copies_between_containers() throws Exception {
    try (ObjectStore from = open(azurite.newSink());
        ObjectStore to = open(azurite.newSink().prefix("copies"))) {
      from.put(NAME, body(BYTES));
      StoreAbility.ServerCopy copy = to.ability(StoreAbility.ServerCopy.class).orElseThrow();

      assertTrue(copy.copy(from, NAME));

      assertArrayEquals(BYTES, read(to, NAME));
      assertReason(Reason.ALREADY_EXISTS, () -> copy.copy(from, NAME));
      assertReason(Reason.NOT_FOUND, () -> copy.copy(from, ObjectName.of("absent")));
    }
  }

  @Test
  void what_is_archived_is_not_read_before_it_was_retrieved() throws Exception {
    try (ObjectStore store = open(azurite.newSink().tier(AzureSink.Tier.ARCHIVE))) {
      store.put(NAME, body(BYTES));
      StoreAbility.Retrieval retrieval = store.ability(StoreAbility.Retrieval.class).orElseThrow();
      assertEquals(StoreAbility.Retrieval.State.COLD, retrieval.stateOf(NAME));
      assertReason(Reason.NOT_YET_RETRIEVED, () -> store.open(NAME, ByteRange.ALL));

      retrieval.request(NAME, Duration.ofDays(3));

      assertEquals(StoreAbility.Retrieval.State.READABLE, retrieval.stateOf(NAME));
      assertArrayEquals(BYTES, read(store, NAME));
    }
  }

  @Test
  void the_time_is_the_servers() throws Exception {
    try (ObjectStore store = open(azurite.newSink())) {
      StoreAbility.Times times = store.ability(StoreAbility.Times.class).orElseThrow();
      assertEquals(Optional.empty(), times.storedAt(NAME));
      store.put(NAME, body(BYTES));
      Instant stored = times.storedAt(NAME).orElseThrow();
      assertTrue(Duration.between(stored, Instant.now()).abs().toMinutes() < 5, stored.toString());
    }
  }

  @Test
  void a_public_container_fails_the_check() throws Exception {
    BlobContainerClient container = azurite.newContainer();
    try (ObjectStore store = open(azurite.sink(container.getBlobContainerName()))) {
      assertEquals(Verdict.PASS, ExposureVerdicts.of(store).get("sink: check.public-access"));
      container.setAccessPolicy(PublicAccessType.CONTAINER, null);
      assertEquals(Verdict.FAIL, ExposureVerdicts.of(store).get("sink: check.public-access"));
    }
  }

  private static ObjectStore open(AzureSink sink) throws IOException {
    return sink.open(StoreContext.system());
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(31).nextBytes(bytes);
    return bytes;
  }

  private static ObjectBody body(byte[] bytes) {
    return ObjectBody.of(bytes);
  }

  private static byte[] read(ObjectStore store, ObjectName name) throws IOException {
    try (InputStream in = store.open(name, ByteRange.ALL)) {
      return in.readAllBytes();
    }
  }

  private static void assertFailure(CoreFailure code, Executable action) {
    assertEquals(code, assertThrows(BackupException.Sink.class, action).code());
  }

  private static void assertReason(Reason reason, Executable action) {
    assertEquals(reason, assertThrows(BackupException.Sink.class, action).reason());
  }

  private static void assertDenied(String right, Executable action) {
    var e = assertThrows(BackupException.Sink.class, action);
    assertEquals(CoreFailure.SINK_DENIED, e.code(), e.getMessage());
    assertTrue(e.getMessage().contains(right), e.getMessage());
  }
}
