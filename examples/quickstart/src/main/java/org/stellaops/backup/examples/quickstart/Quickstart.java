package org.stellaops.backup.examples.quickstart;

/** Backs up, destroys, restores and compares; a placeholder until the engine is there. */
public final class Quickstart {
  private Quickstart() {}

  /** Runs the example. */
  public static void main(String[] args) {
    System.out.println("Quickstart: nothing to back up yet.");
  }
}
