package org.stellaops.backup.model;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One countable thing in a source: a table, a collection, a set of files. */
public final class InventoryItem {
  private final String name;
  private final long count;
  private final long bytes;
  private final @Nullable Digest content;

  private InventoryItem(String name, long count, long bytes, @Nullable Digest content) {
    if (count < 0 || bytes < 0) {
      throw new IllegalArgumentException("negative inventory of " + name);
    }
    this.name = name;
    this.count = count;
    this.bytes = bytes;
    this.content = content;
  }

  /** Of a thing whose content has no digest. */
  public static InventoryItem of(String name, long count, long bytes) {
    return new InventoryItem(name, count, bytes, null);
  }

  /** Of a thing with a digest of its plain content; how it is formed is the source's affair. */
  public static InventoryItem of(String name, long count, long bytes, Digest content) {
    return new InventoryItem(name, count, bytes, content);
  }

  /** What is counted. */
  public String name() {
    return name;
  }

  /** How many rows, documents, files. */
  public long count() {
    return count;
  }

  /** How many plain bytes. */
  public long bytes() {
    return bytes;
  }

  /** Digest of the plain content, where the source forms one. */
  public Optional<Digest> content() {
    return Optional.ofNullable(content);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof InventoryItem that
        && name.equals(that.name)
        && count == that.count
        && bytes == that.bytes
        && content().equals(that.content());
  }

  @Override
  public int hashCode() {
    return name.hashCode() * 31 + Long.hashCode(count);
  }

  @Override
  public String toString() {
    return name + ": " + count + " (" + bytes + " bytes)";
  }
}
