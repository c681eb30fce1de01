package org.stellaops.backup.internal.repository;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.stellaops.backup.internal.pipeline.ChunkId;
import org.stellaops.backup.internal.pipeline.ChunkPlace;
import org.stellaops.backup.internal.pipeline.KnownChunks;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * Which chunks a writer has stored, and where: 48 bytes a chunk in arrays, found through an
 * open-addressed table of half its slots. Packs have ordinals in the order in which they were made,
 * and the chunks of a pack stand together. From any thread.
 */
public final class ChunkIndex implements KnownChunks {
  private static final byte[] MAGIC = {'S', 'B', 'I', '1'};
  private static final int FREE = -1;

  /** What an array of ids can hold. */
  private static final int MAX_CHUNKS = (1 << 30) / ChunkId.BYTES;

  private final String writer;
  private final List<Pack> packs = new ArrayList<>();
  private final Map<ObjectRef, Integer> ordinals = new HashMap<>();
  private final BitSet present = new BitSet();
  private byte[] ids = new byte[ChunkId.BYTES * 64];
  private int[] places = new int[4 * 64];
  private int[] table = freeTable(256);
  private int count;

  /** An index that knows nothing. */
  public ChunkIndex(String writer) {
    this.writer = writer;
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
    present.set(packs.size() - 1);
    return packs.size() - 1;
  }

  /** A pack was stored under this name. */
  public synchronized void namePack(int ordinal, ObjectRef ref) {
    packs.get(ordinal).ref = Optional.of(ref);
    ordinals.put(ref, ordinal);
  }

  /** The name of a stored pack. */
  public synchronized ObjectRef pack(int ordinal) {
    return packs
        .get(ordinal)
        .ref
        .orElseThrow(() -> new AssertionError("a manifest is written when every pack is stored"));
  }

  /** The ordinal of a stored pack whose chunks count as known. */
  public synchronized OptionalInt ordinal(ObjectRef pack) {
    Integer ordinal = ordinals.get(pack);
    return ordinal != null && present.get(ordinal) ? OptionalInt.of(ordinal) : OptionalInt.empty();
  }

  /** How many packs there are. */
  public synchronized int packCount() {
    return packs.size();
  }

  /**
   * Of the packs that were loaded, only those that are in the store with their size are still
   * known.
   */
  public synchronized void keepOnly(Map<Digest, Long> storedSizes) {
    for (int i = 0; i < packs.size(); i++) {
      boolean isThere =
          packs
              .get(i)
              .ref
              .map(r -> Long.valueOf(r.lengthBytes()).equals(storedSizes.get(r.stored())))
              .orElse(false);
      present.set(i, isThere);
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
    return Optional.empty();
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
    Pack pack = packs.get(place.pack());
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
          "the index of %s is full with %d chunks; hint: divide the sources among writers"
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
  public synchronized int size() {
    return count;
  }

  /**
   * Writes the packs from this ordinal on that are in the store, with their chunks. Byte by byte in
   * {@code docs/format/state.md}.
   */
  public synchronized void write(int firstPack, OutputStream stored) throws IOException {
    write(firstPack, packs.size(), stored);
  }

  /** The same of the packs before this ordinal only. */
  public synchronized void write(int firstPack, int endPack, OutputStream stored)
      throws IOException {
    DataOutputStream out = new DataOutputStream(stored);
    out.write(MAGIC);
    for (int i = firstPack; i < endPack; i++) {
      Pack pack = packs.get(i);
      if (present.get(i) && pack.ref.isPresent()) {
        writePack(pack, pack.ref.get(), out);
      }
    }
    out.flush();
  }

  private void writePack(Pack pack, ObjectRef ref, DataOutputStream out) throws IOException {
    out.write(ref.stored().bytes());
    out.writeLong(ref.lengthBytes());
    out.writeInt(pack.chunks);
    for (int chunk = pack.firstChunk; chunk < pack.firstChunk + pack.chunks; chunk++) {
      out.write(ids, chunk * ChunkId.BYTES, ChunkId.BYTES);
      out.writeInt(places[4 * chunk + 2]);
      out.writeInt(places[4 * chunk + 3]);
    }
  }

  /** Adds what {@link #write} wrote. */
  public synchronized void load(InputStream stored, String what) throws IOException {
    DataInputStream in = new DataInputStream(stored);
    try {
      byte[] magic = new byte[MAGIC.length];
      in.readFully(magic);
      if (!Arrays.equals(magic, MAGIC)) {
        throw malformed(what, "no chunk index");
      }
      for (int first = in.read(); first >= 0; first = in.read()) {
        loadPack(first, in, what);
      }
    } catch (EOFException e) {
      throw malformed(what, "ends within a pack");
    }
  }

  private void loadPack(int firstByte, DataInputStream in, String what) throws IOException {
    byte[] digest = new byte[32];
    digest[0] = (byte) firstByte;
    in.readFully(digest, 1, digest.length - 1);
    long bytes = in.readLong();
    int chunks = in.readInt();
    if (bytes < 0 || chunks < 0) {
      throw malformed(what, "a negative length");
    }
    int ordinal = addPack();
    namePack(ordinal, Names.pack(writer, Digest.of(digest), bytes));
    int offset = 0;
    byte[] id = new byte[ChunkId.BYTES];
    for (int i = 0; i < chunks; i++) {
      in.readFully(id);
      int storedBytes = in.readInt();
      int plainBytes = in.readInt();
      if (storedBytes <= 0 || plainBytes <= 0 || offset + storedBytes < 0) {
        throw malformed(what, "a chunk without length");
      }
      add(ChunkId.of(id), new ChunkPlace(ordinal, offset, storedBytes, plainBytes));
      offset += storedBytes;
    }
  }

  private static BackupException malformed(String what, String found) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, what + ": " + found);
  }
}
