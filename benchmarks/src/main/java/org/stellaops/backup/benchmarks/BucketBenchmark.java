package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * First backups of a tree to a bucket of MinIO on loopback, beside restic: each to a repository of
 * its own, rounds interleaved.
 */
final class BucketBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);
  private static final int FILES = Integer.getInteger("benchmark.scale", 100);
  private static final int FILE_BYTES = 8 << 20;

  private final Figures figures = new Figures();
  private final Path work;
  private final Path tree;
  private final Minio minio;

  private BucketBenchmark(Path work, Minio minio) {
    this.work = work;
    this.tree = work.resolve("tree");
    this.minio = minio;
  }

  static void run(Path work) throws Exception {
    try (Minio minio = Minio.start(work.resolve("minio"))) {
      new BucketBenchmark(work, minio).run();
    }
  }

  private void run() throws Exception {
    make();
    for (int round = 0; round < ROUNDS; round++) {
      stella("idle", "stella, idle", round);
      stella("backup", "stella", round);
      restic(round);
    }
    System.out.printf(
        "%n%d files of %d MiB to MinIO on loopback, %d interleaved rounds%n",
        FILES, FILE_BYTES >> 20, ROUNDS);
    figures.print();
    figures.ratio("stella wall s", "restic wall s");
    System.out.printf(
        "  above an idle engine: %.0f MiB%n",
        figures.median("stella peak MiB") - figures.median("stella, idle peak MiB"));
  }

  private void stella(String what, String name, int round) throws Exception {
    String bucket = newBucket(what + "-" + round);
    List<String> order =
        List.of(
            what,
            tree.toString(),
            minio.uri().toString(),
            bucket,
            work.resolve("keys-" + bucket).toString());
    measure(name, Map.of(), Command.java("256m", BucketTool.class, order));
  }

  private void restic(int round) throws Exception {
    Map<String, String> environment =
        Map.of(
            "RESTIC_PASSWORD",
            "benchmark",
            "RESTIC_REPOSITORY",
            "s3:" + minio.uri() + "/" + newBucket("restic-" + round),
            "AWS_ACCESS_KEY_ID",
            Minio.USER,
            "AWS_SECRET_ACCESS_KEY",
            Minio.PASSWORD);
    Command.run(environment, List.of("restic", "--no-cache", "init"));
    measure("restic", environment, List.of("restic", "--no-cache", "backup", tree.toString()));
  }

  private void measure(String name, Map<String, String> environment, List<String> command)
      throws Exception {
    Command.run(Map.of(), List.of("sync"));
    Command.Peak peak = Command.runWatched(environment, command);
    figures.add(name, peak.took());
    figures.add(name + " peak MiB", peak.peakBytes() / 1048576.0);
  }

  /** MinIO on one directory shows each folder in it as a bucket. */
  private String newBucket(String name) throws IOException {
    Files.createDirectories(work.resolve("minio/data").resolve(name));
    return name;
  }

  /** Half of each file compresses. */
  private void make() throws IOException {
    Files.createDirectories(tree);
    Random random = new Random(42);
    byte[] bytes = new byte[FILE_BYTES];
    byte[] noise = new byte[512];
    for (int file = 0; file < FILES; file++) {
      for (int at = 0; at < FILE_BYTES; at += 1024) {
        random.nextBytes(noise);
        System.arraycopy(noise, 0, bytes, at, noise.length);
      }
      Files.write(tree.resolve("%05d.bin".formatted(file)), bytes);
    }
  }
}
