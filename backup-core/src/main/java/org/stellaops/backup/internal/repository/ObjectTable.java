package org.stellaops.backup.internal.repository;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.disk.ScratchFile;
import org.stellaops.backup.internal.disk.ScratchFolder;
import org.stellaops.backup.model.Digest;

/**
 * Content-named objects of one writer, 41 bytes each: some thousands in memory, the others in a
 * file. One thread; closing gives the file back.
 */
public final class ObjectTable implements Closeable {
  private static final int ROW_BYTES = 1 + 32 + 8;
  private static final int MOST_IN_MEMORY = 1 << 14;
  private static final List<String> FOLDERS =
      List.of("packs", "manifests", "state", "stream", "lists");

  private final String writer;
  private final ScratchFolder folder;
  private @Nullable ScratchFile file;
  private byte[] rows = new byte[ROW_BYTES * 64];
  private int count;

  /**
   * An empty one.
   *
   * @param folder takes what does not fit memory
   */
  public ObjectTable(String writer, ScratchFolder folder) {
    this.writer = writer;
    this.folder = folder;
  }

  /** Whether an object has the ending that those of its folder have. */
  public static boolean isCanonical(ObjectRef object) {
    return object.isList() == object.name().value().split("/", -1)[2].equals("lists");
  }

  /** Adds an object. */
  public void add(ObjectRef object) throws IOException {
    if (count == MOST_IN_MEMORY) {
      spill();
    }
    if ((count + 1) * ROW_BYTES > rows.length) {
      rows = Arrays.copyOf(rows, rows.length * 2);
    }
    ByteBuffer row = ByteBuffer.wrap(rows, count * ROW_BYTES, ROW_BYTES);
    row.put((byte) FOLDERS.indexOf(object.name().value().split("/", -1)[2]));
    row.put(object.stored().bytes());
    row.putLong(object.lengthBytes());
    count++;
  }

  private void spill() throws IOException {
    ScratchFile to = file;
    if (to == null) {
      to = folder.create();
      file = to;
    }
    to.append(rows, 0, count * ROW_BYTES);
    count = 0;
  }

  /** Hands over all of them, in the order in which they were added. */
  public void forEach(PackLists.Named objects) throws IOException {
    ScratchFile from = file;
    if (from != null) {
      byte[] block = new byte[MOST_IN_MEMORY * ROW_BYTES];
      for (long at = 0; at < from.lengthBytes(); at += block.length) {
        from.read(at, block, block.length);
        forEach(block, MOST_IN_MEMORY, objects);
      }
    }
    forEach(rows, count, objects);
  }

  private void forEach(byte[] some, int number, PackLists.Named objects) throws IOException {
    for (int i = 0; i < number; i++) {
      objects.accept(object(ByteBuffer.wrap(some, i * ROW_BYTES, ROW_BYTES)));
    }
  }

  private ObjectRef object(ByteBuffer row) {
    String kind = FOLDERS.get(row.get());
    byte[] digest = new byte[32];
    row.get(digest);
    Digest stored = Digest.of(digest);
    long bytes = row.getLong();
    return switch (kind) {
      case "packs" -> Names.pack(writer, stored, bytes);
      case "manifests" -> Names.manifest(writer, stored, bytes);
      case "state" -> Names.state(writer, stored, bytes);
      case "stream" -> Names.stream(writer, stored, bytes);
      default -> Names.list(writer, stored, bytes);
    };
  }

  @Override
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
  }
}
