package org.stellaops.backup.postgres.internal.wal;

/** What all that names a timeline asks of its number: an unsigned 32 bit integer, from 1 on. */
final class Timelines {
  static final long MAX = 0xFFFF_FFFFL;

  private Timelines() {}

  static long require(long timeline) {
    if (timeline < 1 || timeline > MAX) {
      throw new IllegalArgumentException("not a timeline from 1 to 4294967295: " + timeline);
    }
    return timeline;
  }
}
