package org.stellaops.backup.mongo.internal.capture;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.stellaops.backup.mongo.internal.archive.DocumentRun;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * Several readers, one who writes. The one who writes asks the readers in turn, always in the same
 * order, and each keeps one reply ready: what an archive looks like depends on the database and not
 * on who was faster, so an unchanged database makes the same archive again and stores nothing new.
 *
 * <p>In memory are at most two replies of each reader, of 16 MiB each. A slow output is felt by the
 * readers after one reply.
 */
final class ParallelReading implements AutoCloseable {
  private final List<Lane> lanes = new ArrayList<>();
  private final Deque<Segment> waiting;
  private final Map<Namespace, Integer> unfinished = new HashMap<>();

  /** Readers are opened by the caller and closed by this. */
  ParallelReading(List<Lane> lanes, List<Segment> segments) {
    this.lanes.addAll(lanes);
    this.waiting = new ArrayDeque<>(segments);
    segments.forEach(s -> unfinished.merge(s.namespace(), 1, Integer::sum));
  }

  /** Reads everything. */
  void into(Sink sink) throws IOException {
    lanes.forEach(this::beginNext);
    boolean isBusy = true;
    while (isBusy) {
      isBusy = false;
      for (Lane lane : lanes) {
        if (lane.isBusy()) {
          takeTurn(lane, sink);
          isBusy = true;
        }
      }
    }
  }

  private void takeTurn(Lane lane, Sink sink) throws IOException {
    Segment segment = lane.segment();
    DocumentRun run = lane.take();
    boolean isOver = !lane.isBusy();
    if (isOver) {
      beginNext(lane);
    }
    sink.run(segment, run);
    if (isOver && unfinished.merge(segment.namespace(), -1, Integer::sum) == 0) {
      sink.end(segment);
    }
  }

  private void beginNext(Lane lane) {
    Segment next = waiting.poll();
    if (next != null) {
      lane.begin(next);
    }
  }

  @Override
  public void close() {
    lanes.forEach(Lane::close);
  }

  /** Takes what was read, on the thread of {@link #into}. */
  interface Sink {
    /** The next documents of a segment, which may be none. */
    void run(Segment of, DocumentRun run) throws IOException;

    /** All segments of its namespace are over. */
    void end(Segment last) throws IOException;
  }
}
