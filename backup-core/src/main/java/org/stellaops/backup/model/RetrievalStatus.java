package org.stellaops.backup.model;

/**
 * How much of what a restore reads lies where it cannot be read at once.
 *
 * @param readable objects that can be read now
 * @param underWay objects that were asked for and will be readable
 * @param cold objects that nobody asked for
 * @param missingBytes stored bytes of what cannot be read now
 * @param isAllKnown false if lists are not readable: what they name comes on top
 */
public record RetrievalStatus(
    long readable, long underWay, long cold, long missingBytes, boolean isAllKnown) {
  /** Whether a restore can begin. */
  public boolean isReady() {
    return underWay == 0 && cold == 0 && isAllKnown;
  }
}
