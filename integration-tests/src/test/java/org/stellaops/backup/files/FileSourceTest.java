package org.stellaops.backup.files;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CheckResult.Verdict;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

class FileSourceTest {
  @TempDir Path temp;

  private Path file(String name, String text) throws IOException {
    return Tree.file(temp.resolve(name), text);
  }

  /** Names as another reader of archives understands them. */
  private static List<String> names(BackupSource source) throws IOException {
    Captured captured = CaptureHarness.of(source).capture();
    List<String> names = new ArrayList<>();
    try (var tar =
        new TarArchiveInputStream(new ByteArrayInputStream(captured.bytes("files.tar")), "UTF-8")) {
      for (TarArchiveEntry e = tar.getNextEntry(); e != null; e = tar.getNextEntry()) {
        names.add(e.getName());
      }
    }
    return names;
  }

  private static List<Verdict> verdicts(BackupSource source) throws IOException {
    return CaptureHarness.checks(source).stream().map(CheckResult::verdict).toList();
  }

  private static CoreFailure failure(BackupSource source) {
    return (CoreFailure)
        assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture())
            .code();
  }

  @Test
  void members_are_in_the_order_of_the_bytes_of_their_names() throws Exception {
    Tree.awkward(temp);
    List<String> names = names(FileSource.in(temp));
    assertEquals(
        names.stream().sorted(org.stellaops.backup.internal.tar.TarMember.BY_BYTES).toList(),
        names);
    assertTrue(names.indexOf("etc.d/x") < names.indexOf("etc/a.yaml"), names::toString);
    assertTrue(names.contains("empty/dir/"), names::toString);
  }

  @Test
  void a_pattern_with_two_stars_finds_files_at_any_depth_and_brings_their_directories()
      throws Exception {
    file("etc/a.yaml", "");
    file("etc/b.txt", "");
    file("etc/deep/er/c.yaml", "");
    file("var/d.yaml", "");
    assertEquals(
        List.of("etc/", "etc/a.yaml", "etc/deep/", "etc/deep/er/", "etc/deep/er/c.yaml"),
        names(FileSource.in(temp).include("etc/**/*.yaml")));
  }

  @Test
  void what_is_excluded_is_left_out_with_everything_in_it_unless_it_is_required() throws Exception {
    file("etc/a", "");
    file("etc/cache/b", "");
    file("etc/cache/c", "");
    assertEquals(List.of("etc/", "etc/a"), names(FileSource.in(temp).exclude("etc/cache")));
    assertEquals(
        List.of("etc/", "etc/a", "etc/cache/", "etc/cache/b"),
        names(FileSource.in(temp).exclude("etc/cache").required("etc/cache/b")));
  }

  @Test
  void a_missing_required_file_fails_the_check_and_the_capture() throws Exception {
    file("etc/a", "");
    FileSource source = FileSource.in(temp).required("etc/a", "etc/missing");
    List<CheckResult> checks = CaptureHarness.checks(source);
    assertEquals(List.of(Verdict.FAIL), checks.stream().map(CheckResult::verdict).toList());
    assertTrue(checks.get(0).evidence().contains("etc/missing"), checks::toString);
    assertEquals(CoreFailure.REQUIRED_MISSING, failure(source));
    assertEquals(
        CoreFailure.REQUIRED_MISSING,
        failure(FileSource.of(temp.resolve("etc/a"), temp.resolve("nowhere"))));
  }

  @Test
  void a_required_file_that_leads_elsewhere_is_missing() throws Exception {
    file("outside/real", "");
    file("tree/inside", "");
    Files.createSymbolicLink(temp.resolve("tree/out"), temp.resolve("outside/real"));
    Files.createSymbolicLink(temp.resolve("tree/in"), Path.of("inside"));
    FileSource source = FileSource.in(temp.resolve("tree"));
    assertEquals(List.of(Verdict.PASS), verdicts(source.required("in")));
    assertEquals(List.of(Verdict.FAIL), verdicts(source.required("out")));
  }

  @Test
  void an_empty_selection_fails_unless_it_is_optional() throws Exception {
    file("a.txt", "");
    assertEquals(List.of(Verdict.FAIL), verdicts(FileSource.in(temp).include("*.yaml")));
    assertEquals(CoreFailure.REQUIRED_MISSING, failure(FileSource.in(temp).include("*.yaml")));
    assertEquals(List.of(), names(FileSource.in(temp).include("*.yaml").optional()));
    assertEquals(List.of(), names(FileSource.in(temp.resolve("absent")).optional()));
    assertEquals(CoreFailure.REQUIRED_MISSING, failure(FileSource.in(temp.resolve("absent"))));
  }

  @Test
  void a_named_file_that_is_a_link_is_captured_with_its_bytes() throws Exception {
    file("data/real.yaml", "real");
    Path link = Files.createSymbolicLink(temp.resolve("app.yaml"), Path.of("data/real.yaml"));
    Captured captured = CaptureHarness.of(FileSource.of(link)).capture();
    String index = new String(captured.bytes("files.tar.index"), "UTF-8");
    assertTrue(index.contains("\"type\":\"file\""), index);
    assertTrue(index.contains("\"size\":4"), index);
  }

  @Test
  void relative_paths_keep_their_names_and_absolute_ones_lose_their_slash() throws Exception {
    assertEquals(List.of("pom.xml"), names(FileSource.of(Path.of("pom.xml"))));
    Path file = file("a", "");
    assertEquals(
        List.of(file.toAbsolutePath().toString().substring(1)), names(FileSource.of(file)));
    assertEquals(
        FileTarget.at(Path.of("")).describe(),
        FileSource.of(Path.of("pom.xml")).origin().orElseThrow().describe());
  }

  @Test
  void sockets_are_named_and_not_stored() throws Exception {
    file("a", "");
    Path socket = temp.resolve("socket");
    try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      Captured captured = CaptureHarness.of(FileSource.in(temp)).capture();
      assertEquals(
          List.of(CoreFailure.NOT_CAPTURED),
          captured.findings().stream().map(f -> f.code()).toList());
      assertEquals("socket", captured.findings().get(0).subject());
    }
  }

  /** Opens files, and changes them when they have been opened, as often as it is told to. */
  private static FileCapture.Opener changing(int times, Change change) {
    AtomicInteger left = new AtomicInteger(times);
    return file -> {
      var in = FileCapture.open(file);
      if (left.getAndDecrement() > 0) {
        change.make(file);
      }
      return in;
    };
  }

  private interface Change {
    void make(Path file) throws IOException;
  }

  private static void append(Path file) throws IOException {
    Files.writeString(file, "more", StandardOpenOption.APPEND);
  }

  @Test
  void a_file_that_changes_once_while_it_is_read_is_read_again() throws Exception {
    Path file = file("a", "0");
    var source = new OpeningFiles(temp, changing(1, FileSourceTest::append));
    Captured captured = CaptureHarness.of(source).capture();
    assertEquals(5, captured.source().inventory().get(0).bytes());
    String index = new String(captured.bytes("files.tar.index"), StandardCharsets.UTF_8);
    String digest = Digest.ofContent(Files.readAllBytes(file)).hex();
    assertTrue(index.contains(digest), index);
  }

  @Test
  void a_file_that_never_rests_fails_the_capture() throws Exception {
    file("a", "0");
    Path touched = file("b", "0");
    assertEquals(
        CoreFailure.CHANGED_WHILE_READ,
        failure(new OpeningFiles(temp, changing(99, FileSourceTest::append))));
    assertEquals(
        CoreFailure.CHANGED_WHILE_READ,
        failure(
            new OpeningFiles(
                temp,
                changing(99, f -> Files.move(file("fresh", "0"), touched, REPLACE_EXISTING)))));
  }

  @Test
  void a_large_file_that_changes_while_it_is_read_fails_the_capture() throws Exception {
    Tree.file(temp.resolve("large"), 9 << 20, 3);
    for (Change change :
        List.<Change>of(
            FileSourceTest::append,
            f -> Files.write(f, new byte[10]),
            f -> Files.write(f, new byte[9 << 20]))) {
      assertEquals(
          CoreFailure.CHANGED_WHILE_READ, failure(new OpeningFiles(temp, changing(1, change))));
    }
  }

  @Test
  void inventory_and_progress_say_how_much_there_was() throws Exception {
    Tree.file(temp.resolve("a/b"), 1000, 1);
    Tree.file(temp.resolve("c"), 24, 1);
    Captured captured = CaptureHarness.of(FileSource.in(temp)).capture();
    assertEquals("[files: 2 (1024 bytes)]", captured.source().inventory().toString());
    assertEquals(captured.expected(), captured.source().inventory());
    assertEquals(1024, captured.progress().orElseThrow().bytes());
    assertEquals(100, captured.progress().orElseThrow().percent().orElseThrow());
    assertTrue(captured.form("files.tar.index").isReusable());
    assertTrue(captured.form("files.tar").isReusable());
  }

  @Test
  void the_index_leads_to_the_bytes_of_each_file() throws Exception {
    Tree.awkward(temp);
    Captured captured = CaptureHarness.of(FileSource.in(temp)).capture();
    byte[] tar = captured.bytes("files.tar");
    int files = 0;
    try (var index =
        new org.stellaops.backup.internal.tar.TarIndex.Reader(
            new ByteArrayInputStream(captured.bytes("files.tar.index")), "index")) {
      for (var line = index.next(); line.isPresent(); line = index.next()) {
        int from = (int) line.get().offset();
        byte[] content =
            java.util.Arrays.copyOfRange(tar, from, from + (int) line.get().sizeBytes());
        assertEquals(
            line.get().content(),
            org.stellaops.backup.model.Digest.ofContent(content),
            line.get().path());
        files++;
      }
    }
    assertEquals(names(FileSource.in(temp)).size(), files);
  }

  @Test
  void a_stopped_capture_ends_at_once() throws Exception {
    Tree.file(temp.resolve("a"), 30 << 20, 1);
    assertThrows(
        BackupException.Stopped.class,
        () -> CaptureHarness.of(FileSource.in(temp)).stopAfter(1 << 20).capture());
  }

  @Test
  void what_a_restore_staged_is_no_configuration() throws Exception {
    file("a", "");
    file(".stella-restore-x/new/0/0", "");
    Captured captured = CaptureHarness.of(FileSource.in(temp)).capture();
    assertEquals(
        List.of(".stella-restore-x"),
        captured.findings().stream().map(f -> f.subject()).collect(Collectors.toList()));
    assertEquals(1, captured.source().inventory().get(0).count());
  }

  @Test
  void patterns_that_are_none_are_refused_at_once() {
    assertThrows(IllegalArgumentException.class, () -> FileSource.in(temp).include("["));
    assertThrows(IllegalArgumentException.class, () -> FileSource.in(temp).include("/etc/*"));
    assertThrows(IllegalArgumentException.class, FileSource::of);
  }
}
