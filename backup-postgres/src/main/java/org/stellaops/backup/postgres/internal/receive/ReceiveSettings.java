package org.stellaops.backup.postgres.internal.receive;

import java.time.Duration;
import java.util.Optional;
import org.stellaops.backup.postgres.internal.wire.SlotName;

/**
 * How WAL is received.
 *
 * @param slot that holds WAL until it is recorded
 * @param standbyName under which the server can wait for the receiver; empty: it does not
 * @param flushWithin longest time from the arrival of a byte to its storage
 * @param mergeEvery longest time that small slices stay small
 * @param isUnboundedAllowed whether the slot may fill the server's disk
 */
public record ReceiveSettings(
    SlotName slot,
    Optional<String> standbyName,
    Duration flushWithin,
    Duration mergeEvery,
    boolean isUnboundedAllowed) {
  /** The same, with this slot limit of the server accepted or not. */
  public ReceiveSettings allowUnbounded() {
    return new ReceiveSettings(slot, standbyName, flushWithin, mergeEvery, true);
  }

  /** The same, as a synchronous standby of this name: everything is stored at once. */
  public ReceiveSettings as(String standby) {
    return new ReceiveSettings(
        slot, Optional.of(standby), Duration.ZERO, mergeEvery, isUnboundedAllowed);
  }

  /** The same with another longest time. */
  public ReceiveSettings flushWithin(Duration time) {
    return new ReceiveSettings(slot, standbyName, time, mergeEvery, isUnboundedAllowed);
  }

  /** The same with another longest time. */
  public ReceiveSettings mergeEvery(Duration time) {
    return new ReceiveSettings(slot, standbyName, flushWithin, time, isUnboundedAllowed);
  }
}
