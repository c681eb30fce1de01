package org.stellaops.backup.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Measures the library beside the tools that people compare it with, in one run. */
public final class Benchmarks {
  private Benchmarks() {}

  /** Runs {@code trees}, {@code blocks}, {@code age}: those named, else all. */
  public static void main(String[] args) throws Exception {
    List<String> wanted = args.length == 0 ? List.of("trees", "blocks", "age") : List.of(args);
    Path work = Files.createTempDirectory("stella-benchmarks-");
    try {
      for (String name : wanted) {
        switch (name) {
          case "trees" -> TreeBenchmark.run(work.resolve("trees"));
          case "blocks" -> BlockSizeBenchmark.run(work.resolve("blocks"));
          case "age" -> AgeBenchmark.run(work.resolve("age"));
          default -> throw new IllegalArgumentException("trees, blocks or age, not " + name);
        }
      }
    } finally {
      Trees.delete(work);
    }
  }
}
