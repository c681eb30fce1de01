package org.stellaops.backup.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.internal.disk.FileAttributes;
import org.stellaops.backup.internal.disk.Inspector;
import org.stellaops.backup.internal.tar.TarMember;
import org.stellaops.backup.internal.tar.TarReader;
import org.stellaops.backup.internal.tar.TarWriter;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/** GNU tar and bsdtar read what we write, and we read what they write. */
@Tag("interop")
class OtherTarsTest {
  @TempDir Path temp;

  private String tar(Object... arguments) throws Exception {
    return run("tar", arguments);
  }

  private String run(String program, Object... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(program));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  private Path capture(Path tree) throws IOException {
    Captured captured =
        CaptureHarness.of(FileSource.in(tree))
            .spoolTo(Files.createDirectory(temp.resolve("artifacts")))
            .capture();
    return captured.file("files.tar").orElseThrow();
  }

  @Test
  void gnu_tar_extracts_everything() throws Exception {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    Tree.awkward(tree);
    Path out = Files.createDirectory(temp.resolve("out"));

    String said =
        tar("-x", "-p", "--xattrs", "--xattrs-include=user.*", "-f", capture(tree), "-C", out);

    assertEquals("", said);
    Tree.assertEqual(Tree.of(tree), Tree.of(out));
  }

  @Test
  void bsdtar_extracts_everything() throws Exception {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    Tree.awkward(tree);
    Path out = Files.createDirectory(temp.resolve("out"));

    String said = run("bsdtar", "-x", "-p", "--xattrs", "-f", capture(tree), "-C", out);

    assertEquals("", said);
    Tree.assertEqual(Tree.of(tree), Tree.of(out));
  }

  /** The header is ours; the bytes are a hole, since nobody looks at them. */
  @Test
  void others_understand_a_file_larger_than_a_header_can_say() throws Exception {
    Path archive = temp.resolve("large.tar");
    long size = (8L << 30) + 12345;
    try (var file = new RandomAccessFile(archive.toFile(), "rw")) {
      var tar = new TarWriter(into(file));
      long offset = tar.begin(TarMember.file("large", size, FileAttributes.plain(0600)));
      file.setLength(offset + (size / 512 + 1) * 512 + 1024);
    }
    for (String program : List.of("tar", "bsdtar")) {
      String listed = run(program, "-t", "-v", "-f", archive);
      assertTrue(listed.contains(" " + size + " "), listed);
    }
    try (var in = Files.newInputStream(archive)) {
      var member = new TarReader(in, "large.tar", Files.size(archive)).next().orElseThrow();
      assertEquals(size, member.sizeBytes());
    }
  }

  private static ArtifactOutput into(RandomAccessFile file) {
    return new ArtifactOutput() {
      @Override
      public void boundary() {}

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        file.write(bytes, offset, length);
      }
    };
  }

  @Test
  void we_read_what_gnu_tar_writes() throws Exception {
    assertReads("tar", "--xattrs", "--xattrs-include=user.*", "--sort=name");
  }

  @Test
  void we_read_what_bsdtar_writes() throws Exception {
    assertReads("bsdtar", "--xattrs");
  }

  private void assertReads(String program, String... options) throws Exception {
    Path tree = Files.createDirectory(temp.resolve("tree"));
    Tree.awkward(tree);
    Path archive = temp.resolve("other.tar");
    List<Object> arguments = new ArrayList<>(List.of("-c", "--format=pax", "-f", archive));
    arguments.addAll(List.of(options));
    arguments.addAll(List.of("-C", tree, "etc", "ünï", "d".repeat(120), "link", "dangling"));
    run(program, arguments.toArray());
    assertEquals(12, members(archive, tree));
  }

  /** Every member is what stands in the tree; returns how many there are. */
  private static int members(Path archive, Path tree) throws IOException {
    int members = 0;
    try (var in = Files.newInputStream(archive)) {
      var reader = new TarReader(in, archive.toString(), Files.size(archive));
      for (var member = reader.next(); member.isPresent(); member = reader.next()) {
        Path original = tree.resolve(member.get().name());
        assertTrue(Files.exists(original, LinkOption.NOFOLLOW_LINKS));
        var state = new Inspector().inspect(original);
        assertEquals(state.attributes(), member.get().attributes(), member.get().name());
        assertEquals(state.sizeBytes(), member.get().sizeBytes());
        members++;
      }
    }
    return members;
  }
}
