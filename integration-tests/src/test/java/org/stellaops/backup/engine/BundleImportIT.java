package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.BundleImport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.ImportReport;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.AgeRecipient;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.ObjectName;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StoreRole;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.SnapshotFilter;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.FaultPlan;
import org.stellaops.backup.testkit.MemorySink;

/** What was carried here comes into a copy whole, newer than what is there, or not at all. */
class BundleImportIT {
  @TempDir Path directory;

  private final MemorySink primary = new MemorySink();
  private final MemorySink copy = new MemorySink();
  private final BytesSource first = BytesSource.of("a", Fixture.random(1, 60_000));
  private final BytesSource second = BytesSource.of("a", Fixture.random(2, 60_000));
  private AgeIdentity owner;
  private Host host;

  @BeforeEach
  void twoBundles() throws IOException {
    owner = AgeIdentity.generate();
    host = new Host(directory.resolve("host"), owner.recipient(), primary).withKeys();
    host.backUp(first, "first").requireGood();
    bundle("first", BundleRequest.of(file("first"), SnapshotRef.named("first")));
    host.backUp(second, "second").requireGood();
    bundle("second", BundleRequest.of(file("second"), SnapshotRef.named("second")));
  }

  @AfterEach
  void close() {
    owner.close();
    copy.assertNothingOpen();
  }

  private Path file(String name) {
    return directory.resolve(name + ".enc");
  }

  private Path quarantine() {
    return directory.resolve("quarantine");
  }

  private Trust trust() throws IOException {
    return Trust.owner(host.keys().id());
  }

  private void bundle(String name, BundleRequest request) throws IOException {
    try (BackupRepository repository = BackupRepository.at(primary).trust(trust()).open()) {
      repository.writeBundle(request);
    }
    assertTrue(Files.exists(file(name)));
  }

  private BundleImport importing(String name, BackupSink into) throws IOException {
    return BundleImport.of(OfflineBundle.at(file(name)), into, quarantine(), trust())
        .label("air-gap");
  }

  private BackupRepository opened() throws IOException {
    return BackupRepository.at(copy).identity(owner).trust(trust()).open();
  }

  private List<String> listed() throws IOException {
    try (BackupRepository repository = opened()) {
      assertEquals(List.of(), repository.catalog().damage());
      repository
          .verifyAll(SnapshotFilter.all(), Verification.stored())
          .forEach(r -> assertTrue(r.isIntact(), r.toString()));
      return repository.catalog().list(SnapshotFilter.all()).stream()
          .map(s -> s.name().value())
          .toList();
    }
  }

  private List<String> held() throws IOException {
    try (Stream<Path> files = Files.list(quarantine())) {
      return files.map(f -> f.getFileName().toString()).filter(n -> !n.endsWith(".log")).toList();
    }
  }

  private static FailureCode codeOf(Executable step) {
    return assertThrows(BackupException.class, step).code();
  }

  @Test
  void an_empty_store_becomes_a_copy_and_takes_newer_bundles() throws Exception {
    ImportReport one = importing("first", copy).execute();
    ImportReport two = importing("second", copy).execute();

    assertEquals(1, one.snapshots().size());
    assertFalse(two.isBackwards());
    assertTrue(two.there() > 0 && two.stored() > 0, two.toString());
    assertEquals(List.of("second", "first"), listed());
    try (BackupRepository repository = opened()) {
      assertEquals(StoreRole.COPY, repository.role());
      assertEquals("air-gap", repository.label());
      Host.assertRestores(repository, SnapshotRef.named("first"), first.artifacts());
      Host.assertRestores(repository, SnapshotRef.named("second"), second.artifacts());
    }
    assertEquals(List.of(), held());
  }

  @Test
  void the_same_bundle_again_changes_nothing() throws Exception {
    importing("second", copy).execute();
    var before = copy.snapshot().keySet();
    ImportReport again = importing("second", copy).execute();
    assertEquals(0, again.stored());
    assertEquals(before, copy.snapshot().keySet());
  }

  @Test
  void an_older_bundle_needs_a_reason_and_the_reason_is_recorded() throws Exception {
    importing("second", copy).execute();
    assertSame(CoreFailure.IMPORT_BACKWARDS, codeOf(() -> importing("first", copy).execute()));
    assertEquals(List.of("second"), listed());
    assertEquals(List.of(), held());

    ImportReport forced =
        importing("first", copy).evenBackwards("audit of November, ticket 4711").execute();

    assertTrue(forced.isBackwards());
    assertEquals(Optional.of("audit of November, ticket 4711"), forced.reason());
    assertEquals(List.of("second", "first"), listed());
    String log = Files.readString(quarantine().resolve("imports.log"));
    assertEquals(1, log.split("backwards: audit of November, ticket 4711", -1).length - 1, log);
    assertThrows(IllegalArgumentException.class, () -> importing("first", copy).evenBackwards(" "));
  }

  @Test
  void a_damaged_bundle_stays_in_quarantine_and_nothing_of_it_is_stored() throws Exception {
    byte[] bytes = Files.readAllBytes(file("first"));
    bytes[bytes.length / 2] ^= 1;
    Files.write(file("first"), bytes);

    assertSame(CoreFailure.CORRUPT_OBJECT, codeOf(() -> importing("first", copy).execute()));

    assertEquals(0, copy.raw().names().size());
    assertEquals(1, held().size());
    Path place = quarantine().resolve(held().get(0));
    assertTrue(Files.readString(place.resolve("why.txt")).contains("did not pass"));
    assertTrue(Files.exists(place.resolve("first.enc")));
  }

  @Test
  void a_bundle_that_nobody_who_is_trusted_signed_does_not_pass() throws Exception {
    for (Trust trust : List.of(Trust.nobody(), strangers())) {
      BundleImport stranger =
          BundleImport.of(OfflineBundle.at(file("first")), copy, quarantine(), trust);
      FailureCode code = codeOf(stranger::execute);
      assertSame(CoreFailure.UNTRUSTED_WRITER, code);
      assertEquals(0, copy.raw().names().size());
    }
  }

  private Trust strangers() throws IOException {
    Host other =
        new Host(directory.resolve("other"), owner.recipient(), new MemorySink()).withKeys();
    return Trust.owner(other.keys().id());
  }

  @Test
  void a_primary_and_another_repository_are_not_written_to() throws Exception {
    var before = primary.snapshot().keySet();
    assertSame(CoreFailure.COPY_CONFLICT, codeOf(() -> importing("first", primary).execute()));
    assertEquals(before, primary.snapshot().keySet());
    MemorySink another = new MemorySink();
    Host other = new Host(directory.resolve("other"), owner.recipient(), another).withKeys();
    other.backUp(first, "other").requireGood();
    assertSame(CoreFailure.WRONG_REPOSITORY, codeOf(() -> importing("first", another).execute()));
    assertEquals(List.of(), held());
  }

  @Test
  void the_passphrase_of_a_bundle_opens_nothing_in_the_copy() throws Exception {
    try (Secret passphrase = Secret.of("correct horse battery staple".toCharArray())) {
      bundle(
          "third",
          BundleRequest.of(file("third"), SnapshotRef.named("second"))
              .openedBy(List.of(AgeRecipient.passphrase(passphrase)), owner));
    }
    importing("third", copy).execute();
    long keys =
        copy.raw().names().stream()
            .map(ObjectName::value)
            .filter(n -> n.startsWith("keys/"))
            .count();
    assertEquals(1, keys);
  }

  @Test
  void what_a_killed_import_left_is_swept_by_the_next_one_into_the_same_copy() throws Exception {
    Path signers = directory.resolve("signers");
    Files.writeString(signers, trust().toAllowedSigners());
    Path store = directory.resolve("copy");
    BackupSink to = DirectorySink.at(store);
    try (ImportProcess killed =
        ImportProcess.halted(file("second"), store, quarantine(), signers)) {
      assertEquals(1, held().size());
      assertEquals(List.of(), importing("first", to).execute().swept(), "it is running");
      assertTrue(killed.isRunning());
      assertEquals(1, held().size());
    }
    String left = held().get(0);
    assertEquals(List.of(), importing("first", copy).execute().swept(), "of another copy");
    assertEquals(List.of(left), held());

    ImportReport next = importing("second", to).execute();

    assertEquals(List.of(left), next.swept());
    assertEquals(List.of(), held());
    assertTrue(
        Files.readString(quarantine().resolve("imports.log")).contains(" swept " + left + ","));
    assertEquals(List.of(), importing("second", to).execute().swept());
  }

  @Test
  void what_did_not_pass_is_never_swept() throws Exception {
    byte[] bytes = Files.readAllBytes(file("first"));
    bytes[bytes.length / 2] ^= 1;
    Files.write(file("first"), bytes);
    assertSame(CoreFailure.CORRUPT_OBJECT, codeOf(() -> importing("first", copy).execute()));
    List<String> kept = held();
    assertEquals(List.of(), importing("second", copy).execute().swept());
    assertEquals(kept, held());
    try (Stream<Path> files = Files.list(quarantine().resolve(kept.get(0)))) {
      assertEquals(2, files.count(), "the bundle, and why");
    }
  }

  @Test
  void one_failure_lists_nothing_half_and_the_next_import_goes_on() throws Exception {
    assertFailuresHarmNothing(13);
  }

  @Test
  @Tag("soak")
  void every_failure_lists_nothing_half_and_the_next_import_goes_on() throws Exception {
    assertFailuresHarmNothing(1);
  }

  private void assertFailuresHarmNothing(int step) throws IOException {
    FaultPlan none = FaultPlan.none();
    importing("second", none.on(copy)).execute();
    var whole = copy.snapshot().keySet();
    for (long operation = 0; operation < none.operations(); operation += step) {
      for (FaultPlan.When when : FaultPlan.When.values()) {
        copy.reset(new TreeMap<>());
        FaultPlan plan = FaultPlan.failing(operation, when).andEverAfter();
        assertThrows(
            BackupException.class,
            () -> importing("second", plan.on(copy)).execute(),
            plan.toString());
        if (copy.raw().names().contains(ObjectName.of("repository.json"))) {
          assertTrue(listed().size() <= 1, plan.toString());
        }
        importing("second", copy).execute();
        assertEquals(whole, copy.raw().names(), plan.toString());
        assertEquals(List.of(), held(), plan.toString());
      }
    }
  }
}
