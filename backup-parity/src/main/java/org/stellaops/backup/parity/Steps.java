package org.stellaops.backup.parity;

/** Hears of each step that changes the medium, before it is taken: tests end the process there. */
@FunctionalInterface
interface Steps {
  /** About to do this. */
  void before(String step);
}
