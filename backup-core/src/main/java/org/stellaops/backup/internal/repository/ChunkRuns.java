package org.stellaops.backup.internal.repository;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;

/**
 * Sorted local files of chunks, one after the other: ordinals of their packs go on from each to the
 * next. Closing closes them. One thread at a time.
 */
final class ChunkRuns implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ChunkRuns.class);

  private final String writer;
  private final List<ChunkRun> runs = new ArrayList<>();
  private final List<Integer> firstPacks = new ArrayList<>();
  private int packs;
  private boolean isWarned;

  /** None. */
  ChunkRuns(String writer) {
    this.writer = writer;
  }

  /** Adds one, which is this one's to close. */
  void add(ChunkRun run) {
    runs.add(run);
    firstPacks.add(packs);
    packs += run.packs();
  }

  /** The last ones. */
  List<ChunkRun> last(int some) {
    return List.copyOf(runs.subList(runs.size() - some, runs.size()));
  }

  /** Puts one in the place of the last ones, which has their packs in this order. */
  void replaceLast(int some, ChunkRun merged) throws IOException {
    List<ChunkRun> before = last(some);
    packs = firstPacks.get(runs.size() - some);
    runs.subList(runs.size() - some, runs.size()).clear();
    firstPacks.subList(runs.size(), firstPacks.size()).clear();
    add(merged);
    for (ChunkRun run : before) {
      run.close();
    }
  }

  /** How many packs there are. */
  int packs() {
    return packs;
  }

  /** How many chunks there are. */
  long count() {
    return runs.stream().mapToLong(ChunkRun::count).sum();
  }

  /** The name of a pack. */
  ObjectRef pack(int ordinal) throws IOException {
    int run = runs.size() - 1;
    while (firstPacks.get(run) > ordinal) {
      run--;
    }
    return runs.get(run).pack(ordinal - firstPacks.get(run), writer);
  }

  /** Hands over all packs with their ordinals, in order. */
  void forEachPack(PackTaker taker) throws IOException {
    for (int i = 0; i < runs.size(); i++) {
      int first = firstPacks.get(i);
      runs.get(i).forEachPack(writer, (pack, number) -> taker.take(pack, first + number));
    }
  }

  /** Where a chunk is of which the pack counts, in the newest file that has it. */
  Optional<ChunkPlace> find(ChunkId id, IntPredicate isPresent) {
    for (int i = runs.size() - 1; i >= 0; i--) {
      Optional<ChunkPlace> place = find(id, runs.get(i), firstPacks.get(i), isPresent);
      if (place.isPresent()) {
        return place;
      }
    }
    return Optional.empty();
  }

  /** What cannot be read is not known: then more is stored than necessary. */
  private Optional<ChunkPlace> find(ChunkId id, ChunkRun run, int first, IntPredicate isPresent) {
    try {
      return run.find(id, pack -> isPresent.test(first + pack))
          .map(p -> new ChunkPlace(first + p.pack(), p.offset(), p.storedBytes(), p.plainBytes()));
    } catch (IOException e) {
      // A disk that is gone fails every look-up: millions of them.
      if (!isWarned) {
        LOG.warn("the local index of {} cannot be read: {}", writer, e.toString());
        isWarned = true;
      }
      return Optional.empty();
    }
  }

  @Override
  public void close() throws IOException {
    for (ChunkRun run : runs) {
      run.close();
    }
  }
}
