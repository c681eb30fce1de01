package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.BundleImport;
import org.stellaops.backup.bundle.BundleReport;
import org.stellaops.backup.bundle.BundleRequest;
import org.stellaops.backup.bundle.HandMadeBackup;
import org.stellaops.backup.bundle.OfflineBundle;
import org.stellaops.backup.bundle.TarballReport;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.PassphraseFile;
import org.stellaops.backup.engine.LoopMedium.Format;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CopyReport;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Bundles and copies on media with real file systems, which become full, fail, and are pulled out
 * while they are written and read. Takes root, loop devices and FUSE; fails where there are none.
 */
@Tag("interop")
class RemovableMediumIT {
  private static final SnapshotRef SNAPSHOT = SnapshotRef.named("only");
  private static final long LARGE = 48L << 20;
  private static final long SMALL = 8L << 20;

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private final BytesSource source = BytesSource.of("a", Fixture.random(2, 12 << 20));
  private AgeIdentity owner;
  private Host host;
  private LoopMedium medium;

  @BeforeEach
  void backUp() throws Exception {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    host.backUp(source, "only").requireGood();
  }

  @AfterEach
  void takeOut() throws Exception {
    owner.close();
    if (medium != null) {
      medium.putAway();
    }
    sink.assertNothingOpen();
  }

  private void insert(Format format, long sizeBytes) throws Exception {
    // FAT32 needs 65525 clusters.
    long bytes = format == Format.FAT32 ? Math.max(sizeBytes, 40L << 20) : sizeBytes;
    medium = new LoopMedium(format, root, bytes).insert();
  }

  private Path file() {
    return medium.root().resolve("stellaops-backup-20261120.enc");
  }

  private OfflineBundle bundle() {
    return OfflineBundle.at(file());
  }

  private BundleReport write(BackupSink from) throws IOException {
    try (BackupRepository repository = host.repository(owner, from)) {
      return repository.writeBundle(BundleRequest.of(file(), SNAPSHOT).volumeBytes(1 << 20));
    }
  }

  /** The repository, which does something to the medium before so many of its packs are read. */
  private BackupSink whichBeforePack(int number, Executable step) {
    int[] packs = {0};
    return HookedStore.on(
        sink,
        operation -> {
          if (operation.startsWith("open w/host-a/packs/") && ++packs[0] == number) {
            try {
              step.execute();
            } catch (Throwable e) {
              throw new AssertionError(e);
            }
          }
        });
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(medium.root())) {
      return files
          .map(f -> String.valueOf(f.getFileName()))
          .filter(n -> !n.equals("lost+found"))
          .sorted()
          .toList();
    }
  }

  private static void assertFails(CoreFailure code, Executable step) {
    var e = assertThrows(BackupException.class, step);
    assertSame(code, e.code(), e::toString);
    assertNotNull(e.code().remedy());
  }

  private void assertComesBack() throws IOException {
    assertEquals(List.of(), bundle().damage());
    try (BackupRepository repository = opened()) {
      Host.assertRestores(repository, SNAPSHOT, source.artifacts());
    }
  }

  private BackupRepository opened() throws IOException {
    return BackupRepository.at(bundle())
        .identity(owner)
        .trust(Trust.owner(host.keys().id()))
        .open();
  }

  @ParameterizedTest
  @EnumSource
  void a_bundle_comes_back_from_a_medium_that_was_taken_out_and_put_in(Format format)
      throws Exception {
    insert(format, LARGE);
    BundleReport written = write(sink);
    assertTrue(written.volumes().size() > 10);
    boolean isPrivate = !format.equals(Format.EXFAT);
    assertEquals(
        isPrivate ? List.of() : List.of(CoreFailure.NOT_PRIVATE),
        written.findings().stream().map(Finding::code).toList());
    medium.takeOut().insert();
    assertComesBack();
    assertEquals(written.volumes().size(), names().size());
  }

  @ParameterizedTest
  @EnumSource
  void pulled_out_while_it_is_written_leaves_nothing_that_counts(Format format) throws Exception {
    insert(format, LARGE);
    assertFails(CoreFailure.MEDIUM_GONE, () -> write(whichBeforePack(3, () -> medium.pullOut())));
    medium.takeOut().insert();
    // What is there is called unfinished, whatever the file system kept of it.
    for (String name : names()) {
      assertTrue(name.endsWith(".incomplete"), names().toString());
    }
    CoreFailure is =
        names().contains(file().getFileName() + ".001.incomplete")
            ? CoreFailure.BUNDLE_INCOMPLETE
            : CoreFailure.MEDIUM_GONE;
    assertFails(is, () -> opened().close());
    for (String name : names()) {
      Files.delete(medium.root().resolve(name));
    }
    write(sink);
    medium.takeOut().insert();
    assertComesBack();
  }

  @ParameterizedTest
  @EnumSource
  void pulled_out_while_it_is_read_restores_nothing_and_goes_on_afterwards(Format format)
      throws Exception {
    insert(format, LARGE);
    write(sink);
    medium.takeOut().insert();
    BytesSource.Target target = new BytesSource.Target();
    try (BackupRepository repository = opened()) {
      RestorePlan plan =
          repository.planRestore(RestoreRequest.of(SNAPSHOT).target(Host.SOURCE, target));
      medium.pullOut();
      assertFails(
          CoreFailure.MEDIUM_GONE, () -> repository.restore(plan, Confirmation.of(plan.digest())));
      assertEquals(Map.of(), target.restored);
    }
    assertFails(CoreFailure.MEDIUM_GONE, () -> bundle().damage());
    medium.takeOut().insert();
    assertComesBack();
  }

  @ParameterizedTest
  @EnumSource
  void pulled_out_while_it_is_imported_leaves_no_quarantine(Format format) throws Exception {
    insert(format, LARGE);
    write(sink);
    MemorySink copy = new MemorySink();
    BundleImport importing =
        BundleImport.of(bundle(), copy, root.resolve("quarantine"), Trust.owner(host.keys().id()));
    medium.pullOut();
    assertFails(CoreFailure.MEDIUM_GONE, importing::execute);
    assertEquals(0, copy.raw().names().size());
    medium.takeOut().insert();
    assertEquals(1, importing.execute().snapshots().size());
    try (Stream<Path> left = Files.list(root.resolve("quarantine"))) {
      assertEquals(List.of("imports.log"), left.map(f -> f.getFileName().toString()).toList());
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_full_one_keeps_nothing(Format format) throws Exception {
    insert(format, SMALL);
    if (format == Format.FAT32) {
      Files.write(medium.root().resolve("other"), new byte[30 << 20]);
    }
    List<String> before = names();
    assertFails(CoreFailure.SINK_FULL, () -> write(sink));
    assertEquals(before, names());
  }

  @Test
  void one_that_fails_and_becomes_read_only_is_denied() throws Exception {
    insert(Format.EXT4, LARGE);
    assertFails(CoreFailure.SINK_DENIED, () -> write(whichBeforePack(3, () -> medium.fail())));
    medium.takeOut().insert();
    for (String name : names()) {
      assertTrue(name.endsWith(".incomplete"), names().toString());
    }
  }

  @Test
  void one_whose_name_went_gets_no_bundle_and_neither_does_what_was_below() throws Exception {
    insert(Format.EXT4, LARGE);
    assertFails(CoreFailure.MEDIUM_GONE, () -> write(whichBeforePack(3, () -> medium.detach())));
    assertEquals(List.of(), names());
    medium.insert();
    for (String name : names()) {
      assertTrue(name.endsWith(".incomplete"), names().toString());
    }
  }

  @Test
  void tarballs_fail_as_bundles_do() throws Exception {
    insert(Format.EXT4, SMALL);
    Path tarball = medium.root().resolve("latest-full.tar.gz");
    TarballRequest request = TarballRequest.encrypted(SNAPSHOT, tarball, owner.recipient());
    try (BackupRepository repository = host.repository(owner)) {
      assertFails(CoreFailure.SINK_FULL, () -> repository.exportTarball(request));
      assertEquals(List.of(), names());
    }
    BackupSink pulling = whichBeforePack(2, () -> medium.pullOut());
    try (BackupRepository repository = host.repository(owner, pulling)) {
      assertFails(CoreFailure.MEDIUM_GONE, () -> repository.exportTarball(request));
    }
    medium.takeOut().insert();
    assertTrue(names().stream().allMatch(n -> n.endsWith(".incomplete")), names().toString());
  }

  @Test
  void a_tarball_is_read_from_a_medium_and_what_is_in_it_is_not_unpacked_onto_one_for_all()
      throws Exception {
    insert(Format.EXFAT, LARGE);
    Path tarball = medium.root().resolve("latest-full.tar.gz");
    TarballReport exported;
    try (BackupRepository repository = host.repository(owner)) {
      exported = repository.exportTarball(TarballRequest.plain(SNAPSHOT, tarball));
    }
    assertSame(CoreFailure.NOT_PRIVATE, exported.findings().get(0).code());
    Path onMedium = medium.root().resolve("out");
    assertFails(CoreFailure.NOT_PRIVATE, () -> HandMadeBackup.at(tarball).unpack(onMedium, LARGE));
    assertEquals(List.of("latest-full.tar.gz"), names());

    Path out = root.resolve("out");
    HandMadeBackup.at(tarball).unpack(out, LARGE);
    assertArrayEquals(source.artifacts().get("a"), Files.readAllBytes(out.resolve("a")));

    medium.pullOut();
    assertFails(
        CoreFailure.MEDIUM_GONE,
        () -> HandMadeBackup.at(tarball).unpack(root.resolve("again"), LARGE));
    assertFalse(Files.exists(root.resolve("again")));
  }

  @Test
  void a_repository_on_a_medium_that_is_pulled_out_lists_nothing_half() throws Exception {
    insert(Format.EXT4, LARGE);
    DirectorySink directory = DirectorySink.at(medium.root().resolve("repository"));
    Host other = new Host(root.resolve("other"), owner.recipient(), directory).withKeys();
    BytesSource second = BytesSource.of("a", Fixture.random(3, 9 << 20));
    other.backUp(source, "first").requireGood();
    int[] puts = {0};
    BackupSink pulling =
        HookedStore.on(
            directory,
            operation -> {
              if (operation.startsWith("put w/host-a/packs/") && ++puts[0] == 2) {
                medium.pullOut();
              }
            });

    assertThrows(BackupException.Sink.class, () -> other.backUp(second, "second", pulling));

    assertTrue(puts[0] >= 2, "it was pulled out");
    medium.takeOut().insert();
    assertTrue(other.isThereAndComplete("first", source, owner));
    assertFalse(other.isThereAndComplete("second", second, owner));
    other.backUp(second, "second").requireGood();
    assertTrue(other.isThereAndComplete("second", second, owner));
  }

  private CopyReport copyTo(BackupSink target) throws IOException {
    try (BackupRepository repository = host.repository(owner)) {
      return repository.copy(CopyRequest.to(target)).requireComplete();
    }
  }

  @Test
  void a_copy_that_fills_its_medium_holds_what_is_whole_and_goes_on_when_there_is_room()
      throws Exception {
    BytesSource large = BytesSource.of("a", Fixture.random(3, 26 << 20));
    host.backUp(large, "large").requireGood();
    insert(Format.EXT4, 2 * LARGE);
    Path other = medium.root().resolve("other");
    Files.write(other, new byte[60 << 20]);
    DirectorySink directory = DirectorySink.at(medium.root().resolve("copy"));
    Host copied = new Host(host.directory, host.owner, directory);

    assertFails(CoreFailure.SINK_FULL, () -> copyTo(directory));

    assertTrue(copied.isThereAndComplete("only", source, owner), "it was there before");
    assertFalse(copied.isThereAndComplete("large", large, owner));
    assertFails(CoreFailure.SINK_FULL, () -> copyTo(directory));
    assertFalse(Files.exists(medium.root().resolve("copy/tmp")), "nothing half written is left");
    Files.delete(other);
    medium.takeOut().insert();
    final long before = files("copy");
    CopyReport rest = copyTo(directory);
    assertTrue(rest.sent() > 0);
    assertEquals(before + rest.sent(), files("copy"), "only the rest");
    assertTrue(copied.isThereAndComplete("large", large, owner));
    medium.takeOut().insert();
    assertTrue(copied.isThereAndComplete("only", source, owner));
  }

  private long files(String below) throws IOException {
    try (Stream<Path> all = Files.walk(medium.root().resolve(below))) {
      return all.filter(Files::isRegularFile).count();
    }
  }

  @Test
  void a_passphrase_that_others_can_read_there_is_refused() throws Exception {
    insert(Format.EXFAT, LARGE);
    Path passphrase = medium.root().resolve("backup-key");
    Files.writeString(passphrase, "correct horse battery staple\n");
    assertFails(CoreFailure.KEY_FILE_EXPOSED, () -> PassphraseFile.read(passphrase));
  }

  @ParameterizedTest
  @EnumSource(
      value = Format.class,
      names = {"FAT32", "EXFAT"})
  void where_there_are_no_hard_links_a_directory_is_no_store_and_a_bundle_is(Format format)
      throws Exception {
    insert(format, LARGE);
    DirectorySink directory = DirectorySink.at(medium.root().resolve("repository"));
    Host other = new Host(root.resolve("other"), owner.recipient(), directory).withKeys();
    assertFails(CoreFailure.NO_HARD_LINKS, () -> other.backUp(source, "other"));
    assertTrue(CoreFailure.NO_HARD_LINKS.remedy().contains("bundle"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Format.class,
      names = {"FAT32", "EXFAT"})
  void a_name_that_cannot_be_is_refused_as_that(Format format) throws Exception {
    insert(format, LARGE);
    Path name = medium.root().resolve("backup-2026-11-20T02:00.enc");
    try (BackupRepository repository = host.repository(owner)) {
      assertFails(
          CoreFailure.NAME_REFUSED, () -> repository.writeBundle(BundleRequest.of(name, SNAPSHOT)));
    }
    assertEquals(List.of(), names());
  }
}
