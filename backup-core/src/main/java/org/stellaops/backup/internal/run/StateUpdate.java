package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.internal.pipeline.Cuts;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Manifest;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.spi.Recipient;

/**
 * What one backup adds to its writer's state: the chunks that it stored, and each source's capture,
 * if that was good.
 */
final class StateUpdate {
  /** Index parts that are kept apart before they are written as one. */
  private static final int MAX_INDEX_PARTS = 8;

  /** Below that an object of its own is more trouble than searching again. */
  private static final int FEWEST_CUTS = 8;

  /** Artifacts of a source whose cuts are kept: those with the most. Others are searched again. */
  private static final int MOST_ARTIFACTS_WITH_CUTS = 16;

  private final Attempt attempt;
  private final WriterState before;
  private final Epoch epoch;
  private final List<StateRef> leftBehind;
  private final List<StateRef> merged;
  private final List<StateRef> mine = new ArrayList<>();

  /**
   * @param before as it was loaded when the backup began; its index goes on to grow
   * @param leftBehind what of it no snapshot names yet
   */
  StateUpdate(Attempt attempt, WriterState before, Epoch epoch, List<StateRef> leftBehind) {
    this.attempt = attempt;
    this.before = before;
    this.epoch = epoch;
    this.leftBehind = leftBehind;
    this.merged = aged(before.indexParts());
  }

  /**
   * The parts that are written as one: from the smallest on, as long as the next is not much larger
   * than all before it. So a large part is seldom written again, and there are never many.
   */
  private static List<StateRef> aged(List<StateRef> parts) {
    if (parts.size() < MAX_INDEX_PARTS) {
      return List.of();
    }
    List<StateRef> bySize = new ArrayList<>(parts);
    bySize.sort(Comparator.comparingLong(p -> p.object().lengthBytes()));
    long bytes = 0;
    int count = 0;
    while (count < bySize.size()
        && (count < parts.size() / 2 || bySize.get(count).object().lengthBytes() <= 2 * bytes)) {
      bytes += bySize.get(count++).object().lengthBytes();
    }
    return List.copyOf(bySize.subList(0, count));
  }

  /** Seals and stores it. */
  void store(IndexedShelf shelf, List<? extends Captured> captures) throws IOException {
    leftBehind.stream()
        .filter(ref -> !before.isLost(ref) && !merged.contains(ref))
        .forEach(mine::add);
    if (!merged.isEmpty() || !shelf.isEmpty()) {
      mine.add(new StateRef.Index(seal(out -> before.merge(merged, shelf.first(), out))));
    }
    for (Captured capture : captures) {
      if (capture.outcome() == Outcome.GOOD) {
        remember(capture);
      }
    }
  }

  private void remember(Captured capture) throws IOException {
    byte[] json = Manifest.remembered(capture.result());
    mine.add(new StateRef.Capture(capture.source(), seal(out -> out.write(json))));
    mine.addAll(remembered(attempt, epoch, before.index(), capture));
  }

  /** Stores what its source wants to read again, where it was cut, and where it can be found. */
  static List<StateRef> remembered(Attempt attempt, Epoch epoch, ChunkIndex index, Captured capture)
      throws IOException {
    List<StateRef> state = new ArrayList<>();
    for (Map.Entry<ArtifactName, ObjectRef> copy : capture.remembered().entrySet()) {
      state.add(new StateRef.Artifact(capture.source(), copy.getKey(), copy.getValue()));
    }
    for (Map.Entry<ArtifactName, Cuts> cuts : worthKeeping(capture.cuts())) {
      ObjectRef object = sealed(attempt, epoch, cuts.getValue()::writeTo);
      state.add(new StateRef.Cut(capture.source(), cuts.getKey(), object));
    }
    if (!capture.reusable().isEmpty()) {
      ObjectRef object = sealed(attempt, epoch, out -> writeRuns(capture, index, out));
      state.add(new StateRef.Runs(capture.source(), object));
    }
    return state;
  }

  private static List<Map.Entry<ArtifactName, Cuts>> worthKeeping(Map<ArtifactName, Cuts> all) {
    return all.entrySet().stream()
        .filter(cuts -> cuts.getValue().size() >= FEWEST_CUTS)
        .sorted(Comparator.comparingInt(cuts -> -cuts.getValue().size()))
        .limit(MOST_ARTIFACTS_WITH_CUTS)
        .toList();
  }

  private static void writeRuns(Captured capture, ChunkIndex index, OutputStream out)
      throws IOException {
    Manifest.Writer lines = new Manifest.Writer(out, index::pack);
    for (Map.Entry<ArtifactName, Runs> runs : capture.reusable().entrySet()) {
      lines.runs(capture.source(), runs.getKey(), runs.getValue());
    }
  }

  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private ObjectRef seal(Content content) throws IOException {
    return sealed(attempt, epoch, content);
  }

  /** Seals a part of the writer's state, and stores it. */
  static ObjectRef sealed(Attempt attempt, Epoch epoch, Content content) throws IOException {
    List<Recipient> to = epoch.with(attempt.keys().stateRecipient());
    try (SealedSpool spool = new SealedSpool(attempt.context().workspace(), to)) {
      content.writeTo(spool.plain());
      return attempt.store().putState(attempt.writer(), spool.finish());
    }
  }

  /**
   * The whole state, given what the writer's newest entry names now: that of another engine, which
   * may have committed meanwhile, stays, but for what this one knows better or could not read.
   */
  List<StateRef> joinedTo(List<StateRef> newest) {
    Set<StateRef> joined = new LinkedHashSet<>();
    for (StateRef ref : newest) {
      if (!merged.contains(ref) && !before.isLost(ref) && !isSuperseded(ref)) {
        joined.add(ref);
      }
    }
    joined.addAll(mine);
    return List.copyOf(joined);
  }

  private boolean isSuperseded(StateRef ref) {
    return mine.stream().anyMatch(m -> m instanceof StateRef.Capture c && ref.isOf(c.source()));
  }
}
