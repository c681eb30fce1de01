package org.stellaops.backup.internal.pipeline;

import java.io.IOException;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.Stopping;

/** Plain bytes of one artifact going into packs. */
public final class ArtifactCapture extends ArtifactOutput {
  private final PackPipeline pipeline;
  private final Cutter cutter;
  private final Stopping stopping;
  private final MessageDigest digest = Digest.sha256();
  private CompletableFuture<Void> hashed = CompletableFuture.completedFuture(null);
  private final Runs runs = new Runs();
  private final Chunks chunks = new Chunks();
  private @Nullable OutputStream copy;
  private Batch batch;
  private long newBytes;
  private boolean isEnded;

  ArtifactCapture(PackPipeline pipeline, Cutter cutter, Stopping stopping) {
    this.pipeline = pipeline;
    this.cutter = cutter;
    this.stopping = stopping;
    this.batch = pipeline.takeBatch();
  }

  /** Every byte also goes there; not closed. */
  public void copyTo(OutputStream other) {
    copy = other;
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (isEnded) {
      throw new IllegalStateException(
          "the artifact has ended; its output was kept beyond its body");
    }
    stopping.check();
    cutter.write(bytes, offset, length, chunks);
    if (copy != null) {
      copy.write(bytes, offset, length);
    }
  }

  @Override
  public void boundary() throws IOException {
    cutter.end(chunks);
  }

  /** Nothing more will come: waits until every chunk has its place. */
  public Result end() throws IOException {
    isEnded = true;
    cutter.end(chunks);
    pipeline.submit(batch, this);
    pipeline.drainAll();
    return new Result(Digest.of(digest.digest()), runs, newBytes, cutter.cuts());
  }

  /** The body failed: what it wrote stays unreferenced. */
  public void abandon() throws IOException {
    isEnded = true;
    pipeline.drainAll();
  }

  /**
   * Hashes the batch's bytes on the pool, behind those of the batch before. The pool names and
   * compresses chunks in any order, but a digest goes forward only.
   */
  CompletableFuture<Void> hash(Batch next, Executor executor) {
    hashed = hashed.thenRunAsync(() -> next.hashTo(digest), executor);
    return hashed;
  }

  void placed(ChunkPlace place) {
    runs.add(place);
  }

  void stored(ChunkPlace place) {
    newBytes += place.storedBytes();
  }

  /**
   * What became of an artifact.
   *
   * @param plain digest of its plain bytes
   * @param runs where they are
   * @param newBytes length of the frames that were not known before
   * @param cuts to begin the next capture of it with, if it was cut by content
   */
  public record Result(Digest plain, Runs runs, long newBytes, Optional<Cuts> cuts) {}

  private final class Chunks implements Cutter.Chunks {
    @Override
    public void append(byte[] bytes, int offset, int length) throws IOException {
      if (batch.room() < length) {
        moveToFreshBatch();
      }
      batch.append(bytes, offset, length);
    }

    /** A chunk never spans batches: its beginning moves along. */
    private void moveToFreshBatch() throws IOException {
      Batch full = batch;
      batch = pipeline.takeBatch();
      full.moveOpenTo(batch);
      pipeline.submit(full, ArtifactCapture.this);
    }

    @Override
    public void end() {
      if (batch.openBytes() > 0) {
        batch.end();
      }
    }

    @Override
    public void endAt(int length) {
      batch.endAt(length);
    }

    @Override
    public int length() {
      return batch.openBytes();
    }

    @Override
    public int checksum(int bytes) {
      return batch.openChecksum(bytes);
    }

    @Override
    public int search(Gear gear) {
      return batch.searchOpen(gear);
    }
  }
}
