package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SourceKind;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;
import org.stellaops.backup.spi.RestoreTarget;
import org.stellaops.backup.spi.TargetDescription;

/** A target that reads everything, keeps nothing, and writes down what is asked of it. */
final class ScriptedTarget implements RestoreTarget {
  private final String name;
  private final List<String> events;
  private TargetState state = state(Occupancy.EMPTY, "nothing");
  private boolean isBroken;
  private Optional<Path> place = Optional.empty();
  private long placeBytes;

  /**
   * Events are told as {@code stage NAME}, {@code publish NAME}, {@code roll back NAME} and {@code
   * settle NAME}.
   */
  ScriptedTarget(String name, List<String> events) {
    this.name = name;
    this.events = events;
  }

  /** What stands there from now on. */
  void now(Occupancy occupancy, String what) {
    state = state(occupancy, what);
  }

  private static TargetState state(Occupancy occupancy, String what) {
    return new TargetState(
        occupancy, Digest.ofContent(what.getBytes(StandardCharsets.UTF_8)), what);
  }

  /** Publishing will fail. */
  ScriptedTarget broken() {
    isBroken = true;
    return this;
  }

  /** It says that it needs so much room there. */
  ScriptedTarget needing(Path where, long bytes) {
    place = Optional.of(where);
    placeBytes = bytes;
    return this;
  }

  @Override
  public TargetDescription describe() {
    return new TargetDescription("script:" + name, Map.of());
  }

  @Override
  public boolean accepts(SourceKind kind) {
    return kind.value().equals("bytes/1");
  }

  @Override
  public void plan(RestorePlanning planning) {
    planning.state(state);
    planning.undo(RestorePlanning.Undo.REMOVE);
    planning.step("read", planning.requested().header().plainBytes());
    place.ifPresent(where -> planning.needsSpace(where, placeBytes));
  }

  @Override
  public void stage(RestoreSession session) throws IOException {
    events.add("stage " + name);
    for (CapturedSource source : session.chain()) {
      for (CapturedArtifact artifact : source.artifacts()) {
        try (InputStream in = session.open(source, artifact.name())) {
          in.skipNBytes(artifact.plainBytes());
        }
      }
    }
  }

  @Override
  public void publish(RestoreSession session) throws IOException {
    events.add("publish " + name);
    if (isBroken) {
      throw new IOException(name + " does not start");
    }
  }

  @Override
  public void rollBack(RestoreSession session) {
    events.add("roll back " + name);
  }

  @Override
  public void settle(RestoreSession session) {
    events.add("settle " + name);
  }
}
