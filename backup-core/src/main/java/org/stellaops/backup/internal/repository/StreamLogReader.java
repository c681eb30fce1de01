package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;

/**
 * Reads the log of a stream from its newest slot backwards. An entry that takes the place of others
 * names the digest of the entry below them, so the chain is whole without reading those; else each
 * entry names the one before it. So the work grows with what counts, not with what was ever
 * written. What is wrong is collected, so that one bad entry hides no good one.
 */
final class StreamLogReader {
  private final LogSlots slots;
  private final List<StreamLog.Standing> newestFirst = new ArrayList<>();
  private boolean isTrusted = true;

  StreamLogReader(LogSlots slots) {
    this.slots = slots;
  }

  /** The log as it was when {@code upTo} was its newest slot. */
  StreamLog read(long upTo) throws IOException {
    NavigableSet<Long> filled = slots.list().headSet(upTo, true);
    Optional<Head> head = Optional.empty();
    boolean isHeadSound = true;
    long slot = filled.isEmpty() ? 0 : filled.last();
    Optional<Digest> expected = Optional.empty();
    while (slot > 0) {
      byte[] bytes = slots.read(slot);
      Digest digest = Digest.ofContent(bytes);
      Optional<Entry> entry = examine(slot, bytes, expected);
      Optional<StreamEntry> content = entry.isEmpty() ? Optional.empty() : admit(slot, entry.get());
      if (head.isEmpty()) {
        head = Optional.of(new Head(slot, digest));
        isHeadSound = content.isPresent();
      }
      Optional<StreamEntry.Replaced> replaced = content.flatMap(StreamEntry::replaced);
      Optional<Digest> named =
          replaced.isPresent()
              ? replaced.get().before().map(Head::digest)
              : entry.flatMap(Entry::previous);
      long first = replaced.map(StreamEntry.Replaced::first).orElse(slot);
      slot = below(first, filled);
      expected = slot == first - 1 ? named : Optional.empty();
    }
    Collections.reverse(newestFirst);
    return new StreamLog(slots.log(), newestFirst, slots.damage(), head, isHeadSound, isTrusted);
  }

  /** The slot before; where it is empty, the next one that is not. */
  private long below(long slot, NavigableSet<Long> filled) {
    if (slot == 1 || filled.contains(slot - 1)) {
      return slot - 1;
    }
    Long next = filled.lower(slot);
    slots.missing(next == null ? 1 : next + 1, slot - 1);
    return next == null ? 0 : next;
  }

  private Optional<Entry> examine(long slot, byte[] bytes, Optional<Digest> expected) {
    Optional<Entry> parsed = slots.parse(slot, bytes);
    if (parsed.isEmpty()) {
      return parsed;
    }
    Entry entry = parsed.get();
    if (expected.isPresent() && !expected.get().equals(entry.digest())) {
      slots.report(
          CoreFailure.CHAIN_BROKEN,
          slot,
          "has the digest %s, the entry behind it names %s"
              .formatted(entry.digest(), expected.get()));
    }
    if ((slot == 1) != entry.previous().isEmpty()) {
      slots.report(
          CoreFailure.CHAIN_BROKEN, slot, "names no entry before it, or one before the first");
    }
    return parsed;
  }

  private Optional<StreamEntry> admit(long slot, Entry entry) {
    if (slots.isForeign(slot, entry)) {
      return Optional.empty();
    }
    isTrusted &= slots.isTrusted(entry);
    try {
      StreamEntry content = StreamEntry.of(entry);
      newestFirst.add(new StreamLog.Standing(new Head(slot, entry.digest()), content));
      return Optional.of(content);
    } catch (BackupException e) {
      slots.report(e.code(), slot, e.detail());
      return Optional.empty();
    }
  }
}
