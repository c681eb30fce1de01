package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;

/** The physical replication slots of a server (documentation, "Streaming Replication Protocol"). */
public final class ReplicationSlots {
  private final Wire wire;

  /** Over a session that nothing else is using meanwhile. */
  public ReplicationSlots(Wire wire) {
    this.wire = wire;
  }

  /** Makes a slot, which holds WAL from the redo point of the last checkpoint on. */
  public void create(SlotName slot) throws IOException {
    wire.query("CREATE_REPLICATION_SLOT " + slot + " PHYSICAL (RESERVE_WAL)");
  }

  /** What a slot holds. */
  public SlotState read(SlotName slot) throws IOException {
    return SlotState.of(wire.query("READ_REPLICATION_SLOT " + slot).single());
  }

  /** Drops a slot that nobody uses. */
  public void drop(SlotName slot) throws IOException {
    wire.query("DROP_REPLICATION_SLOT " + slot);
  }
}
