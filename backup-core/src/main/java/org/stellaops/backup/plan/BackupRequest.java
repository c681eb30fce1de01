package org.stellaops.backup.plan;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.CaptureKind;
import org.stellaops.backup.model.SnapshotName;

/** What one run is asked for. Immutable. */
public final class BackupRequest {
  private final CaptureKind kind;
  private final List<String> only;
  private final @Nullable SnapshotName name;
  private final @Nullable Duration within;

  private BackupRequest(
      CaptureKind kind, List<String> only, @Nullable SnapshotName name, @Nullable Duration within) {
    this.kind = kind;
    this.only = List.copyOf(only);
    this.name = name;
    this.within = within;
  }

  /** Every source of the plan, each standing alone. */
  public static BackupRequest full() {
    return new BackupRequest(CaptureKind.FULL, List.of(), null, null);
  }

  /** Every source of the plan, building on its newest good capture where it can. */
  public static BackupRequest incremental() {
    return new BackupRequest(CaptureKind.INCREMENTAL, List.of(), null, null);
  }

  /**
   * Under this name instead of one with the time in it.
   *
   * @throws IllegalArgumentException if that cannot be a name
   */
  public BackupRequest named(String snapshotName) {
    return new BackupRequest(kind, only, SnapshotName.of(snapshotName), within);
  }

  /** Only these: a source's name, a component, or {@code component/source}. */
  public BackupRequest only(String... sourcesOrComponents) {
    return new BackupRequest(kind, List.of(sourcesOrComponents), name, within);
  }

  /** Stops when this much time has passed. */
  public BackupRequest within(Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("a deadline in " + time);
    }
    return new BackupRequest(kind, only, name, time);
  }

  /** Whether captures must stand alone. */
  public CaptureKind kind() {
    return kind;
  }

  /** What was asked for; empty means everything. */
  public List<String> only() {
    return new ArrayList<>(only);
  }

  /** The name that was asked for. */
  public Optional<SnapshotName> name() {
    return Optional.ofNullable(name);
  }

  /** The time that was allowed. */
  public Optional<Duration> deadline() {
    return Optional.ofNullable(within);
  }
}
