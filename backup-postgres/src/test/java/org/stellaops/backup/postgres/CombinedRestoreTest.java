package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

/** Chains of captures as a server could have sent them, and as none would. */
class CombinedRestoreTest {
  private static final long CHAINS = 60;

  @TempDir Path directory;

  private Path data;
  private Path space;

  @BeforeEach
  void names() {
    data = directory.resolve("data");
    space = directory.resolve("space");
  }

  @Test
  void every_capture_of_a_chain_restores_to_what_the_cluster_held_then() throws Exception {
    for (long seed = 0; seed < CHAINS; seed++) {
      ModelledCluster cluster = new ModelledCluster(seed);
      Captured captured = CaptureHarness.of(cluster.backUp(false)).capture();
      for (int increment = 1; increment <= 4; increment++) {
        cluster.change();
        captured = CaptureHarness.of(cluster.backUp(true)).parent(captured).capture();
        assertRestores(captured, cluster.contents(), "seed " + seed + ", increment " + increment);
      }
    }
  }

  @Test
  void the_label_of_a_combined_cluster_is_that_of_a_full_backup() throws Exception {
    RestoreHarness.of(PostgresTarget.directory(data), chain(3)).restore();

    String label = Files.readString(data.resolve("backup_label"));
    assertTrue(label.contains("START WAL LOCATION: 0/4000028"), label);
    assertFalse(label.contains("INCREMENTAL"), label);
  }

  @Test
  void a_plan_names_every_capture_that_is_read() throws Exception {
    RestorePlanned planned = RestoreHarness.of(PostgresTarget.directory(data), chain(3)).plan();

    assertEquals(4, planned.steps().size(), planned::toString);
    assertTrue(planned.steps().get(2).what().contains("snapshot-2"), planned::toString);
    assertTrue(planned.steps().get(3).what().contains("snapshot-1"), planned::toString);
  }

  @Test
  void a_chain_can_be_rolled_back_at_any_step_and_spares_what_others_put_there() throws Exception {
    RestoreHarness harness = RestoreHarness.of(PostgresTarget.directory(data), chain(3));

    harness.stage();
    harness.rollBack();
    assertEquals(List.of(), left());
    harness.stage();
    harness.publish();
    harness.publish();
    harness.rollBack();
    harness.rollBack();
    assertEquals(List.of(), left());
    harness.restore();
    assertEquals(List.of(data), left());
  }

  @Test
  void a_roll_back_spares_what_an_earlier_restore_of_the_same_capture_put_there() throws Exception {
    Captured captured = chain(2);
    RestoreHarness.of(PostgresTarget.directory(data), captured).restore();
    RestoreHarness second = RestoreHarness.of(PostgresTarget.directory(data), captured);

    assertThrows(BackupException.Target.class, second::stage);
    second.rollBack();

    assertTrue(Files.exists(data.resolve("PG_VERSION")));
  }

  @ParameterizedTest
  @ValueSource(strings = {"base.tar", "backup_manifest"})
  void every_truncation_of_an_artifact_is_an_error_and_leaves_nothing(String artifact)
      throws Exception {
    Captured captured = chain(3);
    long longest = 0;
    for (Captured link : captured.chain()) {
      longest = Math.max(longest, link.bytes(artifact).length);
    }
    for (long cut = 0; cut < longest; cut += longest / 50) {
      RestoreHarness harness =
          RestoreHarness.of(PostgresTarget.directory(data), captured)
              .damage(artifact, ArtifactDamage.truncate(cut));
      assertThrows(BackupException.class, harness::restore, "cut to " + cut + " bytes");
      assertEquals(List.of(), left(), "cut to " + cut + " bytes");
    }
  }

  @Test
  void a_restore_that_is_stopped_in_any_capture_leaves_nothing() throws Exception {
    Captured captured = chain(3);
    long all = 0;
    for (Captured link : captured.chain()) {
      all += link.source().header().plainBytes();
    }
    for (long bytes = 0; bytes < all; bytes += all / 20) {
      RestoreHarness harness =
          RestoreHarness.of(PostgresTarget.directory(data), captured).stopAfter(bytes);
      assertThrows(BackupException.Stopped.class, harness::restore, "after " + bytes + " bytes");
      assertEquals(List.of(), left(), "after " + bytes + " bytes");
    }
  }

  @Test
  void an_increment_that_builds_on_another_backup_is_refused() throws Exception {
    assertBroken(
        "increment after it was made since",
        SyntheticBackup.cluster(2, null),
        SyntheticBackup.cluster(4, 3));
    assertBroken("expected a full capture", SyntheticBackup.cluster(2, 1));
    assertBroken(
        "expected an increment",
        SyntheticBackup.cluster(2, null),
        SyntheticBackup.cluster(3, null));
    assertBroken(
        "of system 1 and of system 7400000000000000001",
        SyntheticBackup.cluster(2, null).ofSystem("1"),
        SyntheticBackup.cluster(3, 2));
  }

  @Test
  void changed_blocks_of_what_no_older_capture_holds_are_refused() throws Exception {
    assertBroken(
        "snapshot-1 has neither all nor changed blocks of [base/5/1]",
        SyntheticBackup.cluster(2, null),
        changed(3, 2));
    assertBroken(
        "snapshot-1 is the oldest and has only changed blocks of [base/5/1]",
        SyntheticBackup.cluster(2, null).file("base.tar", "base/5/INCREMENTAL.1", noBlocks()),
        changed(3, 2));
    assertBroken(
        "snapshot-2 has neither all nor changed blocks of [base/5/1]",
        SyntheticBackup.cluster(2, null).file("base.tar", "base/5/1", new byte[8192]),
        SyntheticBackup.cluster(3, 2),
        changed(4, 3));
    assertBroken(
        "base/5/1 is there twice",
        SyntheticBackup.cluster(2, null)
            .file("base.tar", "base/5/INCREMENTAL.1", noBlocks())
            .file("base.tar", "base/5/INCREMENTAL.1", noBlocks()),
        changed(3, 2));
  }

  @Test
  void an_incremental_file_that_is_none_is_named() throws Exception {
    Captured full = CaptureHarness.of(SyntheticBackup.cluster(2, null)).capture();
    SyntheticBackup hostile =
        SyntheticBackup.cluster(3, 2).file("base.tar", "base/5/INCREMENTAL.1", new byte[12]);
    Captured captured = CaptureHarness.of(hostile).parent(full).capture();

    var e =
        assertThrows(
            BackupException.Corrupt.class,
            () -> RestoreHarness.of(PostgresTarget.directory(data), captured).restore());

    assertEquals(PostgresFailure.INCREMENT_MALFORMED, e.code());
    assertTrue(e.getMessage().contains("base/5/INCREMENTAL.1"), e.getMessage());
    assertEquals(List.of(), left());
  }

  @Test
  void a_file_of_an_older_capture_that_differs_from_its_manifest_is_named() throws Exception {
    SyntheticBackup differs =
        SyntheticBackup.cluster(2, null)
            .put("base.tar", "base/5/2", "evil")
            .declare("base/5/2", "good");
    Captured full = CaptureHarness.of(differs).capture();
    Captured captured = CaptureHarness.of(SyntheticBackup.cluster(3, 2)).parent(full).capture();

    var e =
        assertThrows(
            BackupException.Corrupt.class,
            () -> RestoreHarness.of(PostgresTarget.directory(data), captured).restore());

    assertEquals(PostgresFailure.MANIFEST_DIFFERS, e.code());
    assertTrue(e.getMessage().contains("base/5/2: expected 4 bytes"), e.getMessage());
    assertEquals(List.of(), left());
  }

  @Test
  void a_whole_file_that_ends_within_a_block_gives_its_whole_blocks() throws Exception {
    byte[] odd = new byte[8192 + 100];
    odd[0] = 1;
    odd[8192] = 2;
    Captured full =
        CaptureHarness.of(SyntheticBackup.cluster(2, null).file("base.tar", "base/5/1", odd))
            .capture();
    Captured captured = CaptureHarness.of(changed(3, 2)).parent(full).capture();

    RestoreHarness.of(PostgresTarget.directory(data), captured).restore();

    byte[] expected = new byte[2 * 8192];
    expected[0] = 1;
    assertArrayEquals(expected, Files.readAllBytes(data.resolve("base/5/1")));
    assertEquals(List.of(), VerifiedDirectory.problems(data));
  }

  /** An increment that says of a file of two blocks that none of them changed. */
  private static SyntheticBackup changed(int start, int since) {
    return SyntheticBackup.cluster(start, since)
        .file("base.tar", "base/5/INCREMENTAL.1", noBlocks());
  }

  private static byte[] noBlocks() {
    return new byte[] {0x0d, 0x1f, (byte) 0xae, (byte) 0xd3, 0, 0, 0, 0, 2, 0, 0, 0};
  }

  private void assertBroken(String said, SyntheticBackup... backups) throws IOException {
    Captured captured = CaptureHarness.of(backups[0]).capture();
    for (int i = 1; i < backups.length; i++) {
      captured = CaptureHarness.of(backups[i]).parent(captured).capture();
    }
    RestoreHarness harness = RestoreHarness.of(PostgresTarget.directory(data), captured);

    var e = assertThrows(BackupException.Corrupt.class, harness::restore, said);

    assertEquals(PostgresFailure.CHAIN_BROKEN, e.code(), e.getMessage());
    assertTrue(e.getMessage().contains(said), e.getMessage());
    assertEquals(List.of(), left());
  }

  private void assertRestores(Captured captured, Map<String, byte[]> expected, String when)
      throws IOException {
    boolean hasSpace =
        captured.source().properties().containsKey("tablespace." + ModelledCluster.SPACE);
    PostgresTarget target = PostgresTarget.directory(data);
    RestoreHarness harness =
        RestoreHarness.of(
            hasSpace ? target.tablespace(Long.parseLong(ModelledCluster.SPACE), space) : target,
            captured);

    harness.stage();
    harness.publish();

    assertEquals(expected.keySet(), relations(), when);
    for (Map.Entry<String, byte[]> file : expected.entrySet()) {
      byte[] found = Files.readAllBytes(data.resolve(file.getKey()));
      assertArrayEquals(file.getValue(), found, when + ", " + file.getKey());
    }
    assertEquals(List.of(), VerifiedDirectory.problems(data), when);
    harness.rollBack();
    assertEquals(List.of(), left(), when);
  }

  private TreeSet<String> relations() throws IOException {
    List<String> paths = new ArrayList<>();
    collect(data.resolve("base/5"), "base/5/", paths);
    if (Files.exists(space)) {
      collect(
          space.resolve("PG_17_202406281/5"),
          "pg_tblspc/" + ModelledCluster.SPACE + "/PG_17_202406281/5/",
          paths);
    }
    return new TreeSet<>(paths);
  }

  private static void collect(Path from, String below, List<String> paths) throws IOException {
    if (Files.exists(from)) {
      try (Stream<Path> files = Files.list(from)) {
        files.forEach(file -> paths.add(below + file.getFileName()));
      }
    }
  }

  private static Captured chain(int length) throws IOException {
    ModelledCluster cluster = new ModelledCluster(4711);
    Captured captured = CaptureHarness.of(cluster.backUp(false)).capture();
    for (int i = 1; i < length; i++) {
      captured = CaptureHarness.of(cluster.backUp(true)).parent(captured).capture();
    }
    return captured;
  }

  private List<Path> left() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    }
  }
}
