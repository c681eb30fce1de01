package org.stellaops.backup.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

class FileRoundTripTest {
  @TempDir Path temp;

  private Path tree() throws IOException {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    Tree.awkward(tree);
    return tree;
  }

  private Path at(String name) {
    return temp.resolve(name);
  }

  private static void restored(FileTarget target, Captured captured) throws IOException {
    var harness = RestoreHarness.of(target, captured);
    harness.stage();
    harness.publish();
    settle(target, captured);
  }

  private static void settle(FileTarget target, Captured captured) throws IOException {
    RestoreHarness.of(target, captured).settle();
  }

  @Test
  void everything_about_a_tree_comes_back() throws Exception {
    Path tree = tree();
    Captured captured = CaptureHarness.of(FileSource.in(tree)).capture();

    restored(FileTarget.at(at("out")), captured);

    Tree.assertEqual(Tree.of(tree), Tree.of(at("out")));
    assertEquals(List.of(), captured.findings());
  }

  @Test
  void the_same_tree_gives_the_same_bytes() throws Exception {
    Path tree = tree();
    Captured first = CaptureHarness.of(FileSource.in(tree)).capture();
    Captured second = CaptureHarness.of(FileSource.in(tree)).capture();
    assertEquals(first.source().artifacts(), second.source().artifacts());
  }

  @Test
  void chunks_begin_and_end_with_large_members_only() throws Exception {
    Tree.file(at("tree/a"), 100, 1);
    Tree.file(at("tree/b"), (1 << 20) + 100, 2);
    Tree.file(at("tree/c"), 100, 3);
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    List<Long> boundaries = captured.boundaries("files.tar");
    assertEquals(2, boundaries.size());
    assertEquals((1 << 20) + 512, boundaries.get(1) - boundaries.get(0));
    byte[] tar = captured.bytes("files.tar");
    int from = boundaries.get(0).intValue();
    byte[] member = java.util.Arrays.copyOfRange(tar, from, from + (1 << 20) + 100);
    assertEquals(Digest.ofContent(Files.readAllBytes(at("tree/b"))), Digest.ofContent(member));
  }

  @Test
  void a_restore_refuses_files_that_are_there_and_changes_nothing() throws Exception {
    Path tree = tree();
    Captured captured = CaptureHarness.of(FileSource.in(tree)).capture();
    Tree.file(at("out/etc/a.yaml"), "live");
    Map<String, String> before = Tree.of(at("out"));

    var e =
        assertThrows(
            BackupException.Target.class,
            () -> RestoreHarness.of(FileTarget.at(at("out")), captured).stage());

    assertEquals(CoreFailure.TARGET_NOT_EMPTY, e.code());
    assertTrue(e.getMessage().contains("etc/a.yaml"), e.getMessage());
    Tree.assertEqual(before, Tree.of(at("out")));
  }

  @Test
  void replacing_keeps_what_was_not_captured() throws Exception {
    Tree.file(at("tree/a"), "captured");
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    Tree.file(at("out/a"), "live");
    Tree.file(at("out/other"), "other");

    restored(FileTarget.at(at("out")).replace(), captured);

    assertEquals("captured", Files.readString(at("out/a")));
    assertEquals("other", Files.readString(at("out/other")));
    assertEquals(2, Tree.of(at("out")).size());
  }

  @Test
  void rolling_back_after_publishing_brings_everything_back() throws Exception {
    Path tree = tree();
    Captured captured = CaptureHarness.of(FileSource.in(tree)).capture();
    Tree.file(at("out/etc/a.yaml"), "live");
    Files.createSymbolicLink(at("out/link"), Path.of("elsewhere"));
    Tree.touch(at("out/etc/a.yaml"), 77);
    Map<String, String> before = withoutTimesOfDirectories(at("out"));

    var harness = RestoreHarness.of(FileTarget.at(at("out")).replace(), captured);
    harness.stage();
    harness.publish();
    assertEquals("a: 1\n", Files.readString(at("out/etc/a.yaml")));
    harness.rollBack();

    Tree.assertEqual(before, withoutTimesOfDirectories(at("out")));
  }

  private static Map<String, String> withoutTimesOfDirectories(Path root) throws IOException {
    Map<String, String> lines = Tree.of(root);
    lines.replaceAll((name, line) -> Files.isDirectory(root.resolve(name)) ? "directory" : line);
    return lines;
  }

  @Test
  void rolling_back_an_absent_root_removes_it() throws Exception {
    Captured captured = CaptureHarness.of(FileSource.in(tree())).capture();
    var harness = RestoreHarness.of(FileTarget.at(at("out")), captured);
    harness.stage();
    harness.publish();
    harness.rollBack();
    assertFalse(Files.exists(at("out")));
  }

  @Test
  void a_publication_that_was_interrupted_is_finished_by_the_next() throws Exception {
    Path tree = tree();
    Captured captured = CaptureHarness.of(FileSource.in(tree)).capture();
    var harness = RestoreHarness.of(FileTarget.at(at("out")), captured);
    harness.stage();
    // A file in the way of the last name stops the first attempt after most of its work.
    Path late = Tree.file(at("out/ünï"), "in the way");
    assertThrows(BackupException.Target.class, harness::publish);
    Files.delete(late);

    harness.publish();
    settle(FileTarget.at(at("out")), captured);

    Tree.assertEqual(Tree.of(tree), Tree.of(at("out")));
  }

  @Test
  void a_failed_publication_is_rolled_back_without_touching_what_came_meanwhile() throws Exception {
    Path tree = tree();
    Captured captured = CaptureHarness.of(FileSource.in(tree)).capture();
    var harness = RestoreHarness.of(FileTarget.at(at("out")), captured);
    harness.stage();
    Tree.file(at("out/ünï"), "in the way");
    assertThrows(BackupException.Target.class, harness::publish);

    harness.rollBack();

    assertEquals(List.of("ünï"), List.copyOf(Tree.of(at("out")).keySet()));
    assertEquals("in the way", Files.readString(at("out/ünï")));
  }

  @Test
  void a_damaged_archive_leaves_the_target_as_it_was() throws Exception {
    Path tree = tree();
    Captured captured = CaptureHarness.of(FileSource.in(tree)).capture();
    long size = captured.source().artifacts().get(0).plainBytes();
    for (long offset = 0; offset < size; offset += size / 97) {
      long at = offset;
      var harness =
          RestoreHarness.of(FileTarget.at(at("out")), captured)
              .damage("files.tar", ArtifactDamage.flip(at));
      assertThrows(IOException.class, harness::stage, "flipped at " + at);
      harness.rollBack();
      assertFalse(Files.exists(at("out")), "flipped at " + at);
    }
    var truncated =
        RestoreHarness.of(FileTarget.at(at("out")), captured)
            .damage("files.tar.index", ArtifactDamage.truncate(100));
    assertThrows(BackupException.Corrupt.class, truncated::stage);
  }

  @Test
  void nothing_is_written_through_a_link_in_the_target() throws Exception {
    Tree.file(at("tree/d/file"), "captured");
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    Files.createDirectories(at("outside"));
    Files.createDirectories(at("out"));
    Files.createSymbolicLink(at("out/d"), at("outside"));

    assertThrows(
        BackupException.Target.class,
        () -> RestoreHarness.of(FileTarget.at(at("out")).replace(), captured).stage());

    Tree.assertEqual(Map.of(), Tree.of(at("outside")));
  }

  @Test
  void a_link_that_comes_after_the_conflicts_were_looked_for_is_not_followed_either()
      throws Exception {
    Tree.file(at("tree/d/e/file"), "captured");
    Captured captured = CaptureHarness.of(FileSource.in(at("tree")).include("d/e/*")).capture();
    Files.createDirectories(at("outside"));
    RestoreHarness harness = RestoreHarness.of(FileTarget.at(at("out")), captured);
    harness.stage();
    Files.createSymbolicLink(at("out/d"), at("outside"));

    assertThrows(BackupException.Target.class, harness::publish);

    Tree.assertEqual(Map.of(), Tree.of(at("outside")));
  }

  @Test
  void the_target_itself_may_be_a_link_to_a_directory() throws Exception {
    Tree.file(at("tree/file"), "captured");
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    Files.createDirectory(at("volume"));
    Files.createSymbolicLink(at("out"), at("volume"));

    restored(FileTarget.at(at("out")), captured);

    Tree.assertEqual(Tree.of(at("tree")), Tree.of(at("volume")));
  }

  @Test
  void a_plan_says_what_stands_there_and_how_much_room_it_takes() throws Exception {
    Tree.file(at("tree/a"), 1000, 1);
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    var absent = RestoreHarness.of(FileTarget.at(at("out")), captured).plan();
    assertEquals(Occupancy.ABSENT, absent.state().occupancy());
    assertEquals(1000, absent.space().get(at("out")));
    Tree.file(at("out/b"), "x");
    var occupied = RestoreHarness.of(FileTarget.at(at("out")), captured).plan();
    assertEquals(Occupancy.OCCUPIED, occupied.state().occupancy());
    var harness = RestoreHarness.of(FileTarget.at(at("out")), captured);
    harness.stage();
    assertEquals(Occupancy.UNFINISHED_RESTORE, harness.plan().state().occupancy());
    Tree.file(at("live/a"), "live");
    var blocked = RestoreHarness.of(FileTarget.at(at("live")), captured).plan();
    assertEquals(CoreFailure.TARGET_NOT_EMPTY, blocked.blockers().get(0).code());
    var replacing = RestoreHarness.of(FileTarget.at(at("live")).replace(), captured).plan();
    assertEquals(List.of("a"), replacing.overwrites());
    Tree.file(at("file"), "x");
    assertFalse(RestoreHarness.of(FileTarget.at(at("file/below")), captured).plan().isPossible());
  }

  @Test
  void what_is_staged_is_for_the_owner_only() throws Exception {
    Tree.file(at("tree/a"), "secret");
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    RestoreHarness.of(FileTarget.at(at("out")), captured).stage();
    try (var staged = Files.list(at("out"))) {
      assertEquals(0040700, Files.getAttribute(staged.findFirst().orElseThrow(), "unix:mode"));
    }
  }

  @Test
  void files_named_by_path_go_back_to_where_they_were() throws Exception {
    Path first = Tree.file(at("etc/app/a.yaml"), "a");
    Path second = Tree.file(at("var/b.json"), "{}");
    FileSource source = FileSource.of(first, second.getParent());
    Captured captured = CaptureHarness.of(source).capture();
    String before = Tree.describe(first) + Tree.describe(second);
    Files.delete(first);
    Files.delete(second);
    Files.delete(second.getParent());

    var harness = RestoreHarness.of(source.origin().orElseThrow(), captured);
    harness.stage();
    harness.publish();
    harness.settle();

    assertEquals(before, Tree.describe(first) + Tree.describe(second));
  }

  @Test
  void a_raw_restore_writes_artifacts_as_files_that_only_the_owner_reads() throws Exception {
    Tree.file(at("tree/a"), "x");
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    Path raw = at("raw");
    var harness = RestoreHarness.of(FileTarget.raw(raw), captured);
    harness.restore();

    assertEquals(
        Digest.ofContent(captured.bytes("files.tar")),
        Digest.ofContent(Files.readAllBytes(raw.resolve("files.tar"))));
    assertEquals(0100600, Files.getAttribute(raw.resolve("files.tar.index"), "unix:mode"));
    assertFalse(RestoreHarness.of(FileTarget.raw(raw), captured).plan().isPossible());
  }

  @Test
  void a_raw_restore_can_be_rolled_back() throws Exception {
    Tree.file(at("tree/a"), "x");
    Captured captured = CaptureHarness.of(FileSource.in(at("tree"))).capture();
    var harness = RestoreHarness.of(FileTarget.raw(at("raw")), captured);
    harness.stage();
    harness.publish();
    harness.rollBack();
    try (var left = Files.list(temp)) {
      assertEquals(List.of(at("tree")), left.toList());
    }
  }

  @Test
  void stock_files_are_left_to_the_product_and_customised_ones_are_restored() throws Exception {
    Tree.file(at("tree/data/stock.json"), "{}");
    Tree.file(at("tree/data/mine.json"), "{\"mine\": ");
    Digest shipped = Digest.ofContent("{}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    FileSource source =
        FileSource.in(at("tree"))
            .stock("data/stock.json", shipped)
            .stock("data/mine.json", shipped)
            .json("data/stock.json")
            .json("data/mine.json");

    Captured captured = CaptureHarness.of(source).capture();

    assertEquals("STOCK", captured.source().properties().get("origin of data/stock.json"));
    assertEquals("CUSTOMISED", captured.source().properties().get("origin of data/mine.json"));
    assertEquals(1, captured.findings().size());
    assertEquals(CoreFailure.NOT_WELL_FORMED, captured.findings().get(0).code());
    assertEquals("data/mine.json", captured.findings().get(0).subject());

    restored(FileTarget.at(at("out")), captured);
    assertEquals("{\"mine\": ", Files.readString(at("out/data/mine.json")));
    assertFalse(Files.exists(at("out/data/stock.json")));

    restored(FileTarget.at(at("all")).restoreStock(), captured);
    assertEquals("{}", Files.readString(at("all/data/stock.json")));
  }
}
