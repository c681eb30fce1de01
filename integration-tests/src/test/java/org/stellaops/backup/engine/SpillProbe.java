package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.internal.repository.ChunkIndex;
import org.stellaops.backup.internal.repository.ObjectRef;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.StoreAccess;
import org.stellaops.backup.internal.run.Workspace;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.ObjectStore;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.spi.StoreContext;
import org.stellaops.backup.testkit.MemorySink;

/**
 * Fills an index with the chunks of as many packs as it is told, as one run would, writes its part,
 * looks chunks up, prints what that took, and is killed. A program of its own, for a heap in which
 * these chunks would not fit.
 */
final class SpillProbe {
  static final int CHUNKS_OF_A_PACK = 16;
  static final long LOOKED_UP = 5_000;
  private static final String WRITER = "host-a";
  private static final int CHUNK_BYTES = 1 << 20;

  private SpillProbe() {}

  public static void main(String[] arguments) throws IOException {
    Path root = Path.of(arguments[0]);
    int packs = Integer.parseInt(arguments[1]);
    try (ObjectStore store = store();
        ChunkIndex index = index(root, store)) {
      long longest = 0;
      long began = System.nanoTime();
      for (int pack = 0; pack < packs; pack++) {
        long before = System.nanoTime();
        fill(index, pack);
        longest = Math.max(longest, System.nanoTime() - before);
      }
      say("add-nanos", (System.nanoTime() - began) / packs / CHUNKS_OF_A_PACK);
      say("longest-pause-millis", longest / 1_000_000);
      say("chunks", index.size());
      began = System.nanoTime();
      Counting written = new Counting();
      index.write(0, written);
      say("write-millis", (System.nanoTime() - began) / 1_000_000);
      say("written-bytes", written.bytes);
      Random which = new Random(7);
      began = System.nanoTime();
      int found = 0;
      for (int i = 0; i < LOOKED_UP; i++) {
        int pack = which.nextInt(packs);
        found += index.find(id(pack, i % CHUNKS_OF_A_PACK)).orElseThrow().pack() == pack ? 1 : 0;
      }
      say("find-nanos", (System.nanoTime() - began) / LOOKED_UP);
      say("found", found);
      began = System.nanoTime();
      for (int i = 0; i < LOOKED_UP; i++) {
        if (index.find(id(-1 - i, 0)).isPresent()) {
          throw new IOException("found what was not added");
        }
      }
      say("miss-nanos", (System.nanoTime() - began) / LOOKED_UP);
      say("file-bytes", fileBytes(root));
      Runtime.getRuntime().halt(0);
    }
  }

  private static ObjectStore store() throws IOException {
    return new MemorySink().open(new StoreContext(InstantSource.system(), Stopping.never()));
  }

  private static ChunkIndex index(Path root, ObjectStore store) throws IOException {
    Repository repository =
        Repository.create(
            new StoreAccess(store),
            Trust.nobody(),
            Workspace.in(Optional.of(workspace(root))),
            InstantSource.system(),
            new Random(1));
    return ChunkIndex.of(repository, WRITER, 96L << 20);
  }

  private static Path workspace(Path root) {
    return root.resolve("spilled");
  }

  /** A chunk is looked up before it is added, as in the pipeline. */
  private static void fill(ChunkIndex index, int number) throws IOException {
    int pack = index.addPack();
    for (int chunk = 0; chunk < CHUNKS_OF_A_PACK; chunk++) {
      ChunkId id = id(number, chunk);
      if (index.find(id).isPresent()) {
        throw new IOException("found before it was added");
      }
      index.add(id, new ChunkPlace(pack, chunk * CHUNK_BYTES, CHUNK_BYTES, CHUNK_BYTES));
    }
    Digest digest = Digest.ofContent(ByteBuffer.allocate(4).putInt(number).array());
    index.namePack(
        pack,
        ObjectRef.parse(
            "w/%s/packs/%s/%s-1000.age".formatted(WRITER, digest.hex().substring(0, 2), digest)));
  }

  private static ChunkId id(int pack, int chunk) {
    byte[] id = new byte[ChunkId.BYTES];
    new Random(pack * 31L + chunk * 1_000_003L).nextBytes(id);
    return ChunkId.of(id);
  }

  /** Removes what this left behind in another process, as a run that begins does. */
  static void sweep(Path root) throws IOException {
    try (ObjectStore store = store();
        ChunkIndex index = index(root, store)) {
      index.forgetAllBut(List.of());
    }
  }

  /** What is in the workspace. */
  static long fileBytes(Path root) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.walk(workspace(root))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  private static void say(String what, long number) {
    System.out.println(what + " " + number);
  }

  /** Keeps nothing. */
  private static final class Counting extends OutputStream {
    private long bytes;

    @Override
    public void write(int b) {
      bytes++;
    }

    @Override
    public void write(byte[] from, int offset, int length) {
      bytes += length;
    }
  }
}
