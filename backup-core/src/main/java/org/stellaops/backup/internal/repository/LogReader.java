package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * Reads a log from its first slot to its last. An entry is believed if it is signed, stands in the
 * slot it names, and names the digest of the entry before it. What is wrong is collected, so that
 * one bad entry hides no good one.
 */
final class LogReader {
  private final LogSlots slots;
  private final List<Standing> entries = new ArrayList<>();

  LogReader(LogSlots slots) {
    this.slots = slots;
  }

  LogView read() throws IOException {
    Optional<Head> head = Optional.empty();
    long next = 1;
    for (long slot : slots.list()) {
      if (slot != next) {
        slots.missing(next, slot - 1);
        head = Optional.empty();
      }
      byte[] bytes = slots.read(slot);
      examine(slot, bytes, head);
      head = Optional.of(new Head(slot, Digest.ofContent(bytes)));
      next = slot + 1;
    }
    boolean isHeadSound = head.isEmpty() || isLast(head.get());
    return new LogView(slots.log(), entries, slots.damage(), head, isHeadSound);
  }

  private boolean isLast(Head head) {
    return !entries.isEmpty()
        && entries.get(entries.size() - 1).entry().sequence() == head.sequence();
  }

  private void examine(long slot, byte[] bytes, Optional<Head> before) {
    Optional<Entry> parsed = slots.parse(slot, bytes);
    if (parsed.isEmpty()) {
      return;
    }
    Entry entry = parsed.get();
    boolean isFirst = slot == 1;
    boolean isChained = isFirst ? entry.previous().isEmpty() : isChained(entry, before);
    if (!isChained) {
      slots.report(
          CoreFailure.CHAIN_BROKEN,
          slot,
          "names %s as the entry before it, found %s"
              .formatted(
                  entry.previous().map(Digest::hex).orElse("none"),
                  before.map(h -> h.digest().hex()).orElse("none")));
    }
    if (!slots.isForeign(slot, entry)) {
      entries.add(new Standing(entry, slots.isTrusted(entry)));
    }
  }

  private static boolean isChained(Entry entry, Optional<Head> before) {
    return before.isPresent() && entry.previous().equals(before.map(Head::digest));
  }
}
