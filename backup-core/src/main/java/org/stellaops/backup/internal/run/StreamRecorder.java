package org.stellaops.backup.internal.run;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.repository.DigestSet;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.Epoch;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StreamEntry;
import org.stellaops.backup.internal.repository.StreamEntry.Companion;
import org.stellaops.backup.internal.repository.StreamEntry.Slice;
import org.stellaops.backup.internal.repository.StreamLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.plan.PlannedStream;
import org.stellaops.backup.spi.ArtifactBody;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StreamSession;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Records what one call of a source's {@code follow} sends: first the object, then the entry that
 * names it; only then is anything durable. It believes the log as it was when it began, and that
 * nobody else writes to it: a slot that is taken ends the recording.
 */
final class StreamRecorder implements StreamSession {
  /** So many entries, or so many bytes in them, are listed together in one. */
  private static final int ROLL_UP_ENTRIES = 64;

  private static final int ROLL_UP_BYTES = 256 << 10;

  /** What fits an entry of one mebibyte together with one more slice, keys and a signature. */
  private static final int MOST_BYTES = 768 << 10;

  /** Hears of each entry when it is committed; must not keep the recorder waiting. */
  @FunctionalInterface
  interface Committed {
    void committed(Head place, StreamEntry entry);
  }

  /** What the recorder works with; none of it is its own. */
  record Shared(
      Context context,
      Repository repository,
      WriterKeys keys,
      Epoch epoch,
      PlannedStream planned,
      Stopping stopping,
      StreamProgress progress,
      Committed committed) {
    String log() {
      return Names.streamLog(keys.id().name(), planned.name());
    }
  }

  private final Shared shared;
  private final StreamLedger ledger;
  private final List<StreamMark> marks = new ArrayList<>();

  private StreamRecorder(Shared shared, StreamLedger ledger) {
    this.shared = shared;
    this.ledger = ledger;
  }

  /**
   * Goes on where the log ends.
   *
   * @throws BackupException.Corrupt CHAIN_BROKEN if the log cannot be continued
   */
  static StreamRecorder open(Shared shared) throws IOException {
    StreamLog log = shared.repository().stream(shared.log());
    if (!log.isHeadSound()) {
      throw new BackupException.Corrupt(
          CoreFailure.CHAIN_BROKEN,
          "log %s cannot be continued, its head is not sound: %s"
              .formatted(log.log(), log.damage()),
          log.damage());
    }
    shared.repository().requireTurn(log, shared.keys());
    StreamLog believed = new StreamBeginning(shared.repository()).believed(log);
    StreamRecorder recorder = new StreamRecorder(shared, new StreamLedger(believed));
    if (!believed.equals(log)) {
      recorder.listAgain();
    }
    shared.progress().durable(recorder.ledger.durable());
    return recorder;
  }

  /** So that nobody reads again what the first slot names. */
  private void listAgain() throws IOException {
    if (fitting(0) == 0) {
      leaveOutDoomed();
      commit(ledger.listed(0), 0);
    }
  }

  @Override
  public SourceName stream() {
    return shared.planned().name();
  }

  @Override
  public InstantSource clock() {
    return shared.context().clock();
  }

  @Override
  public Stopping stopping() {
    return shared.stopping();
  }

  @Override
  public Optional<Position> durable() {
    return ledger.durable();
  }

  @Override
  public void append(SliceSpan span, ArtifactBody body) throws IOException {
    // They belong to this range, and to no later one, also where it is known or refused.
    List<StreamMark> within = List.copyOf(marks);
    marks.clear();
    requireLineage(span.from().lineage());
    requireContinuous(span);
    requireSlice(span);
    SealedSlice sealed = seal(body);
    try {
      requireLength(sealed, span);
      Optional<Slice> known = ledger.slice(span);
      if (known.isPresent()) {
        requireSame(span.toString(), known.get().keyedDigest(), sealed.keyedDigest());
      } else {
        StreamEntry.About about = about(span.from().lineage());
        List<StreamMark> fresh = within.stream().filter(m -> !ledger.knows(m)).toList();
        commit(new StreamEntry(about, 0, List.of(slice(span, sealed)), List.of(), fresh));
      }
    } finally {
      sealed.release();
    }
    shared.progress().durable(ledger.durable());
  }

  @Override
  public void merge(SliceSpan whole, ArtifactBody body) throws IOException {
    requireLineage(whole.from().lineage());
    requireSlice(whole);
    int from = fitting(ledger.tail(1));
    List<Slice> pieces = ledger.slices(from);
    boolean isWhole = pieces.stream().anyMatch(s -> s.span().covers(whole));
    if (!isWhole && pieces.stream().anyMatch(s -> whole.covers(s.span()))) {
      merge(from, whole, body);
    }
    rollUp();
  }

  private void merge(int from, SliceSpan whole, ArtifactBody body) throws IOException {
    SealedSlice sealed = seal(body);
    try {
      requireLength(sealed, whole);
      Optional<Slice> known = ledger.slice(whole);
      if (known.isPresent()) {
        requireSame(whole.toString(), known.get().keyedDigest(), sealed.keyedDigest());
      }
      Slice slice = slice(whole, sealed);
      leaveOutDoomed();
      commit(ledger.merged(from, slice, shared.epoch().keyFields()), from);
    } finally {
      sealed.release();
    }
    shared.progress().durable(ledger.durable());
  }

  /** Lists what was recorded since the last time in one entry, once it is enough. */
  private void rollUp() throws IOException {
    int tail = ledger.tail(StreamEntry.TOP_TIER);
    boolean isEnough =
        ledger.size() - tail >= ROLL_UP_ENTRIES || ledger.lengthBytes(tail) >= ROLL_UP_BYTES;
    int from = fitting(tail);
    if (isEnough && ledger.size() - from > 1) {
      leaveOutDoomed();
      commit(ledger.listed(from), from);
    }
  }

  /** As it is now: retention may have let go of more since, or taken some of it back. */
  private void leaveOutDoomed() throws IOException {
    DigestSet doomed = shared.repository().retention().doomed(shared.keys().id().name());
    ledger.leaveOut(object -> doomed.contains(object.stored()));
  }

  /** As many of the newest entries as one can take the place of. */
  private int fitting(int tail) {
    int from = tail;
    while (from < ledger.size() && ledger.lengthBytes(from) > MOST_BYTES) {
      from++;
    }
    return from;
  }

  @Override
  public void companion(String lineage, String name, ArtifactBody body) throws IOException {
    requireLineage(lineage);
    SealedSlice sealed = seal(body);
    try {
      Optional<Companion> known = ledger.companion(name);
      if (known.isPresent()) {
        requireSame(name, known.get().keyedDigest(), sealed.keyedDigest());
        return;
      }
      Companion companion =
          new Companion(
              name, shared.epoch().id(), sealed.plainBytes(), sealed.keyedDigest(), put(sealed));
      commit(new StreamEntry(about(lineage), 0, List.of(), List.of(companion), List.of()));
    } finally {
      sealed.release();
    }
  }

  @Override
  public void mark(StreamMark mark) {
    marks.add(mark);
  }

  @Override
  public void gap(StreamGap gap) throws IOException {
    requireLineage(gap.from().lineage());
    if (!ledger.knows(gap)) {
      commit(StreamEntry.of(about(gap.from().lineage()), gap));
    }
  }

  @Override
  public void lag(long bytes, Duration time) {
    shared.progress().lag(bytes, time);
  }

  @Override
  public void finding(Finding finding) {
    shared.progress().found(finding);
  }

  @Override
  public Closeable every(Duration period, Runnable task) {
    return Repeating.every(period, task, "stella-backup-watch-" + stream());
  }

  /** The key of the epoch is said where the log has not said it yet. */
  private StreamEntry.About about(String lineage) {
    List<String> keys =
        shared.epoch().keyFields().stream().filter(key -> !ledger.knowsKey(key)).toList();
    return new StreamEntry.About(stream(), shared.planned().description().kind(), lineage, keys);
  }

  private Slice slice(SliceSpan span, SealedSlice sealed) throws IOException {
    return new Slice(span, shared.epoch().id(), sealed.keyedDigest(), put(sealed));
  }

  private ObjectRef put(SealedSlice sealed) throws IOException {
    return shared.repository().store().putStream(shared.keys().id().name(), sealed.finish());
  }

  private void commit(StreamEntry entry) throws IOException {
    commit(entry, ledger.size());
  }

  private void commit(StreamEntry entry, int replacesFrom) throws IOException {
    Optional<Entry> committed = append(entry.draft());
    if (committed.isEmpty()) {
      throw new BackupException.Source(
          CoreFailure.STREAM_TAKEN,
          "slot %d of log %s was taken by somebody else"
              .formatted(ledger.head().map(Head::sequence).orElse(0L) + 1, shared.log()));
    }
    if (ledger.head().isEmpty() && new StreamBeginning(shared.repository()).isAnyDoomed(entry)) {
      throw new BackupException.Source(
          CoreFailure.OBJECT_DOOMED,
          "what the first entry of log %s names was doomed before it was committed"
              .formatted(shared.log()));
    }
    Head place = new Head(committed.get().sequence(), committed.get().digest());
    ledger.committed(place, entry, replacesFrom, StreamLog.Signed.of(committed.get()));
    shared.committed().committed(place, entry);
  }

  /** What retention let go of meanwhile is left out when the stream is followed again. */
  private Optional<Entry> append(Entry.Draft draft) throws IOException {
    Repository.Behind behind = new Repository.Behind(shared.log(), ledger.head(), ledger.seen());
    try {
      return shared.repository().append(behind, draft, shared.keys(), shared.context().random());
    } catch (BackupException.Refused e) {
      if (e.code() == CoreFailure.OBJECT_DOOMED) {
        throw new BackupException.Source(CoreFailure.OBJECT_DOOMED, e.detail(), e);
      }
      throw e;
    }
  }

  private void requireLineage(String lineage) throws BackupException.Refused {
    Optional<String> known = ledger.lineage();
    if (known.isPresent() && !known.get().equals(lineage)) {
      throw new BackupException.Refused(
          CoreFailure.STREAM_LINEAGE,
          "stream %s holds the history of system %s, this is system %s"
              .formatted(stream(), known.get(), lineage));
    }
  }

  /** A branch goes on where it ended, or behind a gap that was owned up to. */
  private void requireContinuous(SliceSpan span) throws BackupException.Source {
    Optional<Position> end = ledger.end(span.from().branch());
    boolean isContinuous =
        end.isEmpty()
            || !StreamLedger.isLess(end.get(), span.from())
            || ledger.isGap(end.get(), span.from());
    if (!isContinuous) {
      throw new BackupException.Source(
          CoreFailure.STREAM_GAP,
          "stream %s: what is recorded ends at %s, what comes begins at %s"
              .formatted(stream(), end.get(), span.from()));
    }
  }

  private static void requireSlice(SliceSpan span) {
    if (Long.compareUnsigned(span.lengthBytes(), Integer.MAX_VALUE) > 0) {
      throw new IllegalArgumentException(
          "%s has %s bytes, at most 2^31 - 1 are recorded at once"
              .formatted(span, Long.toUnsignedString(span.lengthBytes())));
    }
  }

  private static void requireLength(SealedSlice sealed, SliceSpan span) {
    if (sealed.plainBytes() != span.lengthBytes()) {
      throw new IllegalStateException(
          "%d bytes were given for %s, which has %d"
              .formatted(sealed.plainBytes(), span, span.lengthBytes()));
    }
  }

  private void requireSame(String what, String there, String here) throws BackupException.Refused {
    if (!there.equals(here)) {
      throw new BackupException.Refused(
          CoreFailure.STREAM_DIFFERS,
          "stream %s has %s already, with other bytes".formatted(stream(), what));
    }
  }

  private SealedSlice seal(ArtifactBody body) throws IOException {
    return SealedSlice.of(
        body, shared.context().workspace(), shared.epoch(), shared.keys().chunkIdKey());
  }
}
