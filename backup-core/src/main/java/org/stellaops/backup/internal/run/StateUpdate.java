package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.internal.pipeline.Cuts;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Manifest;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.Outcome;
import org.stellaops.backup.spi.ObjectBody;
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

  private final Attempt attempt;
  private final WriterState before;
  private final List<Recipient> to;
  private final boolean isMerge;
  private final List<StateRef> mine = new ArrayList<>();

  /**
   * @param before as it was loaded when the backup began; its index goes on to grow
   */
  StateUpdate(Attempt attempt, WriterState before, Epoch epoch) {
    this.attempt = attempt;
    this.before = before;
    this.to = epoch.with(attempt.keys().stateRecipient());
    this.isMerge = before.indexParts().size() >= MAX_INDEX_PARTS;
  }

  /** Seals and stores it. */
  void store(IndexedShelf shelf, List<SourceCapture> captures) throws IOException {
    if (isMerge || !shelf.isEmpty()) {
      int firstPack = isMerge ? 0 : shelf.first();
      mine.add(new StateRef.Index(seal(out -> before.index().write(firstPack, out))));
    }
    for (SourceCapture capture : captures) {
      if (capture.outcome() == Outcome.GOOD) {
        remember(capture);
      }
    }
  }

  private void remember(SourceCapture capture) throws IOException {
    byte[] json = Manifest.remembered(capture.result());
    mine.add(new StateRef.Capture(capture.source(), seal(out -> out.write(json))));
    for (Map.Entry<ArtifactName, ObjectBody> copy : capture.remembered().entrySet()) {
      ObjectRef object = attempt.store().putState(attempt.writer(), copy.getValue());
      mine.add(new StateRef.Artifact(capture.source(), copy.getKey(), object));
    }
    for (Map.Entry<ArtifactName, Cuts> cuts : capture.cuts().entrySet()) {
      if (cuts.getValue().size() >= FEWEST_CUTS) {
        ObjectRef object = seal(cuts.getValue()::writeTo);
        mine.add(new StateRef.Cut(capture.source(), cuts.getKey(), object));
      }
    }
  }

  @FunctionalInterface
  private interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  private ObjectRef seal(Content content) throws IOException {
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
    Set<StateRef> merged = isMerge ? Set.copyOf(before.indexParts()) : Set.of();
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
