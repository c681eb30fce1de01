package org.stellaops.backup.postgres;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.SourceName;
import org.stellaops.backup.model.StreamGap;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.spi.ArtifactBody;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StreamSession;

/** A stream in memory, as strict as the engine's. */
final class MemoryStreamSession implements StreamSession, Stopping {
  final Map<SliceSpan, byte[]> slices = new LinkedHashMap<>();
  final Map<String, byte[]> companions = new LinkedHashMap<>();
  final List<StreamGap> gaps = new ArrayList<>();
  final List<FailureCode> found = new CopyOnWriteArrayList<>();

  /** Called within each append, before anything is stored. */
  volatile Runnable onAppend = () -> {};

  volatile boolean isFull;
  private volatile boolean isStopping;
  private Optional<Position> durable = Optional.empty();

  void stop() {
    isStopping = true;
  }

  @Override
  public SourceName stream() {
    return SourceName.of("wal");
  }

  @Override
  public InstantSource clock() {
    return InstantSource.system();
  }

  @Override
  public Stopping stopping() {
    return this;
  }

  @Override
  public Optional<Position> durable() {
    return durable;
  }

  @Override
  public void append(SliceSpan span, ArtifactBody body) throws IOException {
    onAppend.run();
    if (isFull) {
      throw new BackupException.Sink(
          CoreFailure.SINK_FAILED, BackupException.Sink.Reason.TRANSIENT, "no store");
    }
    byte[] bytes = bytes(body);
    for (Map.Entry<SliceSpan, byte[]> known : slices.entrySet()) {
      if (known.getKey().from().isAt(span.from()) && known.getKey().to().isAt(span.to())) {
        requireSame(known.getValue(), bytes);
        return;
      }
    }
    slices.put(span, bytes);
    durable = Optional.of(span.to());
  }

  private static void requireSame(byte[] there, byte[] here) throws BackupException {
    if (!Arrays.equals(there, here)) {
      throw new BackupException.Refused(CoreFailure.STREAM_DIFFERS, "other bytes");
    }
  }

  private static byte[] bytes(ArtifactBody body) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    body.writeTo(
        new ArtifactOutput() {
          @Override
          public void boundary() {}

          @Override
          public void write(byte[] from, int offset, int length) {
            bytes.write(from, offset, length);
          }
        });
    return bytes.toByteArray();
  }

  @Override
  public void merge(SliceSpan whole, ArtifactBody body) {}

  @Override
  public void companion(String lineage, String name, ArtifactBody body) throws IOException {
    byte[] bytes = bytes(body);
    byte[] known = companions.putIfAbsent(name, bytes);
    if (known != null) {
      requireSame(known, bytes);
    }
  }

  @Override
  public void mark(StreamMark mark) {}

  @Override
  public void gap(StreamGap gap) {
    gaps.add(gap);
  }

  @Override
  public void lag(long bytes, Duration time) {}

  @Override
  public void finding(Finding finding) {
    found.add(finding.code());
  }

  @Override
  public Closeable every(Duration period, Runnable task) {
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    timer.scheduleAtFixedRate(task, 0, period.toMillis(), TimeUnit.MILLISECONDS);
    return timer::shutdownNow;
  }

  @Override
  public void check() throws BackupException.Stopped {
    if (isStopping) {
      throw new BackupException.Stopped(CoreFailure.CANCELLED, "stopped");
    }
  }

  @Override
  public boolean isStopping() {
    return isStopping;
  }

  @Override
  public Closeable onStop(Runnable action) {
    return () -> {};
  }
}
