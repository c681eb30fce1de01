package org.stellaops.backup.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.internal.json.Json;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Component;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Stage;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Checks;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.SourceDescription;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.RestoreHarness;

/** Archives that an attacker wrote with a tool of his own, and signed with a stolen key. */
class HostileArchiveTest {
  private static final String EMPTY = Digest.ofContent(new byte[0]).hex();

  @TempDir Path temp;

  private final ByteArrayOutputStream tar = new ByteArrayOutputStream();
  private final TarArchiveOutputStream writer = new TarArchiveOutputStream(tar, "UTF-8");
  private final ByteArrayOutputStream index = new ByteArrayOutputStream();

  /** Where the next header stands: no name here needs an extended one. */
  private long end;

  HostileArchiveTest() {
    writer.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
    writer.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_POSIX);
  }

  private void add(String name, byte type, String link, String content) throws IOException {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    var entry = new TarArchiveEntry(name, type, true);
    entry.setLinkName(link);
    entry.setSize(bytes.length);
    entry.setModTime(0L);
    writer.putArchiveEntry(entry);
    writer.write(bytes);
    writer.closeArchiveEntry();
    long offset = end + 512;
    end = offset + (bytes.length + 511) / 512 * 512;
    String word =
        type == TarConstants.LF_SYMLINK
            ? "link"
            : type == TarConstants.LF_DIR ? "directory" : "file";
    line(name.endsWith("/") ? name.substring(0, name.length() - 1) : name, word, offset, bytes);
  }

  private void line(String path, String type, long offset, byte[] bytes) throws IOException {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("path", path);
    fields.put("type", type);
    fields.put("offset", offset);
    fields.put("size", (long) bytes.length);
    fields.put("sha256", Digest.ofContent(bytes).hex());
    index.write(Json.write(fields));
    index.write('\n');
  }

  private BackupException restore() throws IOException {
    writer.finish();
    return restore(tar.toByteArray(), index.toByteArray());
  }

  private BackupException restore(byte[] archive, byte[] lines) throws IOException {
    return restore(Map.of("files.tar", archive, "files.tar.index", lines));
  }

  private BackupException restore(Map<String, byte[]> artifacts) throws IOException {
    var captured = CaptureHarness.of(new Given(artifacts)).capture();
    var harness = RestoreHarness.of(FileTarget.at(temp.resolve("out")).replace(), captured);
    var failure =
        assertThrows(
            BackupException.class,
            () -> {
              harness.stage();
              harness.publish();
            });
    harness.rollBack();
    assertFalse(Files.exists(temp.resolve("out")), "something is left");
    assertEquals(0, Tree.of(temp).size(), "something is outside");
    return failure;
  }

  /** Artifacts as they are given. */
  private record Given(Map<String, byte[]> artifacts) implements BackupSource {
    @Override
    public SourceDescription describe() {
      return SourceDescription.of(FileSource.KIND, Component.CONFIG, Stage.FILES);
    }

    @Override
    public void check(Checks checks) {}

    @Override
    public void capture(CaptureSession session) throws IOException {
      for (Map.Entry<String, byte[]> artifact : new TreeMap<>(artifacts).entrySet()) {
        session.artifact(
            ArtifactName.of(artifact.getKey()),
            Form.CONTENT,
            out -> out.write(artifact.getValue()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../escape",
        "/etc/passwd",
        "a/../../escape",
        "a/./b",
        "a//b",
        "..",
        ".",
        "./a",
        ".stella-restore-test/new",
        "a\0b",
      })
  void a_name_outside_the_root_is_refused(String name) throws Exception {
    // Given to the index, which is read first, and to the archive with an honest index.
    line(name, "file", 512, new byte[0]);
    assertEquals(CoreFailure.UNSAFE_NAME, restore().code());
  }

  @Test
  void sections_that_do_not_follow_each_other_are_refused() throws Exception {
    add("a", TarConstants.LF_NORMAL, "", "x");
    writer.finish();
    byte[] archive = tar.toByteArray();
    byte[] lines = index.toByteArray();
    Map<String, byte[]> twice = new TreeMap<>();
    twice.put("files.tar", archive);
    twice.put("files.tar.index", lines);
    twice.put("files-2.tar", archive);
    assertEquals(CoreFailure.MALFORMED, restore(twice).code(), "one has no index");
    twice.put("files-2.tar.index", lines);
    assertEquals(CoreFailure.MALFORMED, restore(twice).code(), "a name comes twice");
    twice.put("files-3.tar", twice.remove("files-2.tar"));
    assertEquals(CoreFailure.MALFORMED, restore(twice).code(), "there is a gap");
  }

  @Test
  void an_archive_that_says_other_names_than_its_index_is_refused() throws Exception {
    add("../escape", TarConstants.LF_NORMAL, "", "x");
    index.reset();
    line("harmless", "file", 512, "x".getBytes(StandardCharsets.UTF_8));
    assertEquals(CoreFailure.MALFORMED, restore().code());
  }

  @Test
  void nothing_is_written_through_a_link_of_the_archive() throws Exception {
    Path outside = temp.resolve("outside");
    add("a", TarConstants.LF_SYMLINK, outside.toString(), "");
    add("a/file", TarConstants.LF_NORMAL, "", "x");
    assertEquals(CoreFailure.TARGET_NOT_EMPTY, restore().code());
  }

  @Test
  void a_member_that_stands_there_twice_is_refused() throws Exception {
    add("a", TarConstants.LF_SYMLINK, "/etc", "");
    add("a", TarConstants.LF_NORMAL, "", "x");
    assertEquals(CoreFailure.MALFORMED, restore().code());
  }

  @Test
  void a_link_and_a_directory_of_one_name_are_refused() throws Exception {
    add("a", TarConstants.LF_SYMLINK, "/etc", "");
    add("a/", TarConstants.LF_DIR, "", "");
    assertEquals(CoreFailure.TARGET_NOT_EMPTY, restore().code());
  }

  @ParameterizedTest
  @ValueSource(
      bytes = {
        TarConstants.LF_LINK,
        TarConstants.LF_CHR,
        TarConstants.LF_BLK,
        TarConstants.LF_FIFO,
        TarConstants.LF_CONTIG,
        TarConstants.LF_GNUTYPE_SPARSE,
        TarConstants.LF_PAX_GLOBAL_EXTENDED_HEADER,
      })
  void devices_pipes_hard_links_and_sparse_files_are_refused(byte type) throws Exception {
    add("a", TarConstants.LF_NORMAL, "", "");
    byte[] archive = archive();
    archive[156] = type;
    int sum = 8 * ' ';
    for (int i = 0; i < 512; i++) {
      sum += i >= 148 && i < 156 ? 0 : archive[i] & 0xff;
    }
    byte[] octal = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(octal, 0, archive, 148, 8);
    assertEquals(CoreFailure.MALFORMED, restore(archive, index.toByteArray()).code());
  }

  @Test
  void a_size_beyond_the_archive_is_refused() throws Exception {
    var entry = new TarArchiveEntry("bomb", true);
    entry.setSize(1L << 50);
    writer.putArchiveEntry(entry);
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("path", "bomb");
    fields.put("type", "file");
    fields.put("offset", 1536L);
    fields.put("size", 1L << 50);
    fields.put("sha256", EMPTY);
    index.write(Json.write(fields));
    index.write('\n');
    assertEquals(CoreFailure.MALFORMED, restore(tar.toByteArray(), index.toByteArray()).code());
  }

  @Test
  void other_bytes_than_the_index_promises_are_refused() throws Exception {
    add("a", TarConstants.LF_NORMAL, "", "x");
    index.reset();
    line("a", "file", 512, "y".getBytes(StandardCharsets.UTF_8));
    assertEquals(CoreFailure.CORRUPT_OBJECT, restore().code());
  }

  @Test
  void an_index_that_is_longer_or_shorter_than_the_archive_is_refused() throws Exception {
    add("a", TarConstants.LF_NORMAL, "", "x");
    byte[] one = index.toByteArray();
    line("b", "file", 512, new byte[0]);
    assertEquals(CoreFailure.MALFORMED, restore().code());
    assertEquals(CoreFailure.MALFORMED, restore(tar.toByteArray(), new byte[0]).code());
    assertTrue(one.length > 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}\n",
        "[]\n",
        "\n",
        "{\"path\":\"a\"}\n",
        "{\"path\":\"a\",\"path\":\"b\",\"type\":\"file\",\"offset\":0,\"size\":0,\"sha256\":\"\"}\n",
        "{\"path\":{\"a\":1}}\n",
        "no json",
        "{\"path\":\"a\",\"type\":\"file\",\"offset\":-1,\"size\":0,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}\n",
      })
  void an_index_that_is_none_is_refused(String lines) throws Exception {
    assertEquals(
        CoreFailure.MALFORMED, restore(archive(), lines.getBytes(StandardCharsets.UTF_8)).code());
  }

  private byte[] archive() throws IOException {
    writer.finish();
    return tar.toByteArray();
  }

  @Test
  void an_endless_line_is_refused_before_it_fills_the_memory() throws Exception {
    byte[] endless = new byte[4 << 20];
    java.util.Arrays.fill(endless, (byte) ' ');
    assertEquals(CoreFailure.MALFORMED, restore(archive(), endless).code());
  }

  /** Every place of a header of its own, set to every value that means something there. */
  @Test
  void a_header_with_any_byte_changed_is_refused_or_read_as_nothing_worse() throws Exception {
    add("dir/", TarConstants.LF_DIR, "", "");
    add("dir/name", TarConstants.LF_NORMAL, "", "content");
    byte[] good = archive();
    for (int at = 0; at < 3 * 512; at++) {
      for (byte value : new byte[] {0, '0', '7', 'x', 'L', '/', '.', -1, (byte) 0x80}) {
        byte[] bad = good.clone();
        bad[at] = value;
        read(bad, e -> {});
      }
    }
  }

  private static void read(byte[] bytes, Consumer<BackupException.Corrupt> refused)
      throws IOException {
    var reader = new TarReader(new ByteArrayInputStream(bytes), "archive", bytes.length);
    try {
      byte[] buffer = new byte[100];
      for (var member = reader.next(); member.isPresent(); member = reader.next()) {
        assertTrue(member.get().sizeBytes() <= bytes.length);
        int n = reader.read(buffer, 0, buffer.length);
        while (n >= 0) {
          n = reader.read(buffer, 0, buffer.length);
        }
      }
    } catch (BackupException.Corrupt e) {
      refused.accept(e);
    }
  }

  @Test
  void an_archive_cut_off_anywhere_is_refused() throws Exception {
    add("dir/", TarConstants.LF_DIR, "", "");
    add("dir/name", TarConstants.LF_NORMAL, "", "content");
    byte[] good = archive();
    int end = 4 * 512;
    for (int length = 0; length < end; length++) {
      byte[] cut = java.util.Arrays.copyOf(good, length);
      int[] refusals = new int[1];
      read(cut, e -> refusals[0]++);
      assertEquals(1, refusals[0], "cut off at " + length);
    }
  }
}
