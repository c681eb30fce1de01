package org.stellaops.backup.model;

/** Whether a capture stands alone. */
public enum CaptureKind {
  /** Reads everything and needs nothing else to be restored. */
  FULL,
  /** May build on the writer's newest good capture of the same source. */
  INCREMENTAL
}
