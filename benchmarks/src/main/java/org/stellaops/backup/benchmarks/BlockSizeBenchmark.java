package org.stellaops.backup.benchmarks;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.Limits;

/**
 * What the block size of database files costs: new bytes after a change, size of the index,
 * seconds.
 */
final class BlockSizeBenchmark {
  private static final long BYTES = 512L << 20;
  private static final int PAGE = 8192;

  private BlockSizeBenchmark() {}

  static void run(Path work) throws Exception {
    Files.createDirectories(work);
    Path relation = work.resolve("relation");
    System.out.printf(
        "%nblock size of database files: a relation of %d MiB, pages of 8 KiB%n", BYTES >> 20);
    System.out.printf(
        "  %8s %12s %9s %16s %16s %12s%n",
        "block", "stored MB", "seconds", "new % (random)", "new % (100 runs)", "state kB");
    for (int block = 8 << 10; block <= 1 << 20; block *= 2) {
      Trees.pages(relation, new Random(1), BYTES);
      Path home = Files.createDirectory(work.resolve("b" + block));
      measure(home, relation, block);
      Trees.delete(home);
    }
  }

  private static void measure(Path home, Path relation, int block) throws Exception {
    try (AgeIdentity owner = AgeIdentity.generate();
        BackupEngine engine = engine(home, relation, owner, block)) {
      long start = System.nanoTime();
      BackupReport first = engine.backup(BackupRequest.full().named("first"));
      double seconds = (System.nanoTime() - start) / 1e9;
      long state = state(home);
      changeAtRandom(relation);
      BackupReport random = engine.backup(BackupRequest.full().named("random"));
      changeInRuns(relation);
      BackupReport runs = engine.backup(BackupRequest.full().named("runs"));
      System.out.printf(
          "  %5d Ki %12.1f %9.1f %16.2f %16.2f %12.0f%n",
          block >> 10,
          first.newBytes() / 1e6,
          seconds,
          100.0 * random.newBytes() / first.newBytes(),
          100.0 * runs.newBytes() / first.newBytes(),
          state / 1e3);
    }
  }

  private static BackupEngine engine(Path home, Path relation, AgeIdentity owner, int block)
      throws Exception {
    return BackupEngine.open(
        BackupPlan.named("blocks")
            .source("relation", new RelationSource(relation))
            .encryptTo(owner.recipient())
            .writer(WriterKeyFile.at(home.resolve("writer.key")))
            .limits(Limits.defaults().blocks(block))
            .sink(DirectorySink.at(home.resolve("repository")))
            .build());
  }

  private static long state(Path home) throws Exception {
    try (Stream<Path> walk = Files.walk(home.resolve("repository"))) {
      return walk.filter(p -> p.toString().contains("/state/"))
          .filter(Files::isRegularFile)
          .mapToLong(p -> p.toFile().length())
          .max()
          .orElse(0);
    }
  }

  private static void changeAtRandom(Path relation) throws Exception {
    Random random = new Random(2);
    for (int i = 0; i < BYTES / PAGE / 100; i++) {
      change(relation, (long) (random.nextDouble() * (BYTES / PAGE)), random);
    }
  }

  private static void changeInRuns(Path relation) throws Exception {
    Random random = new Random(3);
    int pages = (int) (BYTES / PAGE / 100 / 100);
    for (int run = 0; run < 100; run++) {
      long at = (long) (random.nextDouble() * (BYTES / PAGE - pages));
      for (int i = 0; i < pages; i++) {
        change(relation, at + i, random);
      }
    }
  }

  private static void change(Path relation, long page, Random random) throws Exception {
    byte[] content = new byte[PAGE];
    Trees.page(content, random);
    try (RandomAccessFile out = new RandomAccessFile(relation.toFile(), "rw")) {
      out.seek(page * PAGE);
      out.write(content);
    }
  }
}
