package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.stellaops.backup.internal.pipeline.Runs;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.Manifest;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.RunEntry;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.StateRef;
import org.stellaops.backup.model.ArtifactName;

/**
 * Says in the log what of a long run is durable, so that the next one need not send it again. It
 * says so rarely: a run of any length writes some dozens of such entries, and what an interrupted
 * one has to send again is at most an eighth of what it sent. From any thread.
 */
final class RunProgress {
  /** Fewer packs are sent again sooner than an entry of them is read. */
  private static final int FEWEST = 4;

  private static final int SHARE = 8;

  private final Attempt attempt;
  private final Epoch epoch;
  private final ChunkIndex index;
  private final BitSet stored = new BitSet();
  private final int first;
  private int told;

  /**
   * @param index names the packs of the run, and those before it
   */
  RunProgress(Attempt attempt, Epoch epoch, ChunkIndex index) {
    this.attempt = attempt;
    this.epoch = epoch;
    this.index = index;
    this.first = index.packCount();
    this.told = first;
  }

  /** A pack is durable. */
  synchronized void stored(int pack) throws IOException {
    stored.set(pack);
    int end = stored.nextClearBit(told);
    if (end - told >= Math.max(FEWEST, (told - first) / SHARE)) {
      tell(end, Optional.empty());
    }
  }

  /** Whether so much was stored that a source that is captured whole is worth an entry. */
  synchronized boolean isLong() {
    return !attempt.plan().runs().reuse().isZero() && index.packCount() - first >= FEWEST;
  }

  /** A source was captured whole, and everything of it is durable. */
  synchronized void captured(Captured source) throws IOException {
    tell(index.packCount(), Optional.of(source));
  }

  /** Part of what was stored is doomed: nothing of it is told any more. */
  synchronized void begin() {
    told = index.packCount();
  }

  private void tell(int end, Optional<Captured> source) throws IOException {
    int begin = told;
    List<StateRef> state = new ArrayList<>();
    if (end > begin) {
      state.add(
          new StateRef.Index(
              StateUpdate.sealed(attempt, epoch, out -> index.write(begin, end, out))));
    }
    Optional<RunEntry.WholeSource> whole = Optional.empty();
    if (source.isPresent()) {
      state.addAll(StateUpdate.remembered(attempt, epoch, index, source.get()));
      whole = Optional.of(whole(source.get()));
    }
    commit(state, whole, packs(begin, end));
    told = end;
  }

  private Iterable<ObjectRef> packs(int begin, int end) {
    return () -> IntStream.range(begin, end).mapToObj(index::pack).iterator();
  }

  private RunEntry.WholeSource whole(Captured source) throws IOException {
    Manifest.Header header =
        new Manifest.Header(
            attempt.snapshot(),
            attempt.plan().name(),
            attempt.plan().name(),
            attempt.writer(),
            attempt.began(),
            source.outcome(),
            "progress",
            List.of());
    ObjectRef object =
        StateUpdate.sealed(
            attempt,
            epoch,
            out -> {
              Manifest.Writer writer = new Manifest.Writer(out, index::pack);
              writer.header(header);
              writer.source(source.result());
              for (Map.Entry<ArtifactName, Runs> runs : source.runs().entrySet()) {
                writer.runs(source.source(), runs.getKey(), runs.getValue());
              }
            });
    return new RunEntry.WholeSource(source.source(), object);
  }

  private void commit(
      List<StateRef> state, Optional<RunEntry.WholeSource> whole, Iterable<ObjectRef> packs)
      throws IOException {
    List<ObjectRef> lists = new PackLists(attempt.store(), attempt.writer()).write(packs);
    attempt
        .repository()
        .commit(
            attempt.writer(),
            attempt.keys(),
            attempt.context().random(),
            now -> {
              RunLog.of(now, attempt.repository().isPinned()).requireOpen(attempt.run());
              return Optional.of(
                  RunEntry.progress(attempt.run(), epoch, state, lists, packs, whole));
            });
  }
}
