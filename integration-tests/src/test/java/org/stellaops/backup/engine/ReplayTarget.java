package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.Coverage;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/** Reads what was recorded, compares every byte of it, and remembers what it was told. */
final class ReplayTarget implements RestoreTarget {
  /** What planning does besides. */
  @FunctionalInterface
  interface Planned {
    void plan(RestorePlanning planning) throws IOException;
  }

  private final Planned planned;
  private final boolean isReading;
  final Map<String, byte[]> companions = new LinkedHashMap<>();
  Optional<Coverage> coverage = Optional.empty();
  Optional<Coverage> restored = Optional.empty();
  Optional<RecoveryPoint> point = Optional.empty();

  ReplayTarget() {
    this(planning -> {});
  }

  ReplayTarget(Planned planned) {
    this(planned, true);
  }

  /**
   * @param isReading whether everything that was recorded is read
   */
  ReplayTarget(Planned planned, boolean isReading) {
    this.planned = planned;
    this.isReading = isReading;
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription("replay", Map.of());
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return true;
  }

  @Override
  public void plan(RestorePlanning planning) throws IOException {
    planning.undo(RestorePlanning.Undo.REMOVE);
    point = planning.point();
    Optional<RecordedStream> recorded = planning.recorded();
    coverage = recorded.map(RecordedStream::coverage);
    companions.clear();
    if (isReading && recorded.isPresent()) {
      compare(recorded.get());
    }
    planned.plan(planning);
  }

  private void compare(RecordedStream recorded) throws IOException {
    for (SliceSpan slice : recorded.coverage().slices()) {
      try (InputStream in = recorded.open(slice)) {
        ToyLog.assertIs(slice, in);
      }
    }
    for (String name : recorded.companions()) {
      try (InputStream in = recorded.openCompanion(name)) {
        companions.put(name, in.readAllBytes());
      }
    }
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    restored = session.recorded().map(RecordedStream::coverage);
    if (session.recorded().isPresent()) {
      compare(session.recorded().get());
    }
  }

  @Override
  public void publish(RestoreSession session) {}

  @Override
  public void rollBack(RestoreSession session) {}
}
