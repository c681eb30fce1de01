package org.stellaops.backup.internal.pipeline;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;
import java.util.zip.CRC32C;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/**
 * Some chunks on their way: filled by the artifact's thread, worked on by one of the pool, emptied
 * by the artifact's thread again. Reused, so that arrays of this size are made once.
 */
final class Batch {
  private final byte[] plain = new byte[PackPipeline.MAX_CHUNK_BYTES];
  private byte[] frames = new byte[0];
  private int[] ends = new int[4];
  private int count;
  private int plainBytes;
  private @Nullable ChunkId[] ids = new ChunkId[0];
  private @Nullable ChunkPlace[] places = new ChunkPlace[0];
  private int[] frameEnds = new int[0];

  void clear() {
    count = 0;
    plainBytes = 0;
  }

  int room() {
    return plain.length - plainBytes;
  }

  int count() {
    return count;
  }

  /** Bytes behind the last ended chunk. */
  int openBytes() {
    return plainBytes - start(count);
  }

  void append(byte[] bytes, int offset, int length) {
    System.arraycopy(bytes, offset, plain, plainBytes, length);
    plainBytes += length;
  }

  /** Hands the bytes behind the last ended chunk to another batch. */
  void moveOpenTo(Batch other) {
    other.append(plain, start(count), openBytes());
    plainBytes = start(count);
  }

  void end() {
    endAt(openBytes());
  }

  /** Ends a chunk of so many of the open bytes; the others stay open. */
  void endAt(int length) {
    int end = start(count) + length;
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, count * 2);
    }
    ends[count++] = end;
  }

  /** CRC-32C of the first open bytes. */
  int openChecksum(int bytes) {
    CRC32C crc = new CRC32C();
    crc.update(plain, start(count), bytes);
    return (int) crc.getValue();
  }

  /** Searches the open bytes for a cut. */
  int searchOpen(Gear gear) {
    return gear.scan(plain, start(count), openBytes(), 0);
  }

  private int start(int chunk) {
    return chunk == 0 ? 0 : ends[chunk - 1];
  }

  int plainBytes(int chunk) {
    return ends[chunk] - start(chunk);
  }

  /** All bytes of its chunks, in their order. */
  void hashTo(MessageDigest digest) {
    digest.update(plain, 0, plainBytes);
  }

  /** Names every chunk and compresses those that are not known. */
  void work(Mac mac, ZstdCompressCtx zstd, KnownChunks known) {
    ids = new ChunkId[count];
    places = new ChunkPlace[count];
    frameEnds = new int[count];
    int framed = 0;
    for (int i = 0; i < count; i++) {
      mac.update(plain, start(i), plainBytes(i));
      ChunkId id = new ChunkId(mac.doFinal());
      ids[i] = id;
      Optional<ChunkPlace> place = known.find(id);
      places[i] = place.orElse(null);
      if (place.isEmpty()) {
        framed += compress(zstd, i, framed);
      }
      frameEnds[i] = framed;
    }
  }

  private int compress(ZstdCompressCtx zstd, int chunk, int at) {
    int bound = (int) Zstd.compressBound(plainBytes(chunk));
    if (frames.length - at < bound) {
      frames = Arrays.copyOf(frames, at + bound);
    }
    return zstd.compressByteArray(frames, at, bound, plain, start(chunk), plainBytes(chunk));
  }

  ChunkId id(int chunk) {
    ChunkId id = ids[chunk];
    if (id == null) {
      throw new AssertionError("a batch is emptied after it was worked on");
    }
    return id;
  }

  Optional<ChunkPlace> place(int chunk) {
    return Optional.ofNullable(places[chunk]);
  }

  byte[] frames() {
    return frames;
  }

  int frameStart(int chunk) {
    return chunk == 0 ? 0 : frameEnds[chunk - 1];
  }

  int frameBytes(int chunk) {
    return frameEnds[chunk] - frameStart(chunk);
  }
}
