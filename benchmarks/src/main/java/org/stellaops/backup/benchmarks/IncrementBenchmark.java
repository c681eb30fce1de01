package org.stellaops.backup.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Increments of a cluster of PostgreSQL 17 beside its full backup, and putting a chain of them
 * together beside writing as many zeros with {@code dd} and waiting for the disk.
 */
final class IncrementBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);
  private static final int SCALE = Integer.getInteger("benchmark.scale", 100);

  private static final String UNCHANGED = "nothing changed";
  private static final String RUNS = "1 % in 100 runs";
  private static final String RANDOM = "1 % at random";

  private final Figures figures = new Figures();
  private final Cluster cluster;
  private final Service service;

  private IncrementBenchmark(Cluster cluster, Service service) {
    this.cluster = cluster;
    this.service = service;
  }

  static void run(Path work) throws Exception {
    try (Cluster cluster = Cluster.startWithSummaries(work.resolve("cluster"));
        Service service = Service.start()) {
      cluster.fill(SCALE);
      var benchmark = new IncrementBenchmark(cluster, service);
      // The first one is for the service to become what it is after a while.
      for (int round = 0; round <= ROUNDS; round++) {
        Path directory = Files.createDirectory(work.resolve("round-" + round));
        benchmark.round(directory, round, round == 0 ? new Figures() : benchmark.figures);
        Trees.delete(directory);
      }
      benchmark.print();
    }
  }

  private void round(Path work, int round, Figures to) throws Exception {
    Stella stella = Stella.inService(work, service);
    capture(stella, "backup-cluster", "full", to);
    capture(stella, "backup-cluster-increment", UNCHANGED, to);
    cluster.changeInRuns(2 * round + 1);
    capture(stella, "backup-cluster-increment", RUNS, to);
    cluster.changeAtRandom(2 * round + 2);
    capture(stella, "backup-cluster-increment", RANDOM, to);
    combine(stella, work.resolve("out"), to);
  }

  private void capture(Stella stella, String order, String name, Figures to) throws Exception {
    long before = Files.exists(stella.repository()) ? Trees.size(stella.repository()) : 0;
    settle();
    to.add(name, run(stella, order, cluster.jdbcUrl()));
    to.add(name + " MB stored", (Trees.size(stella.repository()) - before) / 1e6);
  }

  private void combine(Stella stella, Path out, Figures to) throws Exception {
    settle();
    to.add("combining", run(stella, "restore-cluster", out.toString()));
    long bytes = Trees.size(out);
    Trees.delete(out);
    settle();
    Path zeros = out.resolveSibling("zeros");
    to.add("dd", Command.run(Map.of(), dd(zeros, bytes)));
    Files.delete(zeros);
    to.add("MB combined", bytes / 1e6);
  }

  private static List<String> dd(Path to, long bytes) {
    return List.of(
        "dd", "if=/dev/zero", "of=" + to, "bs=1M", "count=" + (bytes >> 20), "conv=fsync");
  }

  private static Command.Took run(Stella stella, String order, String what) throws Exception {
    return stella
        .runner()
        .run(List.of(order, what, stella.repository().toString(), stella.keys().toString()));
  }

  private void settle() throws Exception {
    cluster.checkpoint();
    Command.run(Map.of(), List.of("sync"));
  }

  private void print() {
    System.out.printf("%nincrements of PostgreSQL 17, %d rounds%n", ROUNDS);
    figures.print();
    for (String change : List.of(RUNS, RANDOM)) {
      double added =
          figures.median(change + " MB stored") - figures.median(UNCHANGED + " MB stored");
      System.out.printf(
          "  new MB after %s, WAL apart = %.2f, %.1f %% of the full%n",
          change, added, 100 * added / figures.median("full MB stored"));
    }
    System.out.printf(
        "  speed of combining / of dd = %.2f%n",
        figures.median("dd wall s") / figures.median("combining wall s"));
  }
}
