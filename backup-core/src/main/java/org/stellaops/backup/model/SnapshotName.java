package org.stellaops.backup.model;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/**
 * Human name of a snapshot, {@code pre-upgrade-20261120}: {@code [A-Za-z0-9._-]{1,120}}, unique
 * among the snapshots of a writer.
 */
public record SnapshotName(String value) {
  private static final DateTimeFormatter UTC =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  public SnapshotName {
    Label.require("snapshot name", value);
  }

  /** The name written as {@code value}. */
  public static SnapshotName of(String value) {
    return new SnapshotName(value);
  }

  /**
   * The name that is given where none was asked for: the plan's and the time, in UTC whatever the
   * machine's zone.
   */
  public static SnapshotName at(String planName, Instant time) {
    String head = planName.length() > 100 ? planName.substring(0, 100) : planName;
    return new SnapshotName(head + "-" + UTC.format(time));
  }

  @Override
  public String toString() {
    return value;
  }
}
