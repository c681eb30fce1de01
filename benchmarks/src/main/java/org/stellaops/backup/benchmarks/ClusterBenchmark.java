package org.stellaops.backup.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * A cluster of about 1.5 GB beside pgBackRest and pg_basebackup: full backup, restore, and what a
 * second full adds. CPU seconds are the tool's and the server's. In each round somebody else
 * begins.
 */
final class ClusterBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);
  private static final int SCALE = Integer.getInteger("benchmark.scale", 100);
  private static final int WARM_UPS = 2;
  private static final List<String> OURS = List.of("stella, in a service", "stella, fresh JVM");
  private static final List<String> PEERS = List.of("pgBackRest", "pg_basebackup");

  private static final String UNCHANGED = "nothing changed";
  private static final String RUNS = "1 % in 100 runs";
  private static final String RANDOM = "1 % at random";

  private final Figures figures = new Figures();
  private final Cluster cluster;
  private final Service service;

  private ClusterBenchmark(Cluster cluster, Service service) {
    this.cluster = cluster;
    this.service = service;
  }

  static void run(Path work) throws Exception {
    try (Cluster cluster = Cluster.start(work.resolve("cluster"));
        Service service = Service.start()) {
      cluster.fill(SCALE);
      var benchmark = new ClusterBenchmark(cluster, service);
      benchmark.warmUp(Files.createDirectory(work.resolve("warm-up")));
      for (int round = 0; round < ROUNDS; round++) {
        Path directory = Files.createDirectory(work.resolve("round-" + round));
        benchmark.round(directory, round);
        Trees.delete(directory);
      }
      benchmark.print(Trees.size(cluster.data().resolve("base")));
    }
  }

  /** A service has been running when it backs a database up. */
  private void warmUp(Path work) throws Exception {
    var stella = new StellaCluster(Stella.inService(work, service));
    for (int i = 0; i < WARM_UPS; i++) {
      stella.backUp(cluster);
      stella.restoreTo(Files.createDirectory(work.resolve("out-" + i)));
    }
    Trees.delete(work);
  }

  private void round(Path work, int round) throws Exception {
    var inService = new StellaCluster(Stella.inService(work.resolve("service"), service));
    List<ClusterPeer> peers =
        new ArrayList<>(
            List.of(
                new StellaCluster(Stella.fresh(work.resolve("fresh"))),
                inService,
                PgBackRest.init(work.resolve("pgbackrest"), cluster),
                new PgBaseBackup(work.resolve("pg_basebackup"))));
    Collections.rotate(peers, round);
    for (ClusterPeer peer : peers) {
      backUp(peer, "full");
    }
    for (ClusterPeer peer : peers) {
      restore(peer, Files.createDirectory(work.resolve("out")));
    }
    secondFulls(inService, round);
  }

  /** What the first of them adds is the WAL in it, and what every snapshot adds. */
  private void secondFulls(ClusterPeer ours, int round) throws Exception {
    backUp(ours, UNCHANGED);
    cluster.changeInRuns(2 * round + 1);
    backUp(ours, RUNS);
    cluster.changeAtRandom(2 * round + 2);
    backUp(ours, RANDOM);
  }

  private void backUp(ClusterPeer peer, String step) throws Exception {
    long before = Files.exists(peer.repository()) ? Trees.size(peer.repository()) : 0;
    peer.prepare(cluster);
    settle();
    double served = cluster.cpuSeconds();
    Command.Took took = peer.backUp(cluster);
    served = cluster.cpuSeconds() - served;
    String name = peer.name() + ": " + step;
    figures.add(name, new Command.Took(took.wallSeconds(), took.cpuSeconds() + served));
    figures.add(name + " cpu s of the server", served);
    figures.add(name + " MB stored", (Trees.size(peer.repository()) - before) / 1e6);
  }

  private void restore(ClusterPeer peer, Path to) throws Exception {
    settle();
    figures.add(peer.name() + ": restore", peer.restoreTo(to));
    requireSameTable(to);
    Trees.delete(to);
  }

  /** Nothing has changed the largest table since. */
  private void requireSameTable(Path restored) throws Exception {
    for (Path file : cluster.accounts()) {
      Path copy = restored.resolve(cluster.data().relativize(file));
      if (Files.mismatch(file, copy) >= 0) {
        throw new IOException(copy + " was not restored as it was");
      }
    }
  }

  /** What an earlier step left in memory is not this step's to write. */
  private void settle() throws Exception {
    cluster.checkpoint();
    Command.run(Map.of(), List.of("sync"));
  }

  private void print(long bytes) {
    System.out.printf(
        "%na cluster of %.0f MB beside pgBackRest and pg_basebackup, %d interleaved rounds%n",
        bytes / 1e6, ROUNDS);
    figures.print();
    for (String change : List.of(RUNS, RANDOM)) {
      System.out.printf("  new MB after %-31s, WAL apart = %.2f%n", change, added(change));
    }
    for (String ours : OURS) {
      for (String peer : PEERS) {
        for (String figure :
            List.of(
                "full wall s", "full cpu s", "full MB stored", "restore wall s", "restore cpu s")) {
          figures.ratio(ours + ": " + figure, peer + ": " + figure);
        }
      }
    }
  }

  private double added(String change) {
    return figures.median(OURS.get(0) + ": " + change + " MB stored")
        - figures.median(OURS.get(0) + ": " + UNCHANGED + " MB stored");
  }
}
