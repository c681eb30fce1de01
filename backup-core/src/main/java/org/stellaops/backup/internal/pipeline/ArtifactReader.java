package org.stellaops.backup.internal.pipeline;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.spi.Stopping;

/**
 * Plain bytes of an artifact coming out of packs: runs are fetched and decrypted, and frames
 * decompressed, ahead of the reader on the pool, and hashed in order. At EOF length and digest are
 * compared, so bytes are trusted at EOF and not before. Memory: two runs and a few frames. One
 * thread.
 */
public final class ArtifactReader extends InputStream {
  private static final int RUNS_AHEAD = 2;
  private static final int STRETCHES_AHEAD = 4;

  private final String what;
  private final RunSequence runs;
  private final long expectedBytes;
  private final Optional<Digest> expected;
  private final Executor executor;
  private final Stopping stopping;
  private final MessageDigest digest = Digest.sha256();
  private CompletableFuture<Void> chunkHashed = CompletableFuture.completedFuture(null);
  private CompletableFuture<Void> hashed = CompletableFuture.completedFuture(null);
  private final ArrayDeque<Fetched> fetching = new ArrayDeque<>();
  private final ArrayDeque<Decompressing> decompressing = new ArrayDeque<>();
  private Frames frames = Frames.none();
  private byte[] chunk = new byte[0];
  private int chunkAt;
  private long total;
  private boolean isSequenceDone;
  private boolean isVerified;
  private volatile boolean isClosed;

  /**
   * Reads a whole artifact and verifies it.
   *
   * @param what the artifact, for messages
   * @param runs closed with the reader
   */
  public ArtifactReader(
      String what,
      RunSequence runs,
      long expectedBytes,
      Digest expected,
      Executor executor,
      Stopping stopping) {
    this(what, runs, expectedBytes, Optional.of(expected), executor, stopping);
  }

  private ArtifactReader(
      String what,
      RunSequence runs,
      long expectedBytes,
      Optional<Digest> expected,
      Executor executor,
      Stopping stopping) {
    this.what = what;
    this.runs = runs;
    this.expectedBytes = expectedBytes;
    this.expected = expected;
    this.executor = executor;
    this.stopping = stopping;
  }

  /**
   * Reads part of an artifact: runs that hold {@code expectedBytes} together. Nothing compares a
   * digest.
   */
  public static ArtifactReader partial(
      String what, RunSequence runs, long expectedBytes, Executor executor, Stopping stopping) {
    return new ArtifactReader(what, runs, expectedBytes, Optional.empty(), executor, stopping);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    int n = read(one, 0, 1);
    return n < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, into.length);
    if (length == 0) {
      return 0;
    }
    if (chunkAt == chunk.length && !nextChunk()) {
      verifyOnce();
      return -1;
    }
    int n = Math.min(length, chunk.length - chunkAt);
    System.arraycopy(chunk, chunkAt, into, offset, n);
    chunkAt += n;
    return n;
  }

  @Override
  public int available() {
    return chunk.length - chunkAt;
  }

  private boolean nextChunk() throws IOException {
    stopping.check();
    topUp();
    Decompressing next = decompressing.poll();
    if (next == null) {
      return false;
    }
    join(chunkHashed);
    chunk = join(next.plain());
    chunkHashed = next.hashed();
    chunkAt = 0;
    total += chunk.length;
    if (total > expectedBytes) {
      throw wrong(
          "has more than the %d plain bytes that its manifest declares".formatted(expectedBytes));
    }
    return true;
  }

  private void topUp() throws IOException {
    fetchAhead();
    while (decompressing.size() < STRETCHES_AHEAD) {
      Optional<Frames.Stretch> stretch = frames.next();
      while (stretch.isEmpty()) {
        if (!nextRun()) {
          return;
        }
        stretch = frames.next();
      }
      Frames of = frames;
      Frames.Stretch next = stretch.get();
      CompletableFuture<byte[]> plain = supply(() -> of.decompress(next));
      hashed = hashed.thenAcceptBothAsync(plain, (done, bytes) -> digest.update(bytes), executor);
      decompressing.add(new Decompressing(plain, hashed));
    }
  }

  private boolean nextRun() throws IOException {
    Fetched next = fetching.poll();
    if (next == null) {
      frames = Frames.none();
      return false;
    }
    frames = new Frames(join(next.bytes()), next.plainBytes(), next.name());
    fetchAhead();
    return true;
  }

  private void fetchAhead() throws IOException {
    while (!isSequenceDone && fetching.size() < RUNS_AHEAD) {
      Optional<StoredRun> next = runs.next();
      if (next.isEmpty()) {
        isSequenceDone = true;
        return;
      }
      StoredRun stored = next.get();
      fetching.add(new Fetched(stored.describe(), stored.plainBytes(), supply(stored::fetch)));
    }
  }

  private void verifyOnce() throws IOException {
    if (isVerified) {
      return;
    }
    if (total != expectedBytes) {
      throw wrong("has %d plain bytes, its manifest declares %d".formatted(total, expectedBytes));
    }
    join(hashed);
    Digest found = Digest.of(digest.digest());
    if (expected.isPresent() && !expected.get().equals(found)) {
      throw wrong(
          "has the plain digest %s, its manifest declares %s".formatted(found, expected.get()));
    }
    isVerified = true;
  }

  /** Names the objects whose stored bytes explain it, if there are any. */
  private BackupException wrong(String found) throws IOException {
    List<Finding> damaged = runs.damaged();
    return new BackupException.Corrupt(
        CoreFailure.CORRUPT_OBJECT,
        "%s %s%s".formatted(what, found, damaged.isEmpty() ? "" : "; damaged: " + damaged),
        damaged);
  }

  @Override
  public void close() throws IOException {
    isSequenceDone = true;
    frames = Frames.none();
    isClosed = true;
    fetching.forEach(f -> awaitEnd(f.bytes()));
    decompressing.forEach(d -> awaitEnd(d.plain()));
    awaitEnd(hashed);
    fetching.clear();
    decompressing.clear();
    runs.close();
  }

  private <T> CompletableFuture<T> supply(Work<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          if (isClosed) {
            throw new CancellationException("the reader is closed");
          }
          try {
            return work.run();
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        executor);
  }

  /** What has begun reads to its end, so that nothing uses the store once this is closed. */
  private static void awaitEnd(CompletableFuture<?> work) {
    work.handle((result, failure) -> result).join();
  }

  private static <T> T join(CompletableFuture<T> work) throws IOException {
    try {
      return work.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      throw e;
    }
  }

  private record Fetched(String name, long plainBytes, CompletableFuture<byte[]> bytes) {}

  private record Decompressing(CompletableFuture<byte[]> plain, CompletableFuture<Void> hashed) {}

  @FunctionalInterface
  private interface Work<T> {
    T run() throws IOException;
  }
}
