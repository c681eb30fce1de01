package org.stellaops.backup.files;

import org.stellaops.backup.internal.disk.FileState;

/**
 * Says where a capture of files is cut into sections: behind some 1024 files or 64 MiB, at names
 * whose hash falls low. So an inserted or removed file moves the ends of its own section only, and
 * the next section begins where it began the last time.
 *
 * <p>Sections behind the 1024th are twice as large, and again behind as many more, so that a tree
 * of a thousand million files has no more than some ten thousands of them. What weighs as much as a
 * section is one of its own.
 */
final class SectionCut {
  /** Weight of a section, about; a file weighs 1, and 1 more for each {@link #UNIT_BYTES}. */
  static final int TARGET = 1024;

  private static final long UNIT_BYTES = 64 << 10;
  private static final int SECTIONS_A_LEVEL = 1024;

  /** What a section's members look like is held at once: then some 40 MB. */
  private static final int MAX_LEVEL = 6;

  /** Sections have a quarter to twice the weight they aim at. */
  private static final int MOST_TIMES = 2;

  private final int target;
  private long weight;
  private boolean isAlone;
  private int sections;

  SectionCut(int target) {
    this.target = target;
  }

  /** Whether a section ends before this member. To be asked for every member, in order. */
  boolean isBefore(String name, FileState state) {
    long more = 1 + state.sizeBytes() / UNIT_BYTES;
    boolean ends = weight > 0 && (isAlone || more >= aim() || weight + more > MOST_TIMES * aim());
    if (!ends && weight * 4 >= aim()) {
      ends = isLow(name, more);
    }
    if (ends) {
      sections++;
      weight = 0;
    }
    weight += more;
    isAlone = more >= aim();
    return ends;
  }

  private long aim() {
    return (long) target << Math.min(MAX_LEVEL, sections / SECTIONS_A_LEVEL);
  }

  /**
   * As often as the member's part of a section's weight. Low for a large section is low for a small
   * one, too, so sections of different sizes still end at the same places.
   */
  private boolean isLow(String name, long more) {
    return Long.compareUnsigned(hash(name), Long.divideUnsigned(-1L, aim()) * more) <= 0;
  }

  /** The text's own hash, stirred as MurmurHash3 does at its end. */
  private static long hash(String name) {
    long h = 0;
    for (int i = 0; i < name.length(); i++) {
      h = h * 0x100000001b3L + name.charAt(i);
    }
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return h ^ (h >>> 33);
  }
}
