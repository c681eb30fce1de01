package org.stellaops.backup.evidence;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.stellaops.backup.model.Digest;

/** A generated evidence locker in a directory, in the layout of a file-system locker. */
final class Locker {
  private static final List<String> TYPES =
      List.of("attestations", "sboms", "vex", "verdicts", "provenance");
  private static final int[] SIZES = {40, 400, 4000};

  private final Path root;
  private final Random random;
  private final List<Path> objects = new ArrayList<>();
  private int anchors;

  Locker(Path root, long seed) {
    this.root = root;
    this.random = new Random(seed);
  }

  /** Adds objects and an anchor over them, and rewrites the index. */
  Locker add(int count) throws IOException {
    var leaves = new StringBuilder();
    for (int i = 0; i < count; i++) {
      String type = TYPES.get(objects.size() % TYPES.size());
      byte[] content = new byte[SIZES[random.nextInt(SIZES.length)]];
      random.nextBytes(content);
      String digest = Digest.ofContent(content).hex();
      objects.add(write("%s/%s/%s.json".formatted(type, digest.substring(0, 2), digest), content));
      leaves.append(digest).append('\n');
    }
    write("anchors/%08d.dsse.json".formatted(anchors++), leaves.toString());
    write("anchors/head.json", "{\"seq\":" + (anchors - 1) + "}");
    write("index.json", "{\"entries\":" + objects.size() + "}");
    write("keys/evidence.pub.pem", "a public key");
    return this;
  }

  Path write(String name, String text) throws IOException {
    return write(name, text.getBytes(StandardCharsets.UTF_8));
  }

  Path write(String name, byte[] content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, content);
  }

  Path root() {
    return root;
  }

  List<Path> objects() {
    return objects;
  }

  String name(Path object) {
    return root.relativize(object).toString();
  }

  Path newestAnchor() {
    return root.resolve("anchors/%08d.dsse.json".formatted(anchors - 1));
  }

  /** Digest of each file by its name. */
  static Map<String, Digest> contents(Path root) throws IOException {
    Map<String, Digest> contents = new TreeMap<>();
    try (var files = Files.walk(root)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        contents.put(root.relativize(file).toString(), Digest.ofContent(Files.readAllBytes(file)));
      }
    }
    return contents;
  }
}
