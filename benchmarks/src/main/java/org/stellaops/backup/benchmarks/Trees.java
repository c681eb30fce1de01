package org.stellaops.backup.benchmarks;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Trees of files with content like that of a service: the same for the same seed. */
final class Trees {
  private static final String[] WORDS = {
    "issuer", "tenant", "signature", "sha256", "vex", "component", "affected", "fixed", "advisory",
    "published", "envelope", "payload", "statement", "predicate", "policy", "verdict", "http",
        "null"
  };

  private Trees() {}

  /**
   * About 1.5 GB: documents of JSON large and small, database-like pages, and what does not
   * compress.
   */
  static void make(Path root, long seed) throws IOException {
    Random random = new Random(seed);
    for (int i = 0; i < 12; i++) {
      json(root.resolve("logs/app-%02d.jsonl".formatted(i)), random, 40 << 20);
    }
    for (int i = 0; i < 6000; i++) {
      json(
          root.resolve("evidence/%02x/%05d.json".formatted(i & 0xff, i)),
          random,
          2_000 + random.nextInt(40_000));
    }
    for (int i = 0; i < 6; i++) {
      pages(root.resolve("pages/%d.dat".formatted(i)), random, 64 << 20);
    }
    for (int i = 0; i < 60; i++) {
      noise(root.resolve("blobs/%02d.tgz".formatted(i)), random, 8 << 20);
    }
  }

  private static void json(Path file, Random random, int bytes) throws IOException {
    try (OutputStream out = create(file)) {
      StringBuilder line = new StringBuilder();
      for (int written = 0; written < bytes; written += line.length()) {
        line.setLength(0);
        line.append("{\"id\":\"")
            .append(Long.toHexString(random.nextLong()))
            .append("\",\"at\":")
            .append(1.7e9 + written);
        for (int field = 0; field < 8; field++) {
          line.append(",\"").append(word(random)).append("\":\"").append(word(random)).append('-');
          line.append(random.nextInt(100_000)).append(' ').append(word(random)).append('"');
        }
        line.append("}\n");
        out.write(line.toString().getBytes(StandardCharsets.US_ASCII));
      }
    }
  }

  private static String word(Random random) {
    return WORDS[random.nextInt(WORDS.length)];
  }

  /** Pages of 8 KiB, some full, some half empty. */
  static void pages(Path file, Random random, long bytes) throws IOException {
    byte[] page = new byte[8192];
    try (OutputStream out = create(file)) {
      for (long written = 0; written < bytes; written += page.length) {
        page(page, random);
        out.write(page);
      }
    }
  }

  /** Rows of numbers and words behind a header that never repeats. */
  static void page(byte[] page, Random random) {
    java.util.Arrays.fill(page, (byte) 0);
    int used = 4096 + random.nextInt(4096);
    byte[] head = new byte[24];
    random.nextBytes(head);
    System.arraycopy(head, 0, page, 0, head.length);
    for (int at = head.length; at < used; ) {
      byte[] row =
          (random.nextInt()
                  + "|"
                  + word(random)
                  + "|"
                  + random.nextInt(1000)
                  + "|"
                  + word(random)
                  + ";")
              .getBytes(StandardCharsets.US_ASCII);
      int n = Math.min(row.length, page.length - at);
      System.arraycopy(row, 0, page, at, n);
      at += row.length;
    }
  }

  private static void noise(Path file, Random random, int bytes) throws IOException {
    byte[] block = new byte[1 << 16];
    try (OutputStream out = create(file)) {
      for (int written = 0; written < bytes; written += block.length) {
        random.nextBytes(block);
        out.write(block);
      }
    }
  }

  private static OutputStream create(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    return new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
  }

  /**
   * Changes about one percent of the bytes: 4 KiB within every 400 KiB of large files, whole small
   * ones.
   */
  static void change(Path root, long seed) throws IOException {
    Random random = new Random(seed);
    List<Path> files;
    try (Stream<Path> walk = Files.walk(root)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      long size = Files.size(file);
      boolean isLarge = size > 1 << 20;
      if (isLarge ? random.nextInt(4) == 0 : random.nextInt(100) == 0) {
        overwrite(file, size, random);
      }
    }
  }

  private static void overwrite(Path file, long size, Random random) throws IOException {
    byte[] change = new byte[(int) Math.max(64, size / 25)];
    random.nextBytes(change);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.seek((long) (random.nextDouble() * (size - change.length)));
      out.write(change);
    }
  }

  static long size(Path root) throws IOException {
    try (Stream<Path> walk = Files.walk(root)) {
      return walk.filter(Files::isRegularFile).mapToLong(p -> p.toFile().length()).sum();
    }
  }

  static void delete(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(root)) {
      walk.sorted(Comparator.reverseOrder())
          .forEach(
              path -> {
                try {
                  Files.delete(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }
}
