package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.spi.RestorePlanning.Undo;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;
import org.stellaops.backup.testkit.RestorePlanned;

class PostgresTargetTest {
  @TempDir Path directory;

  private Path data;
  private Path space;

  @BeforeEach
  void names() {
    data = directory.resolve("data");
    space = directory.resolve("space");
  }

  @Test
  void what_was_captured_stands_in_the_directory() throws Exception {
    restore(SyntheticBackup.cluster());

    assertEquals("17\n", Files.readString(data.resolve("PG_VERSION")));
    assertEquals("control", Files.readString(data.resolve("global/pg_control")));
    assertTrue(Files.exists(data.resolve("backup_manifest")));
    assertEquals(List.of(data), left());
  }

  @Test
  void a_capture_of_a_standby_becomes_a_primary_and_says_so() throws Exception {
    RestoreHarness harness =
        harness(
            SyntheticBackup.cluster()
                .file("base.tar", "standby.signal", "")
                .file("base.tar", "recovery.signal", "")
                .file("base.tar", "postgresql.auto.conf", "primary_conninfo = 'host=old'\n"));

    harness.restore();

    assertFalse(Files.exists(data.resolve("standby.signal")));
    assertFalse(Files.exists(data.resolve("recovery.signal")));
    assertEquals(
        "primary_conninfo = 'host=old'\n", Files.readString(data.resolve("postgresql.auto.conf")));
    assertEquals(
        List.of(PostgresFailure.RESTORED_AS_PRIMARY, PostgresFailure.RESTORED_AS_PRIMARY),
        harness.findings().stream().map(Finding::code).toList());
    assertEquals(List.of(), VerifiedDirectory.problems(data));
  }

  @Test
  void an_empty_directory_is_as_good_as_none() throws Exception {
    Files.createDirectory(data);

    restore(SyntheticBackup.cluster());

    assertEquals("17\n", Files.readString(data.resolve("PG_VERSION")));
  }

  @Test
  void a_tablespace_goes_where_it_is_mapped_and_the_server_is_told() throws Exception {
    Captured captured = capture(SyntheticBackup.cluster().tablespace("16400", "/was/here"));

    RestoreHarness.of(PostgresTarget.directory(data).tablespace(16400, space), captured).restore();

    assertEquals("remote", Files.readString(space.resolve("PG_17_202406281/1")));
    assertEquals("16400 " + space + "\n", Files.readString(data.resolve("tablespace_map")));
    assertEquals(space, Files.readSymbolicLink(data.resolve("pg_tblspc/16400")));
    assertEquals(List.of(data, space), left());
  }

  @Test
  void a_plan_says_what_it_takes_and_how_it_can_be_undone() throws Exception {
    RestorePlanned planned = plan(SyntheticBackup.cluster());

    assertEquals(Occupancy.ABSENT, planned.state().occupancy());
    assertEquals(Undo.REMOVE, planned.undo());
    assertEquals(2, planned.steps().size());
    assertTrue(planned.space().get(directory) > 0, planned::toString);
    assertEquals(List.of(), planned.blockers());
    assertEquals(List.of(), left());
  }

  @Test
  void a_directory_with_content_is_not_written_to() throws Exception {
    Files.writeString(Files.createDirectory(data).resolve("precious"), "x");

    RestorePlanned planned = plan(SyntheticBackup.cluster());
    RestoreHarness harness = harness(SyntheticBackup.cluster());

    assertEquals(Occupancy.OCCUPIED, planned.state().occupancy());
    assertEquals(List.of(CoreFailure.TARGET_NOT_EMPTY), codes(planned));
    assertThrows(BackupException.Target.class, harness::stage);
    harness.rollBack();
    assertEquals("x", Files.readString(data.resolve("precious")));
  }

  @Test
  void a_directory_that_is_filled_after_staging_is_not_replaced_nor_removed() throws Exception {
    RestoreHarness harness = harness(SyntheticBackup.cluster());
    harness.stage();
    Files.writeString(Files.createDirectory(data).resolve("precious"), "x");

    var e = assertThrows(BackupException.Target.class, harness::publish);
    harness.rollBack();

    assertEquals(CoreFailure.TARGET_NOT_EMPTY, e.code());
    assertEquals("x", Files.readString(data.resolve("precious")));
    assertEquals(List.of(data), left());
  }

  @Test
  void a_place_within_a_data_directory_is_refused() throws Exception {
    Files.createFile(Files.createDirectory(data).resolve("PG_VERSION"));
    Captured captured = capture(SyntheticBackup.cluster());

    RestorePlanned planned =
        RestoreHarness.of(PostgresTarget.directory(data.resolve("base/restored")), captured).plan();

    assertEquals(List.of(PostgresFailure.NOT_A_DATA_DIRECTORY), codes(planned));
  }

  @Test
  void a_running_server_is_live() throws Exception {
    Files.writeString(Files.createDirectory(data).resolve("postmaster.pid"), "1");

    RestorePlanned planned = plan(SyntheticBackup.cluster());

    assertEquals(Occupancy.LIVE, planned.state().occupancy());
    assertEquals(
        List.of(PostgresFailure.SERVER_RUNS, CoreFailure.TARGET_NOT_EMPTY), codes(planned));
  }

  @Test
  void every_tablespace_needs_a_place_of_its_own() throws Exception {
    Files.writeString(Files.createDirectory(space).resolve("precious"), "x");
    SyntheticBackup two =
        SyntheticBackup.cluster().tablespace("1", space.toString()).tablespace("2", "relative");
    Captured captured = capture(two);

    assertEquals(
        List.of(space.toString(), "relative"),
        RestoreHarness.of(PostgresTarget.directory(data), captured).plan().blockers().stream()
            .map(Finding::subject)
            .toList());
    for (PostgresTarget wrong :
        List.of(
            PostgresTarget.directory(data)
                .tablespace(1, data.resolve("within"))
                .tablespace(2, directory.resolve("b")),
            PostgresTarget.directory(data)
                .tablespace(1, directory.resolve("same"))
                .tablespace(2, directory.resolve("same")),
            PostgresTarget.directory(data)
                .tablespace(1, directory.resolve("a"))
                .tablespace(2, directory.resolve("b"))
                .tablespace(3, directory.resolve("unknown")))) {
      List<Finding> blockers = RestoreHarness.of(wrong, captured).plan().blockers();
      assertFalse(blockers.isEmpty(), wrong.describe()::toString);
      assertTrue(
          blockers.stream().allMatch(b -> b.code() == PostgresFailure.TABLESPACE_UNMAPPED),
          blockers::toString);
    }
  }

  @Test
  void a_file_that_differs_from_the_manifest_is_named() throws Exception {
    SyntheticBackup differs =
        SyntheticBackup.cluster().put("base.tar", "base", "evil").declare("base", "good");

    var e = assertThrows(BackupException.Corrupt.class, () -> restore(differs));

    assertEquals(PostgresFailure.MANIFEST_DIFFERS, e.code());
    assertTrue(e.getMessage().contains("base: expected 4 bytes"), e.getMessage());
    assertEquals(List.of(), left());
  }

  @Test
  void a_missing_and_a_foreign_file_are_named() throws Exception {
    SyntheticBackup differs =
        SyntheticBackup.cluster().put("base.tar", "foreign", "f").declare("missing", "m");

    var e = assertThrows(BackupException.Corrupt.class, () -> restore(differs));

    assertTrue(e.getMessage().contains("missing: declared"), e.getMessage());
    assertTrue(e.getMessage().contains("foreign: there, but not declared"), e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"../evil", "/tmp/evil-of-a-backup", "base/../../evil"})
  void a_path_that_leaves_the_directory_is_refused(String path) throws Exception {
    SyntheticBackup escaping = SyntheticBackup.cluster().file("base.tar", path, "evil");

    var e = assertThrows(BackupException.Corrupt.class, () -> restore(escaping));

    assertEquals(PostgresFailure.TAR_MALFORMED, e.code());
    assertEquals(List.of(), left());
    assertFalse(Files.exists(Path.of("/tmp/evil-of-a-backup")));
  }

  @Test
  void a_link_is_refused() throws Exception {
    SyntheticBackup linked = SyntheticBackup.cluster().symbolicLink("base.tar", "pg_wal/link");

    var e = assertThrows(BackupException.Corrupt.class, () -> restore(linked));

    assertEquals(PostgresFailure.TAR_MALFORMED, e.code());
    assertEquals(List.of(), left());
  }

  @Test
  void a_file_that_is_there_twice_is_refused() throws Exception {
    SyntheticBackup twice = SyntheticBackup.cluster().put("base.tar", "PG_VERSION", "17\n");

    assertThrows(BackupException.class, () -> restore(twice));
    assertEquals(List.of(), left());
  }

  @ParameterizedTest
  @ValueSource(strings = {"base.tar", "backup_manifest"})
  void every_truncation_of_an_artifact_is_an_error_and_leaves_nothing(String artifact)
      throws Exception {
    Captured captured = capture(SyntheticBackup.cluster());
    int length = captured.bytes(artifact).length;
    for (int cut = 0; cut < length; cut += 97) {
      RestoreHarness harness =
          RestoreHarness.of(PostgresTarget.directory(data), captured)
              .damage(artifact, ArtifactDamage.truncate(cut));
      assertThrows(BackupException.class, harness::restore, "cut to " + cut + " bytes");
      assertEquals(List.of(), left(), "cut to " + cut + " bytes");
    }
  }

  @Test
  void a_step_that_is_called_again_changes_nothing() throws Exception {
    Captured captured = capture(SyntheticBackup.cluster().tablespace("16400", "/was/here"));
    RestoreHarness harness =
        RestoreHarness.of(PostgresTarget.directory(data).tablespace(16400, space), captured);

    harness.stage();
    harness.stage();
    harness.publish();
    harness.publish();
    harness.settle();
    harness.settle();

    assertEquals("17\n", Files.readString(data.resolve("PG_VERSION")));
    assertEquals(List.of(data, space), left());
  }

  @Test
  void a_roll_back_removes_what_was_staged_or_published_and_may_be_repeated() throws Exception {
    Captured captured = capture(SyntheticBackup.cluster().tablespace("16400", "/was/here"));
    RestoreHarness harness =
        RestoreHarness.of(PostgresTarget.directory(data).tablespace(16400, space), captured);

    harness.rollBack();
    harness.stage();
    harness.rollBack();
    assertEquals(List.of(), left());
    harness.stage();
    harness.publish();
    harness.rollBack();
    harness.rollBack();

    assertEquals(List.of(), left());
  }

  @Test
  void a_roll_back_after_half_a_publish_spares_what_others_put_there() throws Exception {
    Captured captured =
        capture(SyntheticBackup.cluster().tablespace("1", "/was/1").tablespace("2", "/was/2"));
    Path other = directory.resolve("other");
    RestoreHarness harness =
        RestoreHarness.of(
            PostgresTarget.directory(data).tablespace(1, space).tablespace(2, other), captured);
    harness.stage();
    Files.writeString(Files.createDirectory(other).resolve("precious"), "x");

    assertThrows(BackupException.Target.class, harness::publish);
    assertTrue(Files.exists(space), "the first tablespace was moved");
    harness.rollBack();

    assertEquals(List.of(other), left());
    assertEquals("x", Files.readString(other.resolve("precious")));
  }

  @Test
  void a_roll_back_does_not_remove_what_a_server_runs_on() throws Exception {
    RestoreHarness harness = harness(SyntheticBackup.cluster());
    harness.stage();
    harness.publish();
    Files.writeString(data.resolve("postmaster.pid"), "1");

    var e = assertThrows(BackupException.Target.class, harness::rollBack);

    assertEquals(PostgresFailure.SERVER_RUNS, e.code());
    assertTrue(Files.exists(data.resolve("PG_VERSION")));
  }

  @Test
  void a_restore_that_is_stopped_leaves_nothing() throws Exception {
    for (long bytes : new long[] {0, 1, 2000}) {
      RestoreHarness harness = harness(SyntheticBackup.cluster()).stopAfter(bytes);
      assertThrows(BackupException.Stopped.class, harness::restore, "after " + bytes + " bytes");
      assertEquals(List.of(), left(), "after " + bytes + " bytes");
    }
  }

  @Test
  void only_physical_captures_are_accepted() {
    PostgresTarget target = PostgresTarget.directory(data);

    assertTrue(target.accepts(SourceKind.of("postgres-physical/1")));
    assertFalse(target.accepts(SourceKind.of("postgres-physical/2")));
    assertThrows(IllegalArgumentException.class, () -> PostgresTarget.directory(Path.of("/")));
  }

  private void restore(SyntheticBackup backup) throws IOException {
    harness(backup).restore();
  }

  private RestorePlanned plan(SyntheticBackup backup) throws IOException {
    return harness(backup).plan();
  }

  private RestoreHarness harness(SyntheticBackup backup) throws IOException {
    return RestoreHarness.of(PostgresTarget.directory(data), capture(backup));
  }

  private static Captured capture(SyntheticBackup backup) throws IOException {
    return CaptureHarness.of(backup).capture();
  }

  private static List<Object> codes(RestorePlanned planned) {
    return planned.blockers().stream().<Object>map(Finding::code).toList();
  }

  private List<Path> left() throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.sorted().toList();
    }
  }
}
