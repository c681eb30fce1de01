package org.stellaops.backup.model;

import java.time.Instant;

/**
 * A place in a stream that somebody gave a name: a restore point.
 *
 * @param name any text of 1 to 200 characters
 * @param at behind the event that set it
 * @param time when it was set, by the source's clock
 */
public record StreamMark(String name, Position at, Instant time) {
  private static final int MAX_CHARACTERS = 200;

  public StreamMark {
    if (name.isEmpty() || name.length() > MAX_CHARACTERS) {
      throw new IllegalArgumentException(
          "the name of a mark has %d characters, allowed are 1 to %d"
              .formatted(name.length(), MAX_CHARACTERS));
    }
  }
}
