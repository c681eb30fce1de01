package org.stellaops.backup.engine;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.AbstractList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.Optional;
import java.util.Random;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.Workspace;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Loads an index of as many packs as it is told, twice, looks chunks up, and prints what that took.
 * A program of its own, for a heap in which these chunks would not fit.
 */
final class IndexProbe {
  static final int CHUNKS_OF_A_PACK = 16;
  private static final int CHUNK_BYTES = 64 << 10;
  private static final int LOOKED_UP = 20_000;

  private IndexProbe() {}

  public static void main(String[] arguments) throws IOException {
    int packs = Integer.parseInt(arguments[1]);
    Path workspace = Path.of(arguments[0], "index-of-" + packs);
    try (var store =
        new MemorySink().open(new StoreContext(InstantSource.system(), Stopping.never()))) {
      Repository repository =
          Repository.create(
              new StoreAccess(store),
              Trust.nobody(),
              Workspace.in(Optional.of(workspace)),
              InstantSource.system(),
              new Random(1));
      ObjectRef part =
          ObjectRef.parse("w/host-a/state/%s-1.age".formatted(Digest.ofContent(new byte[1])));
      for (String what : new String[] {"cold", "warm"}) {
        long began = System.nanoTime();
        try (ChunkIndex index = ChunkIndex.of(repository, "host-a", 96L << 20)) {
          index.load(part, () -> part(packs));
          say(what + "-millis", (System.nanoTime() - began) / 1_000_000);
          say("chunks", index.size());
          began = System.nanoTime();
          say(what + "-found", found(index, packs));
          say(what + "-find-nanos", (System.nanoTime() - began) / (2 * LOOKED_UP));
        }
      }
    }
    try (var files = Files.walk(workspace)) {
      long bytes = 0;
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
      say("file-bytes", bytes);
    }
    say("peak-rss-bytes", peakBytes());
  }

  /** Of as many that are there and as many that are not. */
  private static int found(ChunkIndex index, int packs) {
    Random which = new Random(7);
    int found = 0;
    for (int i = 0; i < LOOKED_UP; i++) {
      int pack = which.nextInt(packs);
      int chunk = which.nextInt(CHUNKS_OF_A_PACK);
      found +=
          index
                  .find(ChunkId.of(id(pack, chunk)))
                  .filter(p -> p.pack() == pack && p.offset() == chunk * CHUNK_BYTES)
                  .isPresent()
              ? 1
              : 0;
      found += index.find(ChunkId.of(id(-1 - pack, chunk))).isPresent() ? 1 : 0;
    }
    return found;
  }

  private static byte[] id(int pack, int chunk) {
    byte[] id = new byte[ChunkId.BYTES];
    new Random(pack * 31L + chunk * 1_000_003L).nextBytes(id);
    return id;
  }

  /** As {@code docs/format/state.md} has it, made while it is read. */
  private static InputStream part(int packs) {
    Enumeration<InputStream> rows =
        Collections.enumeration(
            new AbstractList<>() {
              @Override
              public InputStream get(int pack) {
                return new ByteArrayInputStream(row(pack));
              }

              @Override
              public int size() {
                return packs;
              }
            });
    return new SequenceInputStream(
        new ByteArrayInputStream(new byte[] {'S', 'B', 'I', '1'}), new SequenceInputStream(rows));
  }

  private static byte[] row(int pack) {
    ByteBuffer row = ByteBuffer.allocate(32 + 8 + 4 + CHUNKS_OF_A_PACK * (32 + 8));
    row.put(Digest.ofContent(ByteBuffer.allocate(4).putInt(pack).array()).bytes());
    row.putLong(1000).putInt(CHUNKS_OF_A_PACK);
    for (int chunk = 0; chunk < CHUNKS_OF_A_PACK; chunk++) {
      row.put(id(pack, chunk)).putInt(CHUNK_BYTES).putInt(CHUNK_BYTES);
    }
    return row.array();
  }

  private static void say(String what, long number) {
    System.out.println(what + " " + number);
  }

  /** VmHWM, "peak resident set size" (proc(5)). */
  private static long peakBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    throw new IOException("no VmHWM in /proc/self/status");
  }
}
