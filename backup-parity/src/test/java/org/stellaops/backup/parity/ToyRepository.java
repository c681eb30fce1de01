package org.stellaops.backup.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Digest;

/** Files that are called like those of a repository, and what they should be. */
final class ToyRepository {
  final Path root;
  final Map<String, byte[]> expected = new TreeMap<>();

  ToyRepository(Path root) throws IOException {
    this.root = root;
    put("repository.json", "{\"format\":1}".getBytes(StandardCharsets.US_ASCII));
  }

  static byte[] random(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  String pack(byte[] content) throws IOException {
    Digest digest = Digest.ofContent(content);
    String name =
        "w/host-a/packs/%s/%s-%d.age"
            .formatted(digest.hex().substring(0, 2), digest, content.length);
    put(name, content);
    return name;
  }

  String entry(String log, int slot, String text) throws IOException {
    String name = "log/%s/%010d.entry".formatted(log, slot);
    String entry =
        "# stella-backup entry 1\n" + text + "#sig xxx\n#sig -----END SSH SIGNATURE-----\n";
    put(name, entry.getBytes(StandardCharsets.US_ASCII));
    return name;
  }

  /** What retention writes when it removes files for good. */
  void sweep(int slot, List<String> names) throws IOException {
    StringBuilder list = new StringBuilder();
    names.forEach(n -> list.append(Digest.ofContent(expectedBytes(n))).append("  " + n + "\n"));
    byte[] bytes = list.toString().getBytes(StandardCharsets.US_ASCII);
    String name = "w/retention/lists/%s-%d.sums".formatted(Digest.ofContent(bytes), bytes.length);
    put(name, bytes);
    entry("retention", slot, "# kind: doom\n%s  %s\n".formatted(Digest.ofContent(bytes), name));
    entry("retention", slot + 1, "# kind: sweep\n# sweep: %d\n".formatted(slot));
    for (String gone : names) {
      Files.delete(path(gone));
      expected.remove(gone);
    }
  }

  private byte[] expectedBytes(String name) {
    return expected.getOrDefault(name, new byte[0]);
  }

  void put(String name, byte[] content) throws IOException {
    Files.createDirectories(path(name).getParent());
    Files.write(path(name), content);
    expected.put(name, content);
  }

  Path path(String name) {
    return root.resolve(name);
  }

  ParityVolumes parity() {
    return ParityVolumes.in(root);
  }

  List<Path> volumes() throws IOException {
    try (Stream<Path> files = Files.list(root.resolve("parity"))) {
      return files.filter(f -> f.toString().endsWith(".rs")).sorted().toList();
    }
  }

  ParityRepair repair() throws IOException {
    ParityRepairPlan plan = parity().planRepair();
    return parity().repair(plan, Confirmation.of(plan.digest()));
  }

  /** Everything is there, byte for byte, and nothing else but the parity. */
  void assertWhole(String message) throws IOException {
    assertEquals(expected.keySet(), names(), message);
    for (Map.Entry<String, byte[]> file : expected.entrySet()) {
      assertArrayEquals(file.getValue(), Files.readAllBytes(path(file.getKey())), message);
    }
  }

  private Set<String> names() throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .map(f -> root.relativize(f).toString())
          .filter(n -> !n.startsWith("parity/"))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /** One way in which media lose a file. */
  void damage(String name, Random random) throws IOException {
    Path file = path(name);
    byte[] bytes = Files.readAllBytes(file);
    switch (random.nextInt(4)) {
      case 0 -> Files.delete(file);
      case 1 ->
          Files.write(file, Arrays.copyOf(bytes, bytes.length / 2 - 1 < 0 ? 7 : bytes.length / 2));
      case 2 -> Files.write(file, Arrays.copyOf(bytes, bytes.length + 3));
      default -> {
        if (bytes.length == 0) {
          Files.delete(file);
        } else {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
          Files.write(file, bytes);
        }
      }
    }
  }
}
