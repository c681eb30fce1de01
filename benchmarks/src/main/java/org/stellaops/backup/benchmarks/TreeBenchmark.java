package org.stellaops.backup.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A mixed tree of about 1.5 GB beside restic and borg: first run, second run after a change,
 * restore. In each round somebody else begins, and the disk is idle before each step.
 */
final class TreeBenchmark {
  private static final int ROUNDS = Integer.getInteger("benchmark.rounds", 5);

  private final Figures figures = new Figures();
  private final Service service;

  private TreeBenchmark(Service service) {
    this.service = service;
  }

  static void run(Path work) throws Exception {
    Files.createDirectories(work);
    try (Service service = Service.start()) {
      var benchmark = new TreeBenchmark(service);
      benchmark.warmUp(Files.createDirectories(work.resolve("warm-up")));
      for (int round = 0; round < ROUNDS; round++) {
        Path directory = Files.createDirectory(work.resolve("round-" + round));
        benchmark.round(directory, round);
        Trees.delete(directory);
      }
      benchmark.print();
    }
  }

  /** A service has been running when it backs itself up. */
  private void warmUp(Path work) throws Exception {
    Path tree = work.resolve("tree");
    Trees.make(tree, 1);
    var stella = Stella.inService(work, service);
    for (int i = 0; i < 2; i++) {
      stella.backUp(tree);
      stella.restoreTo(Files.createDirectory(work.resolve("out-" + i)));
    }
    Trees.delete(work);
  }

  private void round(Path work, int round) throws Exception {
    Path tree = work.resolve("tree");
    Trees.make(tree, 42 + round);
    List<Peer> peers =
        new ArrayList<>(
            List.of(
                Stella.fresh(work.resolve("fresh")),
                Stella.inService(work.resolve("service"), service),
                Restic.init(work.resolve("restic")),
                Borg.init(work.resolve("borg"))));
    Collections.rotate(peers, round);
    Map<Peer, Long> stored = new LinkedHashMap<>();
    for (Peer peer : peers) {
      settle();
      figures.add(peer.name() + ": backup", peer.backUp(tree));
      stored.put(peer, Trees.size(peer.repository()));
      figures.add(peer.name() + ": MB stored", Trees.size(peer.repository()) / 1e6);
    }
    Trees.change(tree, 7 + round);
    for (Peer peer : peers) {
      settle();
      figures.add(peer.name() + ": second run", peer.backUp(tree));
      long before = stored.getOrDefault(peer, 0L);
      figures.add(
          peer.name() + ": MB new in second run", (Trees.size(peer.repository()) - before) / 1e6);
    }
    restoreAll(peers, tree, Files.createDirectory(work.resolve("out")));
  }

  private void restoreAll(List<Peer> peers, Path tree, Path out) throws Exception {
    for (Peer peer : peers) {
      Path to = Files.createDirectory(out.resolve(peer.name().replaceAll("\\W+", "-")));
      settle();
      figures.add(peer.name() + ": restore", peer.restoreTo(to));
      Command.run(
          Map.of(),
          List.of("diff", "-r", "-q", tree.toString(), peer.restored(to, tree).toString()));
    }
  }

  /** What an earlier step left in the page cache is not this step's to write. */
  private static void settle() throws Exception {
    Command.run(Map.of(), List.of("sync"));
  }

  private void print() {
    System.out.printf("%nmixed tree beside restic and borg, %d interleaved rounds%n", ROUNDS);
    figures.print();
    for (String ours : List.of("stella, in a service", "stella, fresh JVM")) {
      for (String peer : List.of("restic", "borg")) {
        for (String figure :
            List.of(
                "backup wall s",
                "backup cpu s",
                "MB stored",
                "second run wall s",
                "second run cpu s",
                "MB new in second run",
                "restore wall s",
                "restore cpu s")) {
          figures.ratio(ours + ": " + figure, peer + ": " + figure);
        }
      }
    }
  }
}
