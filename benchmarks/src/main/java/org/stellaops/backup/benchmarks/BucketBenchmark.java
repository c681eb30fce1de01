package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * First backups of a tree to a bucket of MinIO on loopback beside restic, and copies of a
 * repository from a directory to a bucket beside rclone: each to a bucket of its own, rounds
 * interleaved.
 */
final class BucketBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);
  private static final int FILES = Integer.getInteger("benchmark.scale", 100);
  private static final int FILE_BYTES = 8 << 20;

  private final Figures figures = new Figures();
  private final Path work;
  private final Path tree;
  private final Minio minio;

  private final Service service;

  private BucketBenchmark(Path work, Minio minio, Service service) {
    this.work = work;
    this.tree = work.resolve("tree");
    this.minio = minio;
    this.service = service;
  }

  static void run(Path work) throws Exception {
    try (Minio minio = Minio.start(work.resolve("minio"));
        Service service = Service.start("256m", BucketTool.class)) {
      new BucketBenchmark(work, minio, service).run();
    }
  }

  private void run() throws Exception {
    make();
    // The first order in a service is the one in which its JVM compiles.
    warmUp();
    Path repository = work.resolve("repository");
    service.run(
        List.of("keep", tree.toString(), repository.toString(), keys("repository").toString()));
    for (int round = 0; round < ROUNDS; round++) {
      backUp(round);
      copy(repository, round);
    }
    print();
  }

  private void warmUp() throws Exception {
    String name = "warm";
    figures.add("idle service peak MiB", service.runWatched(order("idle", name)).peakMebibytes());
    for (int i = 0; i < 2; i++) {
      service.run(order("backup", "%s-%d".formatted(name, i)));
    }
  }

  private void backUp(int round) throws Exception {
    measure("idle, fresh JVM", Map.of(), java(order("idle", "idle-" + round)));
    measure("backup, fresh JVM", Map.of(), java(order("backup", "fresh-" + round)));
    measure("backup, in a service", order("backup", "service-" + round));
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
    forget("idle-", "fresh-", "service-", "restic-");
  }

  private void copy(Path repository, int round) throws Exception {
    measure("copy, fresh JVM", Map.of(), java(copyOrder(repository, "copy-fresh-" + round)));
    measure("copy, in a service", copyOrder(repository, "copy-service-" + round));
    Map<String, String> environment =
        Map.of(
            "RCLONE_CONFIG_HERE_TYPE",
            "s3",
            "RCLONE_CONFIG_HERE_PROVIDER",
            "Minio",
            "RCLONE_CONFIG_HERE_ENDPOINT",
            minio.uri().toString(),
            "RCLONE_CONFIG_HERE_ACCESS_KEY_ID",
            Minio.USER,
            "RCLONE_CONFIG_HERE_SECRET_ACCESS_KEY",
            Minio.PASSWORD);
    String there = "here:" + newBucket("rclone-" + round);
    measure("rclone copy", environment, List.of("rclone", "copy", repository.toString(), there));
    measure(
        "rclone check --download",
        environment,
        List.of("rclone", "check", "--download", repository.toString(), there));
    forget("copy-", "rclone-");
  }

  private void print() {
    System.out.printf(
        "%n%d files of %d MiB to MinIO on loopback, %d interleaved rounds%n",
        FILES, FILE_BYTES >> 20, ROUNDS);
    figures.print();
    for (String what : List.of("wall s", "cpu s")) {
      for (String where : List.of(", in a service ", ", fresh JVM ")) {
        figures.ratio("backup" + where + what, "restic " + what);
        figures.ratio("copy" + where + what, "rclone copy " + what);
      }
    }
    System.out.printf(
        "  above an idle engine: backup %.0f MiB, copy %.0f MiB; in a service %.0f and %.0f MiB%n",
        above("backup, fresh JVM", "idle, fresh JVM"),
        above("copy, fresh JVM", "idle, fresh JVM"),
        above("backup, in a service", "idle service"),
        above("copy, in a service", "idle service"));
  }

  private double above(String busy, String idle) {
    return figures.median(busy + " peak MiB") - figures.median(idle + " peak MiB");
  }

  private List<String> order(String what, String name) throws IOException {
    return List.of(
        what, tree.toString(), minio.uri().toString(), newBucket(name), keys(name).toString());
  }

  private List<String> copyOrder(Path repository, String name) throws IOException {
    return List.of(
        "copy",
        repository.toString(),
        minio.uri().toString(),
        newBucket(name),
        keys("repository").toString());
  }

  private Path keys(String name) {
    return work.resolve("keys-" + name);
  }

  private static List<String> java(List<String> order) {
    return Command.java("256m", BucketTool.class, order);
  }

  private void measure(String name, Map<String, String> environment, List<String> command)
      throws Exception {
    Command.run(Map.of(), List.of("sync"));
    add(name, Command.runWatched(environment, command));
  }

  private void measure(String name, List<String> order) throws Exception {
    Command.run(Map.of(), List.of("sync"));
    add(name, service.runWatched(order));
  }

  private void add(String name, Command.Peak peak) {
    figures.add(name, peak.took());
    figures.add(name + " peak MiB", peak.peakMebibytes());
  }

  /** So that no round finds a fuller disk than the one before. */
  private void forget(String... prefixes) throws IOException {
    List<Path> gone = new ArrayList<>();
    try (DirectoryStream<Path> buckets = Files.newDirectoryStream(work.resolve("minio/data"))) {
      for (Path bucket : buckets) {
        String name = bucket.getFileName().toString();
        if (Arrays.stream(prefixes).anyMatch(name::startsWith)) {
          gone.add(bucket);
        }
      }
    }
    for (Path bucket : gone) {
      Trees.delete(bucket);
    }
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
