package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.PackLists;
import org.stellaops.backup.internal.repository.RunEntry;
import org.stellaops.backup.internal.repository.RunLog;
import org.stellaops.backup.internal.repository.StateRef;

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
      tell(end);
      told = end;
    }
  }

  /** Part of what was stored is doomed: nothing of it is told any more. */
  synchronized void begin() {
    told = index.packCount();
  }

  private void tell(int end) throws IOException {
    ObjectRef part = StateUpdate.sealed(attempt, epoch, out -> index.write(told, end, out));
    List<ObjectRef> packs = new ArrayList<>();
    for (int pack = told; pack < end; pack++) {
      packs.add(index.pack(pack));
    }
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
                  RunEntry.progress(
                      attempt.run(), epoch, List.of(new StateRef.Index(part)), lists, packs));
            });
  }
}
