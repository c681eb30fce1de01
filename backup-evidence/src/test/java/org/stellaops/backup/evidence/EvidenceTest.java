package org.stellaops.backup.evidence;

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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.files.DirectoryLocation;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.model.RunId;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.spi.HoldContext;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.testkit.ArtifactDamage;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

class EvidenceTest {
  private static final long SEED = 11;

  @TempDir Path temp;

  private Locker locker;
  private EvidenceSource source;

  @BeforeEach
  void fill() throws IOException {
    locker = new Locker(temp.resolve("locker"), SEED).add(20).add(20);
    source = EvidenceSource.directory(locker.root());
  }

  private static String property(Captured captured, String key) {
    return captured.source().properties().get(key);
  }

  private static List<String> codes(Captured captured) {
    return captured.findings().stream().map(f -> f.code().code()).toList();
  }

  private Path out() {
    return temp.resolve("out");
  }

  @Test
  void a_locker_comes_back_byte_for_byte() throws Exception {
    Captured captured = CaptureHarness.of(source).capture();
    assertEquals(Outcome.GOOD, captured.source().header().outcome());

    RestoreHarness.of(EvidenceTarget.directory(out()), captured).restore();

    assertEquals(Locker.contents(locker.root()), Locker.contents(out()));
    assertFalse(Files.exists(out().resolve("tmp")));
  }

  @Test
  void the_second_capture_says_how_much_is_new() throws Exception {
    Captured first = CaptureHarness.of(source).capture();
    int files = Locker.contents(locker.root()).size();
    assertEquals(Integer.toString(files), property(first, "new-objects"));
    assertEquals("0", property(first, "known-objects"));

    locker.add(7);
    Captured second = CaptureHarness.of(source).parent(first).capture();

    // Seven objects, their anchor, and the index and the head that were rewritten.
    assertEquals("10", property(second, "new-objects"));
    assertEquals(Integer.toString(files - 2), property(second, "known-objects"));
    assertEquals(List.of(), second.findings());
    assertTrue(second.source().header().parents().isEmpty(), "it stands alone");
    assertTrue(second.form("objects.tar.index").isRemembered());
    long bytes = second.source().inventory().get(0).bytes();
    assertEquals(
        bytes,
        Long.parseLong(property(second, "new-bytes"))
            + Long.parseLong(property(second, "known-bytes")));
  }

  @Test
  void an_object_that_changed_is_named_twice_over() throws Exception {
    Captured first = CaptureHarness.of(source).capture();
    Path object = locker.objects().get(17);
    byte[] content = Files.readAllBytes(object);
    content[3] ^= 1;
    Files.write(object, content);

    Captured second = CaptureHarness.of(source).parent(first).capture();

    assertEquals(List.of("STELLA-EV-02", CoreFailure.UNEXPECTED_CHANGE.code()), codes(second));
    assertTrue(second.findings().stream().allMatch(f -> f.subject().equals(locker.name(object))));
    assertEquals(Outcome.DEGRADED, second.source().header().outcome());
  }

  @Test
  void an_object_that_is_not_what_its_name_says_is_named_without_any_capture_before()
      throws Exception {
    Path object = locker.objects().get(3);
    Files.write(object, new byte[] {1});
    Captured captured = CaptureHarness.of(source).capture();
    assertEquals(
        List.of(
            new Finding(
                EvidenceFailure.NOT_AS_NAMED,
                locker.name(object),
                "its SHA-256 is " + Digest.ofContent(new byte[] {1}))),
        captured.findings());
  }

  @Test
  void objects_that_are_gone_are_named_wherever_they_stood() throws Exception {
    Captured first = CaptureHarness.of(source).capture();
    List<String> gone = new ArrayList<>();
    List<Path> objects = new ArrayList<>(locker.objects());
    objects.sort(null);
    for (int i : new int[] {0, 20, objects.size() - 1}) {
      gone.add(locker.name(objects.get(i)));
      Files.delete(objects.get(i));
    }
    Captured second = CaptureHarness.of(source).parent(first).capture();
    assertEquals(gone, second.findings().stream().map(Finding::subject).toList());
    assertTrue(codes(second).stream().allMatch("STELLA-EV-01"::equals));
  }

  @Test
  void many_findings_of_a_kind_are_counted() throws Exception {
    locker.add(85);
    Captured first = CaptureHarness.of(source).capture();
    for (Path object : locker.objects()) {
      Files.delete(object);
    }
    Captured second = CaptureHarness.of(source).parent(first).capture();
    assertEquals(101, second.findings().size());
    assertEquals("and 25 more", second.findings().get(100).subject());
  }

  @Test
  void what_a_locker_rewrites_may_change_and_go() throws Exception {
    locker.write("holds/case.json", "{}");
    locker.write("audit/log", "1");
    Captured first = CaptureHarness.of(source).capture();
    Files.delete(locker.root().resolve("holds/case.json"));
    locker.write("audit/log", "2");
    locker.write("index.json", "{}");
    assertEquals(
        List.of("audit/log"),
        CaptureHarness.of(source).parent(first).capture().findings().stream()
            .map(Finding::subject)
            .toList());
    assertEquals(
        List.of(), CaptureHarness.of(source.changing("audit/")).parent(first).capture().findings());
  }

  @Test
  void cutting_the_end_off_the_chain_of_anchors_is_seen() throws Exception {
    Captured first = CaptureHarness.of(source).capture();
    var witness = first.source().witnesses().get(0);
    assertEquals(1, witness.sequence());
    assertEquals(Digest.ofContent(Files.readAllBytes(locker.newestAnchor())), witness.head());

    Files.delete(locker.newestAnchor());
    Captured second = CaptureHarness.of(source).parent(first).capture();

    assertTrue(codes(second).contains("STELLA-EV-03"), second.findings()::toString);
    assertEquals(0, second.source().witnesses().get(0).sequence());
  }

  @Test
  void equal_objects_are_passed_over_and_absent_ones_put() throws Exception {
    Captured captured = CaptureHarness.of(source).capture();
    RestoreHarness.of(EvidenceTarget.directory(out()), captured).restore();
    Path kept = out().resolve(locker.name(locker.objects().get(5)));
    Object before = Files.getAttribute(kept, "unix:ino");
    Files.delete(out().resolve(locker.name(locker.objects().get(9))));

    RestoreHarness.of(EvidenceTarget.directory(out()), captured).restore();

    assertEquals(Locker.contents(locker.root()), Locker.contents(out()));
    assertEquals(before, Files.getAttribute(kept, "unix:ino"));
  }

  @Test
  void objects_that_differ_stop_the_restore_before_anything_is_put() throws Exception {
    Captured captured = CaptureHarness.of(source).capture();
    String one = locker.name(locker.objects().get(2));
    String other = locker.name(locker.objects().get(30));
    for (String name : List.of(one, other)) {
      Files.createDirectories(out().resolve(name).getParent());
      Files.write(out().resolve(name), Files.readAllBytes(locker.root().resolve(name)));
    }
    Files.write(out().resolve(one), new byte[] {9});
    byte[] longer = java.util.Arrays.copyOf(Files.readAllBytes(out().resolve(other)), 5000);
    Files.write(out().resolve(other), longer);
    Map<String, Digest> before = Locker.contents(out());

    var harness = RestoreHarness.of(EvidenceTarget.directory(out()), captured);
    var e = assertThrows(BackupException.Target.class, harness::stage);

    var blocker = harness.plan().blockers().get(0);
    assertEquals(CoreFailure.CONTENT_DIFFERS, blocker.code());
    assertTrue(blocker.found().contains(one) && blocker.found().contains(other), blocker::found);
    assertEquals(CoreFailure.CONTENT_DIFFERS, e.code());
    assertTrue(e.getMessage().contains(one) && e.getMessage().contains(other), e.getMessage());
    assertEquals(before, Locker.contents(out()));
  }

  @Test
  void damaged_artifacts_put_nothing() throws Exception {
    Captured captured = CaptureHarness.of(source).capture();
    long size = captured.source().artifacts().get(0).plainBytes();
    for (long at = 0; at < size; at += size / 61) {
      var harness =
          RestoreHarness.of(EvidenceTarget.directory(out()), captured)
              .damage("objects.tar", ArtifactDamage.flip(at));
      assertThrows(IOException.class, harness::restore, "flipped at " + at);
      assertFalse(Files.exists(out()), "flipped at " + at);
    }
  }

  @Test
  void a_large_object_begins_and_ends_a_chunk_and_comes_back() throws Exception {
    byte[] large = new byte[9 << 20];
    new java.util.Random(SEED).nextBytes(large);
    locker.write("tenants/t0/bundles/b/bundle.tgz", large);
    Captured captured = CaptureHarness.of(source).capture();
    assertEquals(2, captured.boundaries("objects.tar").size());
    RestoreHarness.of(EvidenceTarget.directory(out()), captured).restore();
    assertEquals(Locker.contents(locker.root()), Locker.contents(out()));
  }

  @Test
  void it_is_captured_after_its_index_and_held_meanwhile() throws Exception {
    List<String> said = new ArrayList<>();
    EvidenceSource held =
        EvidenceSource.in(DirectoryLocation.at(locker.root()))
            .indexedBy("database")
            .holding(
                run -> {
                  said.add("hold " + run);
                  return () -> said.add("release");
                });
    assertEquals(Stage.OBJECTS, held.describe().stage());
    assertEquals(java.util.Set.of(SourceName.of("database")), held.describe().after());
    assertTrue(held.describe().kinds().contains(CaptureKind.INCREMENTAL));
    held.hold(
            new HoldContext() {
              @Override
              public RunId run() {
                return new RunId("r1");
              }

              @Override
              public Stopping stopping() {
                return Stopping.never();
              }
            })
        .close();
    assertEquals(List.of("hold r1", "release"), said);
    assertTrue(held.origin().isEmpty());
  }

  @Test
  void an_empty_or_absent_locker_fails() throws Exception {
    for (String name : List.of("absent", "empty")) {
      Path root = temp.resolve(name);
      if (name.equals("empty")) {
        Files.createDirectory(root);
      }
      EvidenceSource empty = EvidenceSource.directory(root);
      assertEquals(Verdict.FAIL, CaptureHarness.checks(empty).get(0).verdict());
      assertThrows(BackupException.Source.class, () -> CaptureHarness.of(empty).capture());
    }
    assertEquals(Verdict.PASS, CaptureHarness.checks(source).get(0).verdict());
  }

  @Test
  void a_plan_says_what_stands_there_and_that_nothing_changes() throws Exception {
    Captured captured = CaptureHarness.of(source).capture();
    var harness = RestoreHarness.of(EvidenceTarget.directory(out()), captured);
    assertEquals(Occupancy.EMPTY, harness.plan().state().occupancy());
    assertEquals(List.of(), harness.plan().overwrites());
    harness.restore();
    assertEquals(Occupancy.OCCUPIED, harness.plan().state().occupancy());
  }

  @Test
  void a_symbolic_link_in_a_locker_fails_the_capture_instead_of_being_passed_over()
      throws Exception {
    Files.createSymbolicLink(locker.root().resolve("vex/link"), Path.of("../index.json"));
    var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());
    assertTrue(e.getMessage().contains("vex/link"), e.getMessage());
  }

  @Test
  void a_stopped_capture_ends_at_once() {
    assertThrows(
        BackupException.Stopped.class, () -> CaptureHarness.of(source).stopAfter(10_000).capture());
  }
}
