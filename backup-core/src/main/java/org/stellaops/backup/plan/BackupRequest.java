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
  private final Duration patience;
  private final boolean isBesideOthers;

  private BackupRequest(
      CaptureKind kind,
      List<String> only,
      @Nullable SnapshotName name,
      @Nullable Duration within,
      Duration patience,
      boolean isBesideOthers) {
    this.kind = kind;
    this.only = List.copyOf(only);
    this.name = name;
    this.within = within;
    this.patience = patience;
    this.isBesideOthers = isBesideOthers;
  }

  private static BackupRequest of(CaptureKind kind) {
    return new BackupRequest(kind, List.of(), null, null, Duration.ZERO, false);
  }

  /** Every source of the plan, each standing alone. */
  public static BackupRequest full() {
    return of(CaptureKind.FULL);
  }

  /** Every source of the plan, building on its newest good capture where it can. */
  public static BackupRequest incremental() {
    return of(CaptureKind.INCREMENTAL);
  }

  /**
   * Under this name instead of one with the time in it.
   *
   * @throws IllegalArgumentException if that cannot be a name
   */
  public BackupRequest named(String snapshotName) {
    return new BackupRequest(
        kind, only, SnapshotName.of(snapshotName), within, patience, isBesideOthers);
  }

  /** Only these: a source's name, a component, or {@code component/source}. */
  public BackupRequest only(String... sourcesOrComponents) {
    return new BackupRequest(
        kind, List.of(sourcesOrComponents), name, within, patience, isBesideOthers);
  }

  /** Stops when this much time has passed. */
  public BackupRequest within(Duration time) {
    if (time.isNegative() || time.isZero()) {
      throw new IllegalArgumentException("a deadline in " + time);
    }
    return new BackupRequest(kind, only, name, time, patience, isBesideOthers);
  }

  /**
   * Waits that long for another run of the plan to end, or to be found dead, where it would be
   * refused.
   */
  public BackupRequest orWait(Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("a wait of " + time);
    }
    return new BackupRequest(kind, only, name, within, time, false);
  }

  /**
   * Runs whether or not another run of the plan is under way. Both are right, and each may store
   * what the other one stores, too.
   */
  public BackupRequest besideOthers() {
    return new BackupRequest(kind, only, name, within, Duration.ZERO, true);
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

  /** How long to wait for another run; zero: not at all. */
  public Duration patience() {
    return patience;
  }

  /** Whether it does not matter that another run is under way. */
  public boolean isBesideOthers() {
    return isBesideOthers;
  }
}
