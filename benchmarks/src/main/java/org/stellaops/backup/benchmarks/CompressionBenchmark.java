package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * First full backups of a cluster over the loopback interface, with and without compression by the
 * server: CPU seconds on both sides, and what goes over the network. In each round somebody else
 * begins.
 */
final class CompressionBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);
  private static final int SCALE = Integer.getInteger("benchmark.scale", 100);
  private static final int WARM_UPS = 2;

  /** Orders of {@link Tool} by what the figures call them. */
  private static final Map<String, String> ORDERS =
      Map.of("off", "backup-cluster", "zstd", "backup-cluster-zstd");

  private final Figures figures = new Figures();
  private final Cluster cluster;
  private final Service service;

  private CompressionBenchmark(Cluster cluster, Service service) {
    this.cluster = cluster;
    this.service = service;
  }

  static void run(Path work) throws Exception {
    try (Cluster cluster = Cluster.start(work.resolve("cluster"));
        Service service = Service.start()) {
      cluster.fill(SCALE);
      var benchmark = new CompressionBenchmark(cluster, service);
      for (int i = 0; i < WARM_UPS; i++) {
        for (String how : ORDERS.keySet()) {
          benchmark.backUp(how, work.resolve("warm-up"));
        }
      }
      for (int round = 0; round < ROUNDS; round++) {
        benchmark.round(work.resolve("round"), round);
      }
      benchmark.print(work);
    }
  }

  private void round(Path work, int round) throws Exception {
    List<String> all = new ArrayList<>(List.of("off", "zstd"));
    Collections.rotate(all, round);
    for (String how : all) {
      double served = cluster.cpuSeconds();
      Command.Took took = backUp(how, work);
      figures.add(how, took);
      figures.add(how + " cpu s of the server", cluster.cpuSeconds() - served);
    }
  }

  /** Into a repository of its own, in which nothing is known. */
  private Command.Took backUp(String how, Path work) throws Exception {
    Stella stella = Stella.inService(work, service);
    cluster.checkpoint();
    Command.run(Map.of(), List.of("sync"));
    Command.Took took =
        stella
            .runner()
            .run(
                List.of(
                    ORDERS.getOrDefault(how, how),
                    cluster.jdbcUrl(),
                    stella.repository().toString(),
                    stella.keys().toString()));
    Trees.delete(work);
    return took;
  }

  /** As the server's own client writes it down, archive for archive. */
  private long sentBytes(Path to, String compress) throws IOException, InterruptedException {
    Command.run(
        Map.of(),
        List.of(
            Cluster.program("pg_basebackup"),
            "--host=127.0.0.1",
            "--port=" + cluster.port(),
            "--username=postgres",
            "--checkpoint=fast",
            "--wal-method=fetch",
            "--manifest-checksums=CRC32C",
            "--format=tar",
            "--compress=" + compress,
            "--pgdata=" + to));
    long bytes = Trees.size(to);
    Trees.delete(to);
    return bytes;
  }

  /** Where the network is the limit, one that brings all bytes within zstd's time is even. */
  private void print(Path work) throws Exception {
    long plain = sentBytes(Files.createDirectories(work.resolve("plain")), "none");
    long compressed = sentBytes(Files.createDirectories(work.resolve("zstd")), "server-zstd:1");
    System.out.println("== A full base backup over the loopback interface");
    figures.print();
    for (String what : List.of(" wall s", " cpu s", " cpu s of the server")) {
      figures.ratio("zstd" + what, "off" + what);
    }
    System.out.printf("  MB sent: off %.1f, zstd %.1f%n", plain / 1e6, compressed / 1e6);
    for (String limit : List.of(" wall s", " cpu s of the server")) {
      System.out.printf(
          "  even by zstd%s: %.0f Mbit/s%n",
          limit, plain * 8 / 1e6 / figures.median("zstd" + limit));
    }
  }
}
