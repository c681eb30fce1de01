package org.stellaops.backup.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Assertions;
import org.stellaops.backup.model.Digest;

/** Directory trees: awkward ones, and what one is, as text that can be compared. */
public final class Tree {
  private Tree() {}

  /** One line per name: type, mode, owner, time, content, extended attributes. */
  public static Map<String, String> of(Path root) throws IOException {
    Map<String, String> lines = new TreeMap<>();
    try (var paths = Files.walk(root)) {
      for (Path path : (Iterable<Path>) paths.filter(p -> !p.equals(root))::iterator) {
        lines.put(root.relativize(path).toString(), describe(path));
      }
    }
    return lines;
  }

  /** Names the lines that differ only. */
  public static void assertEqual(Map<String, String> expected, Map<String, String> found) {
    Map<String, String> differences = new TreeMap<>();
    expected.forEach(
        (name, line) -> {
          if (!line.equals(found.get(name))) {
            differences.put(name, line + " became " + found.get(name));
          }
        });
    found.forEach(
        (name, line) -> {
          if (!expected.containsKey(name)) {
            differences.put(name, "was not there, is " + line);
          }
        });
    Assertions.assertEquals(Map.of(), differences);
  }

  static String describe(Path path) throws IOException {
    var is =
        Files.readAttributes(path, "unix:mode,uid,gid,lastModifiedTime", LinkOption.NOFOLLOW_LINKS);
    if (Files.isSymbolicLink(path)) {
      // The JDK sets a link's time with lutimes(3), which knows microseconds.
      Instant modified = Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toInstant();
      return "link %s:%s %s -> %s"
          .formatted(
              is.get("uid"),
              is.get("gid"),
              modified.truncatedTo(ChronoUnit.MICROS),
              Files.readSymbolicLink(path));
    }
    String what =
        "%o %s:%s %s %s"
            .formatted(
                is.get("mode"),
                is.get("uid"),
                is.get("gid"),
                is.get("lastModifiedTime"),
                user(path));
    return Files.isRegularFile(path)
        ? what + " " + Digest.ofContent(Files.readAllBytes(path))
        : what;
  }

  private static Map<String, String> user(Path path) throws IOException {
    Map<String, String> all = new TreeMap<>();
    var view = Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
    for (String name : view.list()) {
      ByteBuffer value = ByteBuffer.allocate(view.size(name));
      view.read(name, value);
      all.put(name, HexFormat.of().formatHex(value.array()));
    }
    return all;
  }

  static Path file(Path path, String text) throws IOException {
    Files.createDirectories(path.getParent());
    return Files.writeString(path, text);
  }

  static Path file(Path path, int bytes, long seed) throws IOException {
    Files.createDirectories(path.getParent());
    byte[] content = new byte[bytes];
    new Random(seed).nextBytes(content);
    return Files.write(path, content);
  }

  /** A second with all nine digits of a fraction. */
  static void touch(Path path, long second) throws IOException {
    Files.setLastModifiedTime(path, FileTime.from(Instant.ofEpochSecond(second, 123_456_789)));
  }

  /** Everything that is not an ordinary file. */
  static void awkward(Path root) throws IOException {
    file(root.resolve("etc/a.yaml"), "a: 1\n");
    file(root.resolve("etc/empty"), "");
    file(root.resolve("etc-before-slash.txt"), "sorts before etc/");
    file(root.resolve("etc.d/x"), "sorts before etc/ as well");
    file(root.resolve("big.bin"), (3 << 20) + 17, 5);
    file(root.resolve("block.bin"), 1024, 6);
    file(root.resolve("ünï/çødé/名前-\uD83D\uDE00.txt"), "unicode");
    file(root.resolve("d".repeat(120)).resolve("e".repeat(200)).resolve("f".repeat(90)), "long");
    file(root.resolve("with space\nand newline"), "newline");
    Files.createDirectories(root.resolve("empty/dir"));
    Files.createSymbolicLink(root.resolve("link"), Path.of("etc/a.yaml"));
    Files.createSymbolicLink(root.resolve("dangling"), Path.of("../no/where/" + "x".repeat(150)));
    Files.createSymbolicLink(root.resolve("etc/up"), Path.of("../empty"));
    Files.setAttribute(root.resolve("etc/a.yaml"), "unix:mode", 0640);
    Files.setAttribute(root.resolve("etc/empty"), "unix:mode", 0400);
    Files.setAttribute(root.resolve("block.bin"), "unix:mode", 04755);
    Files.getFileAttributeView(root.resolve("etc/a.yaml"), UserDefinedFileAttributeView.class)
        .write("binary", ByteBuffer.wrap(new byte[] {0, -1, 10, '=', 7}));
    touch(root.resolve("etc/a.yaml"), 1_700_000_000L);
    touch(root.resolve("big.bin"), 1);
    Files.setLastModifiedTime(root.resolve("etc/empty"), FileTime.from(Instant.ofEpochSecond(9)));
    touch(root.resolve("empty/dir"), 1_600_000_000L);
    Files.setAttribute(root.resolve("empty"), "unix:mode", 0500);
    touch(root.resolve("empty"), 1_500_000_000L);
  }
}
