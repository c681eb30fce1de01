package org.stellaops.backup.internal.pipeline;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.stellaops.backup.model.Digest;

/** Keeps chunks, and watches that none is empty or too large. */
final class CollectedChunks implements Cutter.Chunks {
  private final List<byte[]> ended = new ArrayList<>();
  private final byte[] open = new byte[Gear.MAX_BYTES];
  private int length;
  private int searches;

  @Override
  public void append(byte[] bytes, int offset, int count) {
    assertTrue(length + count <= open.length, "a chunk of " + (length + count));
    System.arraycopy(bytes, offset, open, length, count);
    length += count;
  }

  @Override
  public void end() {
    if (length > 0) {
      endAt(length);
    }
  }

  @Override
  public void endAt(int count) {
    assertTrue(count > 0 && count <= length, count + " of " + length);
    ended.add(Arrays.copyOf(open, count));
    length -= count;
    System.arraycopy(open, count, open, 0, length);
  }

  @Override
  public int length() {
    return length;
  }

  @Override
  public int checksum(int count) {
    CRC32C crc = new CRC32C();
    crc.update(open, 0, count);
    return (int) crc.getValue();
  }

  @Override
  public int search(Gear gear) {
    searches++;
    return gear.scan(open, 0, length, 0);
  }

  /** How often bytes were gone over again. */
  int searches() {
    return searches;
  }

  List<Integer> lengths() {
    return ended.stream().map(c -> c.length).toList();
  }

  List<Digest> digests() {
    return ended.stream().map(Digest::ofContent).toList();
  }

  byte[] joined() {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    ended.forEach(all::writeBytes);
    return all.toByteArray();
  }
}
