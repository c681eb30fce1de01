package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A tree of many small files that does not change, beside restic and borg as they are used every
 * day: each with its cache, each trusting what a file looks like. The first run reads everything;
 * then rounds with a warm page cache, and one with a cold one where this process may empty it.
 */
final class FilesBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);

  /** A thousandth of a million. */
  private static final int FILES = 1000 * Integer.getInteger("benchmark.scale", 100);

  private static final int FILES_A_DIRECTORY = 1000;
  private static final int BYTES = 1024;
  private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");

  private final Figures figures = new Figures();
  private final Path tree;
  private final Path work;

  private FilesBenchmark(Path work) {
    this.work = work;
    this.tree = work.resolve("tree");
  }

  /** Somebody who backs the tree up: a name, his settings, and the words to do it with. */
  private record Contender(String name, Map<String, String> environment, List<String> command) {}

  static void run(Path work) throws Exception {
    Files.createDirectories(work);
    new FilesBenchmark(work).run();
  }

  private void run() throws Exception {
    make();
    List<Contender> contenders = contenders();
    for (Contender contender : contenders) {
      measure(contender, "first run");
    }
    for (int round = 0; round < ROUNDS; round++) {
      Collections.rotate(contenders, 1);
      for (Contender contender : contenders) {
        measure(contender, "unchanged");
      }
    }
    if (Files.isWritable(DROP_CACHES)) {
      for (Contender contender : contenders) {
        Files.writeString(DROP_CACHES, "3");
        measure(contender, "unchanged, cold");
      }
    } else {
      System.out.println("  the page cache cannot be emptied here: no cold figure");
    }
    System.out.printf(
        "%n%d files of %d bytes, %d interleaved rounds, heap of 256 MiB%n", FILES, BYTES, ROUNDS);
    figures.print();
  }

  private void measure(Contender contender, String step) throws Exception {
    Command.run(Map.of(), List.of("sync"));
    Command.Peak peak = Command.runWatched(contender.environment(), contender.command());
    figures.add(contender.name() + ": " + step, peak.took());
    figures.add(contender.name() + ": " + step + " peak MiB", peak.peakBytes() / 1048576.0);
  }

  private List<Contender> contenders() throws Exception {
    List<Contender> all = new ArrayList<>();
    all.add(stella());
    if (isInstalled("restic")) {
      all.add(restic());
    }
    if (isInstalled("borg")) {
      all.add(borg());
    }
    return all;
  }

  private static boolean isInstalled(String tool) throws Exception {
    boolean isThere =
        new ProcessBuilder("bash", "-c", "command -v " + tool)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor()
            == 0;
    if (!isThere) {
      System.out.println("  " + tool + " is not installed and not measured");
    }
    return isThere;
  }

  private Contender stella() {
    List<String> order =
        List.of(
            "backup-changed",
            tree.toString(),
            work.resolve("stella").toString(),
            work.resolve("keys").toString());
    return new Contender("stella, fresh JVM", Map.of(), Command.java("256m", Tool.class, order));
  }

  private Contender restic() throws Exception {
    Map<String, String> environment =
        Map.of(
            "RESTIC_PASSWORD", "benchmark",
            "RESTIC_REPOSITORY", work.resolve("restic").toString(),
            "RESTIC_CACHE_DIR", work.resolve("restic-cache").toString());
    Command.run(environment, List.of("restic", "init", "--repository-version", "2"));
    return new Contender("restic", environment, List.of("restic", "backup", tree.toString()));
  }

  private Contender borg() throws Exception {
    Map<String, String> environment =
        Map.of(
            "BORG_PASSPHRASE", "benchmark",
            "BORG_REPO", work.resolve("borg").toString(),
            "BORG_BASE_DIR", Files.createDirectory(work.resolve("borg-base")).toString());
    Command.run(environment, List.of("borg", "init", "-e", "repokey-blake2"));
    return new Contender(
        "borg",
        environment,
        List.of("borg", "create", "-C", "zstd,3", "::run-{now:%s.%f}", tree.toString()));
  }

  /** Half of each file compresses. */
  private void make() throws IOException {
    Random random = new Random(42);
    byte[] noise = new byte[BYTES / 4];
    for (int i = 0; i < FILES; i++) {
      Path directory = tree.resolve("%04d".formatted(i / FILES_A_DIRECTORY));
      if (i % FILES_A_DIRECTORY == 0) {
        Files.createDirectories(directory);
      }
      random.nextBytes(noise);
      String text = HexFormat.of().formatHex(noise) + ("{\"id\":" + i + "}").repeat(BYTES);
      Files.write(
          directory.resolve("%07d.json".formatted(i)),
          text.substring(0, BYTES).getBytes(StandardCharsets.US_ASCII));
    }
  }
}
