package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How far the recorded WAL is behind a server on which eight clients of pgbench write. */
final class LagBenchmark {
  private static final int MINUTES = Integer.getInteger("benchmark.minutes", 5);
  private static final int SAMPLE_SECONDS = 2;
  private static final int SCALE = 20;
  private static final String SENT = "SELECT pg_current_wal_flush_lsn() - '0/0'";
  private static final String LAG =
      "SELECT coalesce(max(pg_current_wal_flush_lsn() - flush_lsn), -1) FROM pg_stat_replication";

  private LagBenchmark() {}

  static void run(Path work) throws Exception {
    try (Cluster cluster = Cluster.startWithSummaries(work.resolve("cluster"))) {
      cluster.fill(SCALE);
      Path repository = work.resolve("repository");
      Process recorder =
          new ProcessBuilder(
                  Command.java(
                      Tool.class,
                      List.of(
                          "record-wal",
                          cluster.jdbcUrl(),
                          repository.toString(),
                          work.resolve("keys").toString())))
              .inheritIO()
              .redirectInput(ProcessBuilder.Redirect.PIPE)
              .start();
      Process load = cluster.load();
      try {
        measure(cluster, recorder);
      } finally {
        load.destroy();
        load.waitFor();
        recorder.getOutputStream().close();
        recorder.waitFor();
      }
      System.out.printf("  MB stored = %.1f%n", Trees.size(repository) / 1e6);
    }
  }

  private static void measure(Cluster cluster, Process recorder) throws Exception {
    while (cluster.ask(LAG).equals("-1")) {
      if (!recorder.isAlive()) {
        throw new IOException("the recorder ended; its error stands above");
      }
      Thread.sleep(100);
    }
    double begin = Double.parseDouble(cluster.ask(SENT));
    System.out.printf("%nlag of recorded WAL under pgbench -c 8, MiB, minute by minute%n");
    for (int minute = 1; minute <= MINUTES; minute++) {
      List<Double> lags = new ArrayList<>();
      for (int i = 0; i < 60 / SAMPLE_SECONDS; i++) {
        Thread.sleep(SAMPLE_SECONDS * 1000L);
        lags.add(Double.parseDouble(cluster.ask(LAG)) / (1 << 20));
      }
      lags.sort(null);
      System.out.printf(
          "  minute %d: median %6.2f   max %6.2f   n %d%n",
          minute, lags.get(lags.size() / 2), lags.get(lags.size() - 1), lags.size());
    }
    System.out.printf(
        "  MB written = %.1f%n", (Double.parseDouble(cluster.ask(SENT)) - begin) / 1e6);
  }
}
