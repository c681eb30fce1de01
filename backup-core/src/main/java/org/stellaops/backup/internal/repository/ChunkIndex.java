package org.stellaops.backup.internal.repository;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.internal.pipeline.KnownChunks;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * Which chunks a writer has stored, and where. What earlier runs stored is searched in sorted local
 * files, of which only the beginnings of buckets and a bit for each pack are in memory; what this
 * run stores, and whatever there is no local file for, stands in a table: 48 bytes a chunk in
 * arrays, found through an open-addressed table of half its slots. Packs have ordinals: those of
 * files first, then the others in the order in which they were made, and the chunks of these stand
 * together. From any thread.
 */
public final class ChunkIndex implements KnownChunks, Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ChunkIndex.class);
  private static final int FREE = -1;

  /** What an array of ids can hold. */
  private static final int MAX_CHUNKS = (1 << 30) / ChunkId.BYTES;

  private final String writer;
  private final Optional<ChunkFiles> files;
  private final List<ChunkRun> runs = new ArrayList<>();
  private final List<Integer> firstOfRun = new ArrayList<>();
  private final List<Pack> packs = new ArrayList<>();
  private final BitSet present = new BitSet();
  private int packsInRuns;
  private byte[] ids = new byte[ChunkId.BYTES * 64];
  private int[] places = new int[4 * 64];
  private int[] table = freeTable(256);
  private int count;

  /** An index that knows nothing, and keeps what it loads in memory. */
  public ChunkIndex(String writer) {
    this(writer, Optional.empty());
  }

  /**
   * An index that knows nothing.
   *
   * @param files what it loads, for the next one to find
   */
  ChunkIndex(String writer, Optional<ChunkFiles> files) {
    this.writer = writer;
    this.files = files;
  }

  /**
   * An index that knows nothing, and keeps what it loads where the repository's workspace is, if
   * there is one.
   */
  public static ChunkIndex of(Repository repository, String writer) {
    return new ChunkIndex(writer, repository.cache().map(folder -> ChunkFiles.in(folder, writer)));
  }

  /** Whose packs they are. */
  public String writer() {
    return writer;
  }

  /** Whether the chunks of a pack count as known. */
  public synchronized boolean isPresent(int ordinal) {
    return present.get(ordinal);
  }

  private static final class Pack {
    Optional<ObjectRef> ref = Optional.empty();
    int firstChunk;
    int chunks;
  }

  private static int[] freeTable(int slots) {
    int[] table = new int[slots];
    Arrays.fill(table, FREE);
    return table;
  }

  /** Ordinal of a pack that is about to be filled; its chunks count as known at once. */
  public synchronized int addPack() {
    Pack pack = new Pack();
    pack.firstChunk = count;
    packs.add(pack);
    int ordinal = packsInRuns + packs.size() - 1;
    present.set(ordinal);
    return ordinal;
  }

  /** A pack was stored under this name. */
  public synchronized void namePack(int ordinal, ObjectRef ref) {
    packs.get(ordinal - packsInRuns).ref = Optional.of(ref);
  }

  /** The name of a stored pack. */
  public synchronized ObjectRef pack(int ordinal) {
    if (ordinal < packsInRuns) {
      try {
        return packInRun(ordinal);
      } catch (IOException e) {
        throw new UncheckedIOException("a file of the workspace cannot be read any more", e);
      }
    }
    return packs
        .get(ordinal - packsInRuns)
        .ref
        .orElseThrow(() -> new AssertionError("a manifest is written when every pack is stored"));
  }

  /** Ordinals of those of these packs whose chunks count as known. */
  public synchronized Map<ObjectRef, Integer> ordinals(Set<ObjectRef> wanted) throws IOException {
    Map<ObjectRef, Integer> ordinals = new HashMap<>();
    for (int ordinal = 0; ordinal < packCount() && !wanted.isEmpty(); ordinal++) {
      Optional<ObjectRef> pack =
          ordinal < packsInRuns
              ? Optional.of(packInRun(ordinal))
              : packs.get(ordinal - packsInRuns).ref;
      if (present.get(ordinal) && pack.filter(wanted::contains).isPresent()) {
        ordinals.put(pack.get(), ordinal);
      }
    }
    return ordinals;
  }

  private ObjectRef packInRun(int ordinal) throws IOException {
    int run = runs.size() - 1;
    while (firstOfRun.get(run) > ordinal) {
      run--;
    }
    return runs.get(run).pack(ordinal - firstOfRun.get(run), writer);
  }

  /** How many packs there are. */
  public synchronized int packCount() {
    return packsInRuns + packs.size();
  }

  /** Only packs that are in the store with their size are still known. */
  public synchronized void keepOnly(Predicate<ObjectRef> isThere) throws IOException {
    for (int ordinal = 0; ordinal < packsInRuns; ordinal++) {
      present.set(ordinal, isThere.test(packInRun(ordinal)));
    }
    for (int i = 0; i < packs.size(); i++) {
      present.set(packsInRuns + i, packs.get(i).ref.filter(isThere).isPresent());
    }
  }

  @Override
  public synchronized Optional<ChunkPlace> find(ChunkId id) {
    for (int slot = slotOf(id); table[slot] != FREE; slot = (slot + 1) & (table.length - 1)) {
      int chunk = table[slot];
      if (id.isAt(ids, chunk * ChunkId.BYTES) && present.get(places[4 * chunk])) {
        return Optional.of(place(chunk));
      }
    }
    for (int i = runs.size() - 1; i >= 0; i--) {
      Optional<ChunkPlace> place = find(id, runs.get(i), firstOfRun.get(i));
      if (place.isPresent()) {
        return place;
      }
    }
    return Optional.empty();
  }

  /** What cannot be read is not known: then more is stored than necessary. */
  private Optional<ChunkPlace> find(ChunkId id, ChunkRun run, int first) {
    try {
      return run.find(id, pack -> present.get(first + pack))
          .map(p -> new ChunkPlace(first + p.pack(), p.offset(), p.storedBytes(), p.plainBytes()));
    } catch (IOException e) {
      LOG.warn("the local index of {} cannot be read: {}", writer, e.toString());
      return Optional.empty();
    }
  }

  private int slotOf(ChunkId id) {
    return id.hashCode() & (table.length - 1);
  }

  private ChunkPlace place(int chunk) {
    int at = 4 * chunk;
    return new ChunkPlace(places[at], places[at + 1], places[at + 2], places[at + 3]);
  }

  @Override
  public synchronized void add(ChunkId id, ChunkPlace place) throws BackupException.Refused {
    requireRoom();
    grow();
    id.copyTo(ids, count * ChunkId.BYTES);
    int at = 4 * count;
    places[at] = place.pack();
    places[at + 1] = place.offset();
    places[at + 2] = place.storedBytes();
    places[at + 3] = place.plainBytes();
    Pack pack = packs.get(place.pack() - packsInRuns);
    if (pack.firstChunk + pack.chunks != count) {
      throw new AssertionError("chunks of a pack are added one after the other");
    }
    pack.chunks++;
    insert(id, count++);
  }

  private void insert(ChunkId id, int chunk) {
    int slot = slotOf(id);
    while (table[slot] != FREE) {
      slot = (slot + 1) & (table.length - 1);
    }
    table[slot] = chunk;
  }

  private void requireRoom() throws BackupException.Refused {
    if (count == MAX_CHUNKS) {
      throw new BackupException.Refused(
          CoreFailure.TOO_LARGE,
          "the index of %s is full with %d chunks in memory; hint: give the engine a workspace, or divide the sources among writers"
              .formatted(writer, MAX_CHUNKS));
    }
  }

  private void grow() {
    if ((count + 1) * ChunkId.BYTES > ids.length) {
      ids = Arrays.copyOf(ids, ids.length * 2);
      places = Arrays.copyOf(places, places.length * 2);
    }
    if ((count + 1) * 2 > table.length) {
      table = freeTable(table.length * 2);
      byte[] id = new byte[ChunkId.BYTES];
      for (int chunk = 0; chunk < count; chunk++) {
        System.arraycopy(ids, chunk * ChunkId.BYTES, id, 0, id.length);
        insert(ChunkId.of(id), chunk);
      }
    }
  }

  /** How many chunks there are. */
  public synchronized long size() {
    return count + runs.stream().mapToLong(ChunkRun::count).sum();
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
    if (firstPack < packsInRuns) {
      throw new IllegalArgumentException("packs of files are copied from their parts");
    }
    for (int i = firstPack - packsInRuns; i < endPack - packsInRuns; i++) {
      Pack pack = packs.get(i);
      if (present.get(packsInRuns + i) && pack.ref.isPresent()) {
        out.pack(pack.ref.get(), pack.chunks);
        for (int chunk = pack.firstChunk; chunk < pack.firstChunk + pack.chunks; chunk++) {
          int at = 4 * chunk;
          out.chunk(ids, chunk * ChunkId.BYTES, places[at + 2], places[at + 3]);
        }
      }
    }
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
      List<? extends Part> parts, Predicate<ObjectRef> isWanted, int firstPack, OutputStream stored)
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
    if (files.isPresent() && packs.isEmpty()) {
      run = files.get().run(object, part);
    }
    if (run.isPresent()) {
      runs.add(run.get());
      firstOfRun.add(packsInRuns);
      packsInRuns += run.get().packs();
      present.set(0, packsInRuns);
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

  /** Closes the files. */
  @Override
  public synchronized void close() throws IOException {
    for (ChunkRun run : runs) {
      run.close();
    }
  }
}
