package org.stellaops.backup.model;

import java.nio.charset.StandardCharsets;

/**
 * One of several parts of all objects. Which part an object belongs to depends on its name, the
 * number of parts and the seed alone: so the parts are the same whoever asks and whatever was added
 * since, each object is in exactly one of them, and a job that takes the next one every night has
 * read everything after as many nights as there are parts.
 *
 * @param part which, from 1 to {@code parts}
 * @param parts how many there are, at least 1
 * @param seed divides otherwise; the same for all parts of one round
 */
public record Sample(int part, int parts, long seed) {
  public Sample {
    if (parts < 1 || part < 1 || part > parts) {
      throw new IllegalArgumentException(
          "part must be 1 to %d, and there must be one, found %d".formatted(parts, part));
    }
  }

  /** The part of this number. */
  public static Sample of(int part, int parts, long seed) {
    return new Sample(part, parts, seed);
  }

  /** Whether an object is in this part. */
  public boolean holds(ObjectName object) {
    String text = seed + " " + object.value();
    String digest = Digest.ofContent(text.getBytes(StandardCharsets.UTF_8)).hex();
    long uniform = Long.parseUnsignedLong(digest, 0, 16, 16);
    return Long.remainderUnsigned(uniform, parts) == part - 1;
  }

  @Override
  public String toString() {
    return "part %d of %d, seed %d".formatted(part, parts, seed);
  }
}
