package org.stellaops.backup.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedArtifact;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.spi.RestorePlanning;

/** Notes what a target says, once each. */
final class StrictRestorePlanning implements RestorePlanning {
  private final Captured captured;
  private final OpenStreams streams = new OpenStreams();
  private final List<RestorePlanned.Step> steps = new ArrayList<>();
  private final List<String> overwrites = new ArrayList<>();
  private final Map<Path, Long> space = new LinkedHashMap<>();
  private final Map<String, String> advice = new LinkedHashMap<>();
  private final List<Finding> blockers = new ArrayList<>();
  private @Nullable TargetState state;
  private @Nullable Undo undo;
  private boolean isOver;

  StrictRestorePlanning(Captured captured) {
    this.captured = captured;
  }

  /** What was said; nothing may be said afterwards. */
  RestorePlanned end() {
    isOver = true;
    if (!streams.names().isEmpty()) {
      throw new AssertionError("the target opened and did not close " + streams.names());
    }
    if (state == null) {
      throw new AssertionError("the target did not say what stands there");
    }
    Undo how = undo == null ? Undo.IMPOSSIBLE : undo;
    return new RestorePlanned(state, how, steps, overwrites, space, advice, blockers);
  }

  @Override
  public CapturedSource requested() {
    requirePlanning();
    return captured.source();
  }

  @Override
  public List<CapturedSource> chain() {
    requirePlanning();
    return captured.chain().stream().map(Captured::source).toList();
  }

  @Override
  public Optional<InputStream> open(ArtifactName artifact) throws IOException {
    requirePlanning();
    Optional<CapturedArtifact> expected = captured.source().artifact(artifact);
    require(expected.isPresent(), "there is no artifact " + artifact);
    var verified =
        new VerifiedInputStream(captured.open(artifact), expected.orElseThrow(), () -> {});
    return Optional.of(streams.track(artifact.value(), verified));
  }

  @Override
  public void state(TargetState found) {
    requirePlanning();
    require(state == null, "the state is given twice");
    state = found;
  }

  @Override
  public void undo(Undo how) {
    requirePlanning();
    require(undo == null, "undo is given twice");
    undo = how;
  }

  @Override
  public void step(String what, long bytes) {
    requirePlanning();
    require(bytes >= 0, "a step of a negative number of bytes: " + what);
    steps.add(new RestorePlanned.Step(what, bytes));
  }

  @Override
  public void overwrites(String what) {
    requirePlanning();
    overwrites.add(what);
  }

  @Override
  public void needsSpace(Path where, long bytes) {
    requirePlanning();
    require(bytes >= 0, "a negative number of bytes is needed beside " + where);
    space.merge(where, bytes, Math::addExact);
  }

  @Override
  public void advice(String key, String value) {
    requirePlanning();
    advice.put(key, value);
  }

  @Override
  public void blocker(Finding finding) {
    requirePlanning();
    blockers.add(finding);
  }

  private void requirePlanning() {
    require(!isOver, "used after plan returned");
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }
}
