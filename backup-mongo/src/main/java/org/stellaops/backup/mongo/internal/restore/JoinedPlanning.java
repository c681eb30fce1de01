package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.TargetState;
import org.stellaops.backup.model.TargetState.Occupancy;
import org.stellaops.backup.spi.RecordedStream;
import org.stellaops.backup.spi.RestorePlanning;

/** The plans of several databases as one: it can be taken back as far as the worst of them. */
public final class JoinedPlanning implements RestorePlanning {
  private static final Comparator<Occupancy> BY_WEIGHT =
      Comparator.comparingInt(
          o ->
              List.of(Occupancy.EMPTY, Occupancy.OCCUPIED, Occupancy.UNFINISHED_RESTORE)
                  .indexOf(o));

  private final RestorePlanning whole;
  private final List<TargetState> states = new ArrayList<>();
  private final List<Undo> undos = new ArrayList<>();

  /** Tells everything but what has to be joined at once. */
  public JoinedPlanning(RestorePlanning whole) {
    this.whole = whole;
  }

  /** Tells what every part has told. */
  public void end() {
    String text = states.stream().map(s -> s.fingerprint().hex()).collect(Collectors.joining("\n"));
    whole.state(
        new TargetState(
            states.stream().map(TargetState::occupancy).max(BY_WEIGHT).orElse(Occupancy.EMPTY),
            Digest.ofContent(text.getBytes(StandardCharsets.UTF_8)),
            states.stream().map(TargetState::description).collect(Collectors.joining("; "))));
    whole.undo(undo());
  }

  private Undo undo() {
    if (undos.isEmpty() || undos.contains(Undo.IMPOSSIBLE)) {
      return Undo.IMPOSSIBLE;
    }
    return undos.contains(Undo.SWAP_BACK) ? Undo.SWAP_BACK : Undo.REMOVE;
  }

  @Override
  public CapturedSource requested() {
    return whole.requested();
  }

  @Override
  public List<CapturedSource> chain() {
    return whole.chain();
  }

  @Override
  public Optional<InputStream> open(ArtifactName artifact) throws IOException {
    return whole.open(artifact);
  }

  @Override
  public Optional<RecoveryPoint> point() {
    return whole.point();
  }

  @Override
  public Optional<RecordedStream> recorded() throws IOException {
    return whole.recorded();
  }

  @Override
  public void state(TargetState state) {
    states.add(state);
  }

  @Override
  public void undo(Undo how) {
    undos.add(how);
  }

  @Override
  public void step(String what, long bytes) {
    whole.step(what, bytes);
  }

  @Override
  public void overwrites(String what) {
    whole.overwrites(what);
  }

  @Override
  public void needsSpace(Path where, long bytes) {
    whole.needsSpace(where, bytes);
  }

  @Override
  public void advice(String key, String value) {
    whole.advice(key, value);
  }

  @Override
  public void blocker(Finding finding) {
    whole.blocker(finding);
  }
}
