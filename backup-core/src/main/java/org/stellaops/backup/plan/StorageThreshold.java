package org.stellaops.backup.plan;

/**
 * How full the store may become. A snapshot that would take it further is refused before anything
 * is stored; what streams record goes on, so that the last room is theirs.
 *
 * @param warnPercent from here on a preflight warns, 1 to 100
 * @param criticalPercent from here on snapshots are refused, not below {@code warnPercent}, at most
 *     100
 * @param reserveBytes that a snapshot leaves free
 */
public record StorageThreshold(int warnPercent, int criticalPercent, long reserveBytes) {
  /** Warns from so many percent on; refuses only what finds no room at all. */
  public static StorageThreshold warn(int percent) {
    return new StorageThreshold(percent, 100, 0);
  }

  /** The same that refuses snapshots from so many percent on. */
  public StorageThreshold critical(int percent) {
    return new StorageThreshold(warnPercent, percent, reserveBytes);
  }

  /** The same that leaves so many bytes to streams and to others. */
  public StorageThreshold reserve(long bytes) {
    return new StorageThreshold(warnPercent, criticalPercent, bytes);
  }
}
