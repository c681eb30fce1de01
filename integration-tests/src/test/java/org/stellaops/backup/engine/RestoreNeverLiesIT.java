package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.RestoreReport;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.testkit.Damage;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/**
 * A restore publishes exactly what was captured, or nothing, and then says which object is to
 * blame.
 */
class RestoreNeverLiesIT {
  private static final int BYTES = 40_000;

  @TempDir Path root;
  private DamagedRepository repository;
  private List<BackupReport> snapshots;

  @BeforeEach
  void twoSnapshots() throws IOException {
    repository = new DamagedRepository(root);
    snapshots =
        repository.fill(
            BytesSource.of("a", Fixture.random(1, BYTES)),
            BytesSource.of("a", Fixture.random(2, BYTES)));
  }

  private SnapshotRef newest() {
    return snapshots.get(1).snapshot();
  }

  /** The pack, list or manifest that the newest snapshot has and the first has not. */
  private ObjectName ofNewest(String kind) throws IOException {
    String first = entry(1);
    String second = entry(2);
    for (ObjectName name : repository.named(kind)) {
      if (second.contains(name.value()) && !first.contains(name.value())) {
        return name;
      }
    }
    throw new IllegalArgumentException("the newest entry names no new " + kind);
  }

  private String entry(int snapshot) throws IOException {
    ObjectName name = ObjectName.of("log/host-a/%010d.entry".formatted(2 * snapshot));
    return new String(repository.raw().read(name), StandardCharsets.US_ASCII);
  }

  private ObjectName packOfNewest() throws IOException {
    String list = new String(repository.raw().read(ofNewest("/lists/")), StandardCharsets.US_ASCII);
    return ObjectName.of(list.strip().split("  ")[1]);
  }

  private ObjectName packOfFirst() throws IOException {
    return repository.named("/packs/").stream()
        .filter(n -> !n.value().equals(uncheckedPackOfNewest()))
        .findFirst()
        .orElseThrow();
  }

  private String uncheckedPackOfNewest() {
    try {
      return packOfNewest().value();
    } catch (IOException e) {
      throw new AssertionError("objects in memory can be read", e);
    }
  }

  /** Restores, and returns how that failed; nothing may have been published. */
  private BackupException failure() {
    BytesSource.Target target = new BytesSource.Target();
    BackupException failure =
        assertThrows(BackupException.class, () -> repository.restore(newest(), target));
    assertEquals(Map.of(), target.restored, "published although it failed");
    return failure;
  }

  private void assertBlamed(ObjectName object, BackupException failure, String why) {
    assertTrue(
        failure instanceof BackupException.Corrupt
            && String.valueOf(failure.getMessage()).contains(object.value()),
        () -> why + ": expected " + object + " to be named, found " + failure);
  }

  @Test
  void what_is_damaged_is_named_or_did_not_matter() throws IOException {
    int refused = 0;
    for (ObjectName object : List.of(packOfNewest(), ofNewest("/manifests/"))) {
      for (long at = 0; at < repository.raw().lengthBytes(object); at += 499) {
        refused += restoreWith(Damage.flip(object, at, (int) (at % 8)));
      }
    }
    assertTrue(refused > BYTES / 499, "only " + refused + " flips were noticed");
  }

  /** 1 if the restore was refused, 0 if it brought back the right bytes. */
  private int restoreWith(Damage damage) throws IOException {
    int[] refused = new int[1];
    damage.during(
        repository.raw(),
        () -> {
          BytesSource.Target target = new BytesSource.Target();
          try {
            repository.restore(newest(), target);
            assertArrayEquals(
                Fixture.random(2, BYTES), target.restored.get("a"), damage.toString());
          } catch (BackupException e) {
            assertBlamed(damage.objects().get(0), e, damage.toString());
            assertEquals(Map.of(), target.restored, damage.toString());
            refused[0] = 1;
          }
        });
    return refused[0];
  }

  @Test
  void a_truncated_or_missing_object_is_named() throws IOException {
    for (ObjectName object : List.of(packOfNewest(), ofNewest("/manifests/"))) {
      for (long length : List.of(0L, 1L, 100L, 200L, 20_000L, BYTES - 1L)) {
        Damage cut = Damage.truncate(object, length);
        cut.during(repository.raw(), () -> assertBlamed(object, failure(), cut.toString()));
      }
      Damage drop = Damage.drop(object);
      drop.during(
          repository.raw(),
          () -> {
            BackupException failure = failure();
            assertBlamed(object, failure, drop.toString());
            assertEquals(CoreFailure.OBJECT_NOT_FOUND, failure.code());
          });
    }
  }

  @Test
  void damage_between_plan_and_restore_is_noticed() throws IOException {
    BytesSource.Target target = new BytesSource.Target();
    try (BackupRepository opened = repository.open()) {
      RestorePlan plan =
          opened.planRestore(
              RestoreRequest.of(newest()).with(repository.owner).target("files", target));
      ObjectName pack = packOfNewest();
      repository.raw().remove(pack);
      var failure =
          assertThrows(
              BackupException.Corrupt.class,
              () -> opened.restore(plan, Confirmation.of(plan.digest())));
      assertBlamed(pack, failure, "removed after planning");
      assertEquals(Map.of(), target.restored);
    }
  }

  @Test
  void swapped_packs_are_named() throws IOException {
    ObjectName pack = packOfNewest();
    Damage.swap(pack, packOfFirst())
        .during(repository.raw(), () -> assertBlamed(pack, failure(), "swapped"));
  }

  @Test
  void swapped_manifests_are_named() throws IOException {
    List<ObjectName> manifests = repository.named("/manifests/");
    Damage.swap(manifests.get(0), manifests.get(1))
        .during(
            repository.raw(), () -> assertBlamed(ofNewest("/manifests/"), failure(), "swapped"));
  }

  /** Whoever can read the store knows whom to encrypt to. */
  private Recipient epoch() throws IOException {
    String admin =
        new String(
            repository.raw().read(ObjectName.of("log/admin/0000000001.entry")),
            StandardCharsets.US_ASCII);
    String line =
        admin.lines().filter(l -> l.startsWith("# recipient: ")).findFirst().orElseThrow();
    return AgeRecipient.parse(line.substring("# recipient: ".length()));
  }

  private byte[] sealed(byte[] plain) throws IOException {
    Recipient epoch = epoch();
    ByteArrayOutputStream stored = new ByteArrayOutputStream();
    try (Encryptor.Sealing out = epoch.format().seal(stored, List.of(epoch))) {
      out.write(plain);
      out.finish();
    }
    return stored.toByteArray();
  }

  /** A frame as the writer makes it, and zeros up to the length of the pack that it replaces. */
  private static byte[] pack(byte[] content) {
    byte[] frame = Zstd.compress(content, 3);
    return Arrays.copyOf(frame, 64 << 10);
  }

  @Test
  void a_pack_that_somebody_else_encrypted_to_the_right_key_is_noticed_and_named()
      throws IOException {
    ObjectName pack = packOfNewest();
    byte[] forged = sealed(pack(Fixture.random(666, BYTES)));
    assertEquals(repository.raw().lengthBytes(pack), forged.length);
    repository.raw().write(pack, forged);
    BackupException failure = failure();
    assertBlamed(pack, failure, "forged pack");
    assertTrue(failure.getMessage().contains("plain digest"), failure.getMessage());
    assertTrue(repository.checkStored(repository.sink).damage().toString().contains(pack.value()));
  }

  @Test
  void a_forged_pack_of_other_frames_is_noticed_and_named() throws IOException {
    ObjectName pack = packOfNewest();
    for (byte[] content :
        List.of(
            Fixture.random(666, BYTES - 1),
            Fixture.random(666, BYTES + 1),
            new byte[BYTES],
            new byte[1])) {
      byte[] before = repository.raw().read(pack);
      repository.raw().write(pack, sealed(pack(content)));
      assertBlamed(pack, failure(), "forged pack of " + content.length);
      repository.raw().write(pack, before);
    }
  }

  @Test
  void a_manifest_that_somebody_else_encrypted_is_named() throws IOException {
    ObjectName manifest = ofNewest("/manifests/");
    String lines = "{\"manifest\":1,\"snapshot\":\"%s\"}\n".formatted(snapshots.get(1).snapshot());
    byte[] frame = Zstd.compress(lines.getBytes(StandardCharsets.UTF_8), 3);
    repository.raw().write(manifest, sealed(frame));
    assertBlamed(manifest, failure(), "forged manifest");
  }

  @Test
  void of_several_sources_none_is_published_if_one_is_damaged() throws IOException {
    BackupPlan plan =
        BackupPlan.named("test")
            .source("first", BytesSource.of("a", Fixture.random(7, 1000)))
            .source("second", BytesSource.of("a", Fixture.random(8, 8 << 20)))
            .encryptTo(repository.owner.recipient())
            .writer(repository.keys)
            .sink(repository.sink)
            .build();
    SnapshotRef snapshot;
    List<ObjectName> before = repository.named("/packs/");
    try (BackupEngine engine = BackupEngine.open(plan)) {
      snapshot = engine.backup(BackupRequest.full()).snapshot();
    }
    List<ObjectName> packs = new ArrayList<>(repository.named("/packs/"));
    packs.removeAll(before);
    BytesSource.Target first = new BytesSource.Target();
    BytesSource.Target second = new BytesSource.Target();
    ObjectName damaged = packs.get(packs.size() - 1);
    Damage.flip(damaged, 5 << 20, 1)
        .during(
            repository.raw(),
            () -> {
              try (BackupRepository opened = repository.open()) {
                RestorePlan restore =
                    opened.planRestore(
                        RestoreRequest.of(snapshot)
                            .with(repository.owner)
                            .target("first", first)
                            .target("second", second));
                var failure =
                    assertThrows(
                        BackupException.Corrupt.class,
                        () -> opened.restore(restore, Confirmation.of(restore.digest())));
                assertBlamed(damaged, failure, "one of two");
              }
            });
    assertEquals(Map.of(), first.restored);
    assertEquals(Map.of(), first.staged, "what was staged is gone");
    assertEquals(Map.of(), second.restored);
  }

  @Test
  void without_an_identity_nothing_is_read_but_logs() throws IOException {
    assertRefusedByLogsAlone(CoreFailure.KEY_UNAVAILABLE, RestoreRequest.of(newest()));
  }

  @Test
  void with_a_wrong_identity_nothing_is_read_but_logs() throws IOException {
    try (AgeIdentity wrong = AgeIdentity.generate()) {
      assertRefusedByLogsAlone(CoreFailure.WRONG_KEY, RestoreRequest.of(newest()).with(wrong));
    }
  }

  private void assertRefusedByLogsAlone(CoreFailure expected, RestoreRequest request)
      throws IOException {
    FaultPlan counted = FaultPlan.none();
    try (BackupRepository opened =
        BackupRepository.at(counted.on(repository.sink))
            .trust(Trust.owner(repository.writer))
            .open()) {
      var refused =
          assertThrows(
              BackupException.Crypto.class,
              () -> opened.planRestore(request.target("files", new BytesSource.Target())));
      assertEquals(expected, refused.code());
    }
    assertNotEquals(List.of(), counted.log());
    assertTrue(counted.log().stream().noneMatch(o -> o.contains("w/")), counted.log().toString());
  }

  @Test
  void a_full_verification_with_a_wrong_identity_reads_nothing_but_logs() throws IOException {
    FaultPlan counted = FaultPlan.none();
    try (AgeIdentity wrong = AgeIdentity.generate();
        BackupRepository opened =
            BackupRepository.at(counted.on(repository.sink))
                .trust(Trust.owner(repository.writer))
                .open()) {
      var refused =
          assertThrows(
              BackupException.Crypto.class,
              () -> opened.verify(newest(), Verification.full(wrong)));
      assertEquals(CoreFailure.WRONG_KEY, refused.code());
    }
    assertTrue(counted.log().stream().noneMatch(o -> o.contains("w/")), counted.log().toString());
  }

  @Test
  void a_restore_says_that_the_chain_behind_it_is_broken_and_who_signed() throws IOException {
    Damage.drop(ObjectName.of("log/host-a/0000000002.entry"))
        .during(
            repository.raw(),
            () ->
                assertEquals(
                    List.of(CoreFailure.CHAIN_BROKEN), codes(Trust.owner(repository.writer))));
    assertEquals(List.of(), codes(Trust.owner(repository.writer)));
    assertEquals(List.of(CoreFailure.UNTRUSTED_WRITER), codes(Trust.nobody()));
  }

  private List<?> codes(Trust trust) throws IOException {
    BytesSource.Target target = new BytesSource.Target();
    try (BackupRepository opened = BackupRepository.at(repository.sink).trust(trust).open()) {
      RestorePlan plan =
          opened.planRestore(
              RestoreRequest.of(newest()).with(repository.owner).target("files", target));
      RestoreReport report = opened.restore(plan, Confirmation.of(plan.digest()));
      assertArrayEquals(Fixture.random(2, BYTES), target.restored.get("a"));
      return report.findings().stream().map(f -> f.code()).distinct().toList();
    }
  }

  @Test
  void whoever_is_added_as_a_recipient_can_open_everything_of_the_next_snapshot()
      throws IOException {
    byte[] content = Fixture.random(2, BYTES);
    try (AgeIdentity second = AgeIdentity.generate()) {
      BackupPlan plan =
          BackupPlan.named("test")
              .source("files", BytesSource.of("a", content))
              .encryptTo(repository.owner.recipient(), second.recipient())
              .writer(repository.keys)
              .sink(repository.sink)
              .build();
      for (String name : List.of("for-two", "for-two-again")) {
        SnapshotRef snapshot;
        try (BackupEngine engine = BackupEngine.open(plan)) {
          BackupReport report = engine.backup(BackupRequest.full().named(name));
          snapshot = report.snapshot();
          assertEquals(name.equals("for-two"), report.newBytes() > 0, name);
        }
        for (AgeIdentity identity : List.of(repository.owner, second)) {
          try (BackupRepository opened = repository.open()) {
            BytesSource.Target target = new BytesSource.Target();
            RestorePlan restore =
                opened.planRestore(
                    RestoreRequest.of(snapshot).with(identity).target("files", target));
            opened.restore(restore, Confirmation.of(restore.digest()));
            assertArrayEquals(content, target.restored.get("a"), name);
          }
        }
      }
      assertEquals(
          0, repository.backup("for-one", BytesSource.of("b", new byte[1])).findings().size());
      assertTrue(repository.check(repository.sink).isIntact());
    }
  }

  @Test
  void a_second_epoch_does_not_disturb_the_snapshots_of_the_first() throws IOException {
    MemorySink sink = repository.sink;
    try (AgeIdentity other = AgeIdentity.generate()) {
      BackupPlan plan =
          BackupPlan.named("test")
              .source("files", BytesSource.of("a", Fixture.random(1, BYTES)))
              .encryptTo(other.recipient())
              .writer(repository.keys)
              .sink(sink)
              .build();
      try (BackupEngine engine = BackupEngine.open(plan)) {
        engine.backup(BackupRequest.full().named("for-the-other"));
      }
    }
    assertArrayEquals(
        Fixture.random(1, BYTES),
        repository.restore(snapshots.get(0).snapshot()).restored.get("a"));
    BackupReport back = repository.backup("back", BytesSource.of("a", Fixture.random(1, BYTES)));
    assertArrayEquals(
        Fixture.random(1, BYTES), repository.restore(back.snapshot()).restored.get("a"));
  }
}
