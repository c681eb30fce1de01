package org.stellaops.backup.benchmarks;

/** Measures the library beside other tools; a placeholder until there is something to measure. */
public final class Benchmarks {
  private Benchmarks() {}

  /** Runs all benchmarks, or those named. */
  public static void main(String[] args) {
    System.out.println("Benchmarks: nothing to measure yet.");
  }
}
