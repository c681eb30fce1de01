package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;

/**
 * Packs and their chunks in memory: 48 bytes a chunk in arrays, found through an open-addressed
 * table of half its slots. Packs are in the order in which they were made, and the chunks of each
 * stand together. One thread at a time.
 */
final class ChunkTable {
  /** What an array of ids can hold. */
  static final int MAX_CHUNKS = (1 << 30) / ChunkId.BYTES;

  /** Of a chunk at most, where the arrays are full. */
  static final int BYTES_OF_A_CHUNK = ChunkId.BYTES + 4 * 4 + 2 * 2 * 4;

  private static final int FREE = -1;
  private static final int SMALLEST = 64;

  private final List<Pack> packs = new ArrayList<>();
  private int firstPack;
  private byte[] ids = new byte[ChunkId.BYTES * SMALLEST];
  private int[] places = new int[4 * SMALLEST];
  private int[] table = freeTable(4 * SMALLEST);
  private int count;

  private static final class Pack {
    private @Nullable ObjectRef ref;
    private int firstChunk;
    private int chunks;
  }

  private static int[] freeTable(int slots) {
    int[] table = new int[slots];
    Arrays.fill(table, FREE);
    return table;
  }

  /** Ordinal of the first pack, also of one that is not made yet. */
  int firstPack() {
    return firstPack;
  }

  /** Ordinal of the pack that is made next. */
  int endPack() {
    return firstPack + packs.size();
  }

  /** Says how many packs there are elsewhere, before any is made here. */
  void startAt(int ordinal) {
    if (!packs.isEmpty()) {
      throw new IllegalStateException("packs keep their ordinals");
    }
    firstPack = ordinal;
  }

  /** How many chunks there are. */
  int count() {
    return count;
  }

  /** Makes a pack; returns its ordinal. */
  int addPack() {
    Pack pack = new Pack();
    pack.firstChunk = count;
    packs.add(pack);
    return endPack() - 1;
  }

  /** Names a pack, unless it was given up and is not here any more. */
  void namePack(int ordinal, ObjectRef ref) {
    if (ordinal >= firstPack) {
      packs.get(ordinal - firstPack).ref = ref;
    }
  }

  /** Names the packs that have no name and will get none, so that those behind them can go. */
  void giveUpUnnamed(ObjectRef name) {
    for (Pack pack : packs) {
      pack.ref = pack.ref == null ? name : pack.ref;
    }
  }

  /** The name of a pack, if it has one. */
  Optional<ObjectRef> pack(int ordinal) {
    return Optional.ofNullable(packs.get(ordinal - firstPack).ref);
  }

  /** Where a chunk is of which the pack counts. */
  Optional<ChunkPlace> find(ChunkId id, IntPredicate isPresent) {
    for (int slot = slotOf(id); table[slot] != FREE; slot = (slot + 1) & (table.length - 1)) {
      int chunk = table[slot];
      if (id.isAt(ids, chunk * ChunkId.BYTES) && isPresent.test(places[4 * chunk])) {
        return Optional.of(place(chunk));
      }
    }
    return Optional.empty();
  }

  private int slotOf(ChunkId id) {
    return id.hashCode() & (table.length - 1);
  }

  private ChunkPlace place(int chunk) {
    int at = 4 * chunk;
    return new ChunkPlace(places[at], places[at + 1], places[at + 2], places[at + 3]);
  }

  /** Adds a chunk to the pack that was made last, or the one whose chunks came last. */
  void add(ChunkId id, ChunkPlace place) {
    grow();
    id.copyTo(ids, count * ChunkId.BYTES);
    int at = 4 * count;
    places[at] = place.pack();
    places[at + 1] = place.offset();
    places[at + 2] = place.storedBytes();
    places[at + 3] = place.plainBytes();
    Pack pack = packs.get(place.pack() - firstPack);
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

  private void grow() {
    if ((count + 1) * ChunkId.BYTES > ids.length) {
      ids = Arrays.copyOf(ids, ids.length * 2);
      places = Arrays.copyOf(places, places.length * 2);
    }
    if ((count + 1) * 2 > table.length) {
      insertAll(table.length * 2);
    }
  }

  private void insertAll(int slots) {
    table = freeTable(slots);
    byte[] id = new byte[ChunkId.BYTES];
    for (int chunk = 0; chunk < count; chunk++) {
      System.arraycopy(ids, chunk * ChunkId.BYTES, id, 0, id.length);
      insert(ChunkId.of(id), chunk);
    }
  }

  /** Where the packs end that are whole, in order: named, and another one was made since. */
  int endOfWhole() {
    int end = 0;
    while (end < packs.size() - 1 && packs.get(end).ref != null) {
      end++;
    }
    return firstPack + end;
  }

  /** How many chunks stand in packs before this one. */
  int chunksBefore(int ordinal) {
    return ordinal == endPack() ? count : packs.get(ordinal - firstPack).firstChunk;
  }

  /** Hands over those packs with a name that are wanted, in order, with their chunks. */
  void visit(int from, int to, IntPredicate isWanted, IndexPart.Visitor visitor)
      throws IOException {
    byte[] id = new byte[ChunkId.BYTES];
    for (int ordinal = from; ordinal < to; ordinal++) {
      Pack pack = packs.get(ordinal - firstPack);
      ObjectRef ref = pack.ref;
      if (ref != null && isWanted.test(ordinal)) {
        visitor.pack(ref, pack.chunks);
        for (int chunk = pack.firstChunk; chunk < pack.firstChunk + pack.chunks; chunk++) {
          System.arraycopy(ids, chunk * ChunkId.BYTES, id, 0, id.length);
          int at = 4 * chunk;
          visitor.chunk(id, places[at + 1], places[at + 2], places[at + 3]);
        }
      }
    }
  }

  /** Forgets the packs before this one, and gives back their memory. */
  void forgetBefore(int ordinal) {
    int gone = chunksBefore(ordinal);
    packs.subList(0, ordinal - firstPack).clear();
    packs.forEach(pack -> pack.firstChunk -= gone);
    firstPack = ordinal;
    count -= gone;
    int capacity = Math.max(SMALLEST, Integer.highestOneBit(2 * count));
    byte[] allIds = ids;
    int[] allPlaces = places;
    ids = new byte[ChunkId.BYTES * capacity];
    places = new int[4 * capacity];
    System.arraycopy(allIds, ChunkId.BYTES * gone, ids, 0, ChunkId.BYTES * count);
    System.arraycopy(allPlaces, 4 * gone, places, 0, 4 * count);
    insertAll(4 * capacity);
  }
}
