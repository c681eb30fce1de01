package org.stellaops.backup.internal.pipeline;

import com.github.luben.zstd.ZstdCompressCtx;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.FileKey;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.spi.Stopping;

/**
 * The way of plain bytes into packs.
 *
 * <p>The artifact's thread cuts chunks into a batch. The pool names and compresses the chunks of
 * several batches at once. The artifact's thread takes the batches back in order and appends new
 * frames to the open pack; a full pack is sealed and stored by the pool while the next one fills.
 * So order is kept without locks, and memory is a fixed number of batches and packs, whatever the
 * artifact's size: when all are in use, the writer waits.
 *
 * <p>The first failure anywhere is kept, and every later call throws it. One thread at a time.
 */
public final class PackPipeline implements Closeable {
  /** Largest chunk; readers accept up to 8 MiB. */
  public static final int MAX_CHUNK_BYTES = 2 << 20;

  /** Smallest memory that the pipeline can work with. */
  public static final long MIN_MEMORY_BYTES = 32L << 20;

  private static final int LARGEST_PACK_BYTES = 16 << 20;
  private static final int SEALING_AT_ONCE = 2;

  private final Settings settings;
  private final Executor executor;
  private final FileKey chunkIdKey;
  private final Gear gear;
  private final Sealer sealer;
  private final KnownChunks known;
  private final PackShelf shelf;
  private final Stopping stopping;

  private final Queue<Worker> idleWorkers = new ConcurrentLinkedQueue<>();
  private final List<Worker> workers = new ArrayList<>();
  private final Queue<Batch> idleBatches = new ArrayDeque<>();
  private final Queue<OpenPack> idlePacks = new ConcurrentLinkedQueue<>();
  private final Queue<DigestingBuffer> idleBuffers = new ConcurrentLinkedQueue<>();
  private final ArrayDeque<Pending> pending = new ArrayDeque<>();
  private final ArrayDeque<CompletableFuture<Void>> sealing = new ArrayDeque<>();
  private final int batchesAtOnce;
  private final int packBytes;
  private @Nullable OpenPack open;
  private @Nullable IOException failure;

  /** How a pack is sealed. */
  @FunctionalInterface
  public interface Sealer {
    /** Begins a sealed object. */
    Encryptor.Sealing seal(OutputStream stored) throws IOException;
  }

  /**
   * What a plan can set.
   *
   * @param memoryBytes about how much heap may be used; at least {@link #MIN_MEMORY_BYTES}
   * @param parallelism how many batches are worked on at once
   * @param compressionLevel of zstd, 1 to 19
   * @param blockBytes at which large members of database tars are cut
   */
  public record Settings(long memoryBytes, int parallelism, int compressionLevel, int blockBytes) {}

  /**
   * Whatever is given stays the caller's; {@link #close} frees the pipeline's own native memory.
   */
  public PackPipeline(
      Settings settings,
      Executor executor,
      FileKey chunkIdKey,
      Sealer sealer,
      KnownChunks known,
      PackShelf shelf,
      Stopping stopping) {
    this.settings = settings;
    this.executor = executor;
    this.chunkIdKey = chunkIdKey;
    this.gear = Gear.keyed(chunkIdKey);
    this.sealer = sealer;
    this.known = known;
    this.shelf = shelf;
    this.stopping = stopping;
    // A batch holds its chunks twice, plain and compressed. Two packs are being sealed, each with
    // its ciphertext, while a third is open.
    this.batchesAtOnce = settings.parallelism() + 2;
    long forPacks = settings.memoryBytes() - (batchesAtOnce + 1L) * 2 * MAX_CHUNK_BYTES;
    long each = forPacks / (2 * SEALING_AT_ONCE + 1);
    this.packBytes = (int) Math.max(2L * MAX_CHUNK_BYTES, Math.min(LARGEST_PACK_BYTES, each));
  }

  /**
   * Begins an artifact. The one before must have ended.
   *
   * @param before where the same artifact was cut the last time
   */
  public ArtifactCapture begin(Form.Cut cut, Cuts before) {
    return new ArtifactCapture(this, cutter(cut, before), stopping);
  }

  private Cutter cutter(Form.Cut cut, Cuts before) {
    return switch (cut) {
      case CONTENT -> new FamiliarCutter(gear.fresh(), before);
      case BLOCKS -> new TarCutter(gear.fresh(), settings.blockBytes());
      case WHOLE -> new FixedCutter(MAX_CHUNK_BYTES);
    };
  }

  /** Stores the open pack and waits until everything is durable. */
  public void flush() throws IOException {
    drainAll();
    sealOpenPack();
    while (!sealing.isEmpty()) {
      await(sealing.remove());
    }
    throwFailure();
  }

  /** The first failure of storage, if there was one: it wins over whatever a source made of it. */
  public void throwFailure() throws IOException {
    if (failure != null) {
      throw failure;
    }
  }

  Batch takeBatch() {
    Batch batch = idleBatches.poll();
    if (batch == null) {
      batch = new Batch();
    }
    batch.clear();
    return batch;
  }

  void submit(Batch batch, ArtifactCapture artifact) throws IOException {
    throwFailure();
    if (batch.count() == 0) {
      idleBatches.add(batch);
      return;
    }
    CompletableFuture<Void> work = CompletableFuture.runAsync(() -> work(batch), executor);
    pending.add(new Pending(batch, artifact, work, artifact.hash(batch, executor)));
    while (pending.size() > batchesAtOnce) {
      drainOne();
    }
  }

  private void work(Batch batch) {
    Worker worker = idleWorkers.poll();
    if (worker == null) {
      worker = newWorker();
    }
    try {
      batch.work(worker.mac, worker.zstd, known);
    } finally {
      idleWorkers.add(worker);
    }
  }

  private Worker newWorker() {
    Worker worker = chunkIdKey.use(key -> new Worker(key, settings.compressionLevel()));
    synchronized (workers) {
      workers.add(worker);
    }
    return worker;
  }

  void drainAll() throws IOException {
    while (!pending.isEmpty()) {
      drainOne();
    }
  }

  private void drainOne() throws IOException {
    Pending next = pending.remove();
    await(next.work());
    await(next.hash());
    throwFailure();
    Batch batch = next.batch();
    for (int i = 0; i < batch.count(); i++) {
      place(batch, i, next.artifact());
    }
    idleBatches.add(batch);
  }

  private void place(Batch batch, int chunk, ArtifactCapture artifact) throws IOException {
    ChunkId id = batch.id(chunk);
    // An equal chunk may have been placed while this one was being compressed.
    ChunkPlace place = batch.place(chunk).or(() -> known.find(id)).orElse(null);
    if (place == null) {
      OpenPack pack = packFor(batch.frameBytes(chunk));
      place =
          pack.append(
              id,
              batch.frames(),
              batch.frameStart(chunk),
              batch.frameBytes(chunk),
              batch.plainBytes(chunk));
      known.add(id, place);
      artifact.stored(place);
    }
    artifact.placed(place);
  }

  private OpenPack packFor(int frameBytes) throws IOException {
    if (open != null && !open.hasRoomFor(frameBytes)) {
      sealOpenPack();
    }
    if (open == null) {
      OpenPack fresh = idlePacks.poll();
      open = fresh == null ? new OpenPack(packBytes) : fresh;
      open.start(shelf.next());
    }
    return open;
  }

  private void sealOpenPack() throws IOException {
    OpenPack full = open;
    if (full == null || full.isEmpty()) {
      return;
    }
    open = null;
    while (sealing.size() >= SEALING_AT_ONCE) {
      await(sealing.remove());
    }
    throwFailure();
    sealing.add(CompletableFuture.runAsync(() -> sealAndStore(full), executor));
  }

  private void sealAndStore(OpenPack pack) {
    DigestingBuffer buffer = idleBuffers.poll();
    if (buffer == null) {
      buffer = new DigestingBuffer(packBytes + (packBytes >> 4));
    }
    buffer.clear();
    try {
      try (Encryptor.Sealing out = sealer.seal(buffer)) {
        pack.sealTo(out);
      }
      int ordinal = pack.ordinal();
      idlePacks.add(pack);
      shelf.store(ordinal, buffer.body());
      idleBuffers.add(buffer);
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private void await(CompletableFuture<Void> work) {
    try {
      work.join();
    } catch (CompletionException e) {
      fail(e.getCause() == null ? e : e.getCause());
    }
  }

  private void fail(Throwable cause) {
    IOException now =
        cause instanceof IOException io
            ? io
            : new IOException("a worker of the pipeline failed: " + cause, cause);
    if (failure == null) {
      failure = now;
    } else if (failure != now) {
      failure.addSuppressed(now);
    }
  }

  /** Waits for what is under way, then frees native memory. Stores nothing. */
  @Override
  public void close() {
    while (!pending.isEmpty()) {
      Pending next = pending.remove();
      await(next.work());
      await(next.hash());
    }
    while (!sealing.isEmpty()) {
      await(sealing.remove());
    }
    synchronized (workers) {
      workers.forEach(w -> w.zstd.close());
      workers.clear();
    }
    idleWorkers.clear();
  }

  private record Pending(
      Batch batch,
      ArtifactCapture artifact,
      CompletableFuture<Void> work,
      CompletableFuture<Void> hash) {}

  private static final class Worker {
    final Mac mac;
    final ZstdCompressCtx zstd;

    Worker(byte[] key, int level) {
      try {
        mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
      } catch (GeneralSecurityException e) {
        throw new AssertionError("every JDK has HmacSHA256 (javax.crypto.Mac)", e);
      }
      zstd = new ZstdCompressCtx();
      zstd.setLevel(level).setContentSize(true).setChecksum(false).setDictID(false);
    }
  }
}
