package org.stellaops.backup.internal.repository;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.internal.pipeline.KnownChunks;
import org.stellaops.backup.internal.pipeline.PackPipeline;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * Which chunks a writer has stored, and where. What earlier runs stored is searched in sorted local
 * files, of which only the beginnings of buckets and a bit for each pack are in memory. What this
 * run stores stands in a table in memory until there are too many: then the packs that are whole go
 * into local files, too. Without a place for files everything is in memory. Packs have ordinals:
 * those of files first, then the others in the order in which they were made. From any thread.
 */
public final class ChunkIndex implements KnownChunks, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ChunkIndex.class);

  /** Of the memory that a run has beyond what it needs at least, the part for chunks. */
  private static final int SHARE = 8;

  private static final int FEWEST_IN_MEMORY = 1 << 12;

  /** More would make a run wait for long while they are sorted. */
  private static final int MOST_IN_MEMORY = 1 << 20;

  private final String writer;
  private final Optional<ChunkFiles> files;
  private final int mostInMemory;
  private final ChunkTable table = new ChunkTable();
  private final ChunkRuns runs;
  private final BitSet present = new BitSet();
  private int loadedPacks;
  private @Nullable SpilledChunks spilled;
  private int spillAt;
  private boolean isWarned;

  /** An index that knows nothing, and keeps everything in memory. */
  public ChunkIndex(String writer) {
    this(writer, Optional.empty(), ChunkTable.MAX_CHUNKS);
  }

  /**
   * An index that knows nothing.
   *
   * @param files what it loads, for the next one to find, and what memory has no room for
   * @param mostInMemory about how many chunks that are new may be in memory, if there are files
   */
  ChunkIndex(String writer, Optional<ChunkFiles> files, int mostInMemory) {
    this.writer = writer;
    this.files = files;
    this.mostInMemory = mostInMemory;
    this.runs = new ChunkRuns(writer);
    this.spillAt = mostInMemory;
  }

  /**
   * An index that knows nothing, and has its files where the repository's workspace is, if there is
   * one.
   *
   * @param memoryBytes what a run may use
   */
  public static ChunkIndex of(Repository repository, String writer, long memoryBytes) {
    return new ChunkIndex(
        writer,
        repository.cache().map(folder -> ChunkFiles.in(folder, writer)),
        inMemory(memoryBytes));
  }

  /** How many chunks stand in memory where a run may use so much; a power of two, as arrays are. */
  static int inMemory(long memoryBytes) {
    long chunks =
        (memoryBytes - PackPipeline.MIN_MEMORY_BYTES) / SHARE / ChunkTable.BYTES_OF_A_CHUNK;
    return Integer.highestOneBit(
        (int) Math.max(FEWEST_IN_MEMORY, Math.min(MOST_IN_MEMORY, chunks)));
  }

  /** Whose packs they are. */
  public String writer() {
    return writer;
  }

  /** Whether the chunks of a pack count as known. */
  public synchronized boolean isPresent(int ordinal) {
    return present.get(ordinal);
  }

  /** Ordinal of a pack that is about to be filled; its chunks count as known at once. */
  public synchronized int addPack() {
    int ordinal = table.addPack();
    present.set(ordinal);
    return ordinal;
  }

  /** A pack was stored under this name. */
  public synchronized void namePack(int ordinal, ObjectRef ref) {
    table.namePack(ordinal, ref);
  }

  /** The name of a stored pack. */
  public synchronized ObjectRef pack(int ordinal) {
    try {
      return name(ordinal)
          .orElseThrow(() -> new AssertionError("a manifest is written when every pack is stored"));
    } catch (IOException e) {
      throw new UncheckedIOException("a file of the workspace cannot be read any more", e);
    }
  }

  private Optional<ObjectRef> name(int ordinal) throws IOException {
    return ordinal < runs.packs() ? Optional.of(runs.pack(ordinal)) : table.pack(ordinal);
  }

  /** Hands over the stored packs whose chunks count as known with their ordinals, in order. */
  public synchronized void forEachPresent(PackTaker taker) throws IOException {
    forEachPack(
        (pack, ordinal) -> {
          if (present.get(ordinal)) {
            taker.take(pack, ordinal);
          }
        });
  }

  private void forEachPack(PackTaker taker) throws IOException {
    runs.forEachPack(taker);
    for (int ordinal = table.firstPack(); ordinal < table.endPack(); ordinal++) {
      Optional<ObjectRef> pack = table.pack(ordinal);
      if (pack.isPresent()) {
        taker.take(pack.get(), ordinal);
      }
    }
  }

  /** How many packs there are. */
  public synchronized int packCount() {
    return table.endPack();
  }

  /**
   * Only packs that are in the store with their size are still known; those that are not stored yet
   * will not be.
   */
  public synchronized void keepOnly(IoPredicate<ObjectRef> isThere) throws IOException {
    BitSet there = new BitSet();
    forEachPack((pack, ordinal) -> there.set(ordinal, isThere.test(pack)));
    present.clear();
    present.or(there);
    table.giveUpUnnamed(Names.pack(writer, Digest.of(new byte[32]), 0));
  }

  @Override
  public synchronized Optional<ChunkPlace> find(ChunkId id) {
    Optional<ChunkPlace> place = table.find(id, present::get);
    return place.isPresent() ? place : runs.find(id, present::get);
  }

  @Override
  public synchronized void add(ChunkId id, ChunkPlace place) throws BackupException.Refused {
    if (table.count() >= spillAt) {
      spill();
    }
    requireRoom();
    table.add(id, place);
  }

  /**
   * Moves packs into files, as long as a good part of the chunks goes: the last packs are being
   * stored. Where the disk is full they stay, and it is tried again when there are twice as many.
   */
  private void spill() {
    int end = table.endOfWhole();
    if (files.isEmpty() || table.chunksBefore(end) < table.count() / 2) {
      spillAt = table.count() + mostInMemory / 4 + 1;
      return;
    }
    try {
      if (spilled == null) {
        spilled = new SpilledChunks(files.get().temporary(), runs, writer);
      }
      spilled.take(table, end);
      spillAt = mostInMemory;
      spilled.merge();
    } catch (IOException e) {
      spillAt = Math.max(mostInMemory, 2 * table.count());
      if (!isWarned) {
        LOG.warn("new chunks of {} stay in memory as long as this lasts: {}", writer, e.toString());
        isWarned = true;
      }
    }
  }

  private void requireRoom() throws BackupException.Refused {
    if (table.count() == ChunkTable.MAX_CHUNKS) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "the index of %s is full with %d chunks in memory; hint: give the engine a workspace with room for 100 bytes a chunk, or divide the sources among writers"
              .formatted(writer, ChunkTable.MAX_CHUNKS));
    }
  }

  /** How many chunks there are. */
  public synchronized long size() {
    return table.count() + runs.count();
  }

  /**
   * Writes the packs from this ordinal on that are in the store, with their chunks. Byte by byte in
   * {@code docs/format/state.md}.
   *
   * @param firstPack one that was not loaded from a file, or the first that will be made
   */
  public synchronized void write(int firstPack, OutputStream stored) throws IOException {
    write(firstPack, packCount(), stored);
  }

  /** The same of the packs before this ordinal only. */
  public synchronized void write(int firstPack, int endPack, OutputStream stored)
      throws IOException {
    write(firstPack, endPack, new IndexPart.Writer(stored));
  }

  private void write(int firstPack, int endPack, IndexPart.Writer out) throws IOException {
    if (firstPack < loadedPacks) {
      throw new IllegalArgumentException("packs of files are copied from their parts");
    }
    if (spilled != null) {
      spilled.visit(firstPack, endPack, present::get, out.visitor());
    }
    table.visit(Math.max(firstPack, table.firstPack()), endPack, present::get, out.visitor());
    out.flush();
  }

  /** The stored bytes of a part. */
  @FunctionalInterface
  public interface Part {
    /** Its plain bytes; the caller closes. */
    InputStream open() throws IOException;
  }

  /**
   * Writes the packs of some parts that are wanted, then those from this ordinal on. Nothing but
   * what these have is in memory.
   *
   * @param firstPack as in {@link #write(int, OutputStream)}
   */
  public synchronized void merge(
      List<? extends Part> parts,
      IoPredicate<ObjectRef> isWanted,
      int firstPack,
      OutputStream stored)
      throws IOException {
    IndexPart.Writer out = new IndexPart.Writer(stored);
    for (Part part : parts) {
      try (InputStream in = part.open()) {
        out.copy(in, writer, part.toString(), isWanted);
      }
    }
    write(firstPack, packCount(), out);
  }

  /**
   * Loads a part; where there is a workspace, what stands there of it is not read again.
   *
   * @param object names the part by its content
   */
  public synchronized void load(ObjectRef object, Part part) throws IOException {
    Optional<ChunkRun> run = Optional.empty();
    if (files.isPresent() && packCount() == loadedPacks) {
      run = files.get().run(object, part);
    }
    if (run.isPresent()) {
      runs.add(run.get());
      loadedPacks = runs.packs();
      table.startAt(loadedPacks);
      present.set(0, loadedPacks);
    } else {
      try (InputStream in = part.open()) {
        load(in, object.toString());
      }
    }
  }

  /** Forgets the local files of all parts but these. */
  public void forgetAllBut(Collection<ObjectRef> parts) {
    files.ifPresent(f -> f.keepOnly(parts));
  }

  /** Adds what {@link #write} wrote to what is in memory. */
  public synchronized void load(InputStream stored, String what) throws IOException {
    IndexPart.read(
        stored,
        writer,
        what,
        new IndexPart.Visitor() {
          private int ordinal;

          @Override
          public void pack(ObjectRef pack, int chunks) {
            ordinal = addPack();
            namePack(ordinal, pack);
          }

          @Override
          public void chunk(byte[] id, int offset, int storedBytes, int plainBytes)
              throws IOException {
            add(ChunkId.of(id), new ChunkPlace(ordinal, offset, storedBytes, plainBytes));
          }
        });
  }

  /** Closes the files, and removes those that nobody else needs. */
  @Override
  public synchronized void close() {
    close(runs);
    if (spilled != null) {
      close(spilled);
    }
    files.ifPresent(this::close);
  }

  /** No run fails for a file that it does not need any more: another one sweeps it. */
  private void close(Closeable done) {
    try {
      done.close();
    } catch (IOException e) {
      LOG.warn("files of the index of {} are left: {}", writer, e.toString());
    }
  }
}
