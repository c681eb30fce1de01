package org.stellaops.backup.postgres.internal.wire;

import java.util.regex.Pattern;

/**
 * Name of a replication slot, which needs no quotes.
 *
 * @param value 1 to 63 lower case letters, digits and underscores (src/backend/replication/slot.c,
 *     ReplicationSlotValidateName)
 */
public record SlotName(String value) {
  private static final Pattern FORM = Pattern.compile("[a-z0-9_]{1,63}");

  /** Checks the form. */
  public SlotName {
    if (!FORM.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "not a slot name of 1 to 63 characters a-z, 0-9 and _: " + value);
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
