package org.stellaops.backup.internal.pipeline;

import java.io.IOException;
import java.util.Optional;

/**
 * Cuts by content as {@link ContentCutter} does, and at the same places; but where the bytes are
 * those of the last time, it looks for the cuts of the last time and does not search.
 *
 * <p>A chunk ends where its own bytes say so, so one that is equal ends at the same place. After a
 * difference it searches until a chunk is one that it knows, and goes on from there.
 */
final class FamiliarCutter implements Cutter {
  private final Gear gear;
  private final Cuts before;
  private final Cuts.Recorder now = new Cuts.Recorder();
  private int next;

  /** Length of the chunk that is expected; 0 while searching. */
  private int expected;

  FamiliarCutter(Gear gear, Cuts before) {
    this.gear = gear;
    this.before = before;
    expect(0);
  }

  private void expect(int chunk) {
    next = chunk;
    expected = chunk < 0 ? 0 : before.length(chunk);
  }

  @Override
  public void write(byte[] bytes, int offset, int length, Chunks chunks) throws IOException {
    int at = offset;
    int end = offset + length;
    while (at < end) {
      int taken =
          expected > 0 ? collect(bytes, at, end - at, chunks) : search(bytes, at, end - at, chunks);
      at += taken;
    }
  }

  private int collect(byte[] bytes, int at, int left, Chunks chunks) throws IOException {
    int taken = Math.min(left, expected - chunks.length());
    chunks.append(bytes, at, taken);
    if (chunks.length() == expected) {
      settle(chunks);
    }
    return taken;
  }

  private int search(byte[] bytes, int at, int left, Chunks chunks) throws IOException {
    int cut = gear.scan(bytes, at, left, chunks.length());
    int taken = cut < 0 ? left : cut;
    chunks.append(bytes, at, taken);
    if (cut >= 0) {
      cutByContent(chunks.length(), chunks);
    }
    return taken;
  }

  /** As many bytes were collected as were expected, or more after a search went back. */
  private void settle(Chunks chunks) throws IOException {
    while (true) {
      if (chunks.length() == 0 || expected > chunks.length()) {
        return;
      }
      if (expected > 0 && chunks.checksum(expected) == before.checksum(next)) {
        cutAsBefore(chunks);
      } else {
        expected = 0;
        int cut = chunks.search(gear);
        if (cut < 0) {
          return;
        }
        cutByContent(cut, chunks);
      }
    }
  }

  private void cutAsBefore(Chunks chunks) throws IOException {
    now.add(expected, before.checksum(next));
    chunks.endAt(expected);
    expect(next + 1);
  }

  private void cutByContent(int length, Chunks chunks) throws IOException {
    int checksum = chunks.checksum(length);
    now.add(length, checksum);
    chunks.endAt(length);
    int known = before.after(length, checksum);
    // Changed in its place: what follows may be the same.
    boolean isInPlace = known < 0 && before.length(next) == length;
    expect(isInPlace ? next + 1 : known);
  }

  @Override
  public void end(Chunks chunks) throws IOException {
    if (expected > 0) {
      searchCollected(chunks);
    }
    if (chunks.length() > 0) {
      now.add(0, 0);
      expect(next < 0 ? next : before.afterEnd(next));
      chunks.end();
    }
  }

  /** What was expected did not come whole: these bytes may hold other cuts. */
  private void searchCollected(Chunks chunks) throws IOException {
    for (int cut = chunks.search(gear); cut >= 0; cut = chunks.search(gear)) {
      cutByContent(cut, chunks);
    }
    expected = 0;
  }

  @Override
  public Optional<Cuts> cuts() {
    return Optional.of(now.cuts());
  }
}
