package org.stellaops.backup.spi;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;

/**
 * Where a {@link ContinuousSource} puts what it records. Lives as long as the call of {@link
 * ContinuousSource#follow}; used by the thread that made that call, unless a method says otherwise.
 */
public interface StreamSession {
  /** What the plan calls this stream. */
  SourceName stream();

  /** The engine's clock. */
  InstantSource clock();

  /** Cancellation. From any thread. */
  Stopping stopping();

  /**
   * How far the branch that was recorded last is recorded: where to go on. Empty at the very
   * beginning.
   */
  Optional<Position> durable();

  /**
   * Records a range. On return it is durable and signed: now the source may be told. A range that
   * is there already with the same bytes is not recorded again.
   *
   * <p>It goes on where its branch ended, begins a branch, or overlaps what is there; only behind a
   * {@link #gap} it may leave something out.
   *
   * @throws BackupException.Refused STREAM_DIFFERS if the same range is there with other bytes;
   *     STREAM_LINEAGE if it is of another lineage
   * @throws BackupException.Source STREAM_GAP if something is missing between
   */
  void append(SliceSpan span, ArtifactBody body) throws IOException;

  /**
   * Records a range again as a whole. It takes the place of everything within it that was recorded
   * in pieces since the last merge, and of nothing else. Where there are no such pieces, nothing is
   * recorded.
   *
   * @throws BackupException.Refused STREAM_DIFFERS if the same range is there with other bytes;
   *     STREAM_LINEAGE if it is of another lineage
   */
  void merge(SliceSpan whole, ArtifactBody body) throws IOException;

  /**
   * Records a small file that belongs to the stream: the history of a timeline. The same name with
   * the same bytes is not recorded again.
   *
   * @param lineage whose history it is
   * @param name {@code [A-Za-z0-9._-]{1,120}}
   * @throws BackupException.Refused STREAM_DIFFERS if there are other bytes of this name;
   *     STREAM_LINEAGE if the stream is of another lineage
   */
  void companion(String lineage, String name, ArtifactBody body) throws IOException;

  /**
   * A named place within the range that is recorded next, and with it. One that is recorded already
   * is not recorded again.
   */
  void mark(StreamMark mark);

  /** Records that something was lost; once, however often it is said. */
  void gap(StreamGap gap) throws IOException;

  /**
   * How far the recording is behind.
   *
   * @param bytes between what the source has and what is durable
   * @param time since the oldest byte that is not durable arrived; zero if all are
   */
  void lag(long bytes, Duration time);

  /** Something worth a human's look. From any thread. */
  void finding(Finding finding);

  /**
   * Calls a task again and again beside this thread, so also while {@link #append} waits for the
   * store. It must not use this session but for {@link #finding}. The caller closes, which waits
   * for a call that is under way.
   */
  Closeable every(Duration period, Runnable task);
}
