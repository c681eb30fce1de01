package org.stellaops.backup.internal.repository;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.stellaops.backup.model.Digest;

/** Content-named objects of one writer, 41 bytes each. One thread. */
public final class ObjectTable {
  private static final int ROW_BYTES = 1 + 32 + 8;
  private static final List<String> FOLDERS =
      List.of("packs", "manifests", "state", "stream", "lists");

  private final String writer;
  private byte[] rows = new byte[ROW_BYTES * 64];
  private int count;

  /** An empty one. */
  public ObjectTable(String writer) {
    this.writer = writer;
  }

  /** Whether an object has the ending that those of its folder have. */
  public static boolean isCanonical(ObjectRef object) {
    return object.isList() == object.name().value().split("/", -1)[2].equals("lists");
  }

  /** Adds an object. */
  public void add(ObjectRef object) {
    if ((count + 1) * ROW_BYTES > rows.length) {
      rows = Arrays.copyOf(rows, rows.length * 2);
    }
    ByteBuffer row = ByteBuffer.wrap(rows, count * ROW_BYTES, ROW_BYTES);
    row.put((byte) FOLDERS.indexOf(object.name().value().split("/", -1)[2]));
    row.put(object.stored().bytes());
    row.putLong(object.lengthBytes());
    count++;
  }

  /** How many there are. */
  public int size() {
    return count;
  }

  /** One of them. */
  public ObjectRef at(int index) {
    ByteBuffer row = ByteBuffer.wrap(rows, index * ROW_BYTES, ROW_BYTES);
    String folder = FOLDERS.get(row.get());
    byte[] digest = new byte[32];
    row.get(digest);
    Digest stored = Digest.of(digest);
    long bytes = row.getLong();
    return switch (folder) {
      case "packs" -> Names.pack(writer, stored, bytes);
      case "manifests" -> Names.manifest(writer, stored, bytes);
      case "state" -> Names.state(writer, stored, bytes);
      case "stream" -> Names.stream(writer, stored, bytes);
      default -> Names.list(writer, stored, bytes);
    };
  }
}
