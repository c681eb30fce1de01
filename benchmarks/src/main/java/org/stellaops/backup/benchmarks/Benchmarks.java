package org.stellaops.backup.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;

/** Measures the library beside the tools that people compare it with, in one run. */
public final class Benchmarks {
  private Benchmarks() {}

  /**
   * Runs those that the only argument names, separated by commas: {@code
   * trees,files,blocks,age,postgres,increments,lag,compression,mongo,s3}.
   */
  public static void main(String[] args) throws Exception {
    Path work = Files.createTempDirectory("stella-benchmarks-");
    try {
      for (String name : args[0].split(",", -1)) {
        switch (name) {
          case "trees" -> TreeBenchmark.run(work.resolve("trees"));
          case "files" -> FilesBenchmark.run(work.resolve("files"));
          case "blocks" -> BlockSizeBenchmark.run(work.resolve("blocks"));
          case "age" -> AgeBenchmark.run(Files.createDirectories(work.resolve("age")));
          case "postgres" -> ClusterBenchmark.run(work.resolve("postgres"));
          case "increments" -> IncrementBenchmark.run(work.resolve("increments"));
          case "lag" -> LagBenchmark.run(Files.createDirectories(work.resolve("lag")));
          case "compression" -> CompressionBenchmark.run(work.resolve("compression"));
          case "mongo" -> MongoBenchmark.run(work.resolve("mongo"));
          case "s3" -> BucketBenchmark.run(work.resolve("s3"));
          default ->
              throw new IllegalArgumentException(
                  "trees, files, blocks, age, postgres, increments, lag, compression, mongo or s3, not "
                      + name);
        }
      }
    } finally {
      Trees.delete(work);
    }
  }
}
