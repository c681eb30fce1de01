package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.RetentionEntry.Swept;
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
  private final Speakers speakers;
  private final List<StreamLog.Standing> newestFirst = new ArrayList<>();
  private final NavigableMap<Long, Swept> swept;
  private final boolean readsReplaced;
  private boolean isTrusted = true;

  /** For a log in which nobody gave way to anybody, and of which nothing went. */
  StreamLogReader(LogSlots slots) {
    this(slots, Collections.emptyNavigableMap());
  }

  /** For a log in which nobody gave way to anybody. */
  StreamLogReader(LogSlots slots, NavigableMap<Long, Swept> swept) {
    this(slots, slots.pinned(), swept);
  }

  /**
   * @param swept slots that are gone, or going, by the last of each range
   */
  StreamLogReader(LogSlots slots, Speakers speakers, NavigableMap<Long, Swept> swept) {
    this(slots, speakers, swept, false);
  }

  /**
   * @param swept slots that are gone, or going, by the last of each range
   * @param readsReplaced whether entries whose place others took count where they are: those others
   *     leave out what was let go of since
   */
  StreamLogReader(
      LogSlots slots, Speakers speakers, NavigableMap<Long, Swept> swept, boolean readsReplaced) {
    this.readsReplaced = readsReplaced;
    this.slots = slots;
    this.speakers = speakers;
    this.swept = swept;
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
        isHeadSound = content.isPresent() || entry.map(this::isFence).orElse(false);
      }
      Optional<StreamEntry.Replaced> replaced =
          readsReplaced ? Optional.empty() : content.flatMap(StreamEntry::replaced);
      Optional<Digest> named =
          replaced.isPresent()
              ? replaced.get().before().map(Head::digest)
              : entry.flatMap(Entry::previous);
      long next = replaced.map(StreamEntry.Replaced::first).orElse(slot) - 1;
      for (Swept range = sweptAt(next, named); range != null; range = sweptAt(next, named)) {
        next = range.first() - 1;
        named = range.before().map(Head::digest);
      }
      slot = below(next + 1, filled);
      expected = slot == next ? named : Optional.empty();
    }
    Collections.reverse(newestFirst);
    long newest = head.map(Head::sequence).orElse(0L);
    Optional<Head> lost =
        slots.promoted().filter(p -> p.sequence() > newest && p.sequence() <= upTo);
    if (lost.isPresent()) {
      // A copy that became the primary goes on behind what was lost.
      slots.missing(newest + 1, lost.get().sequence());
      head = lost;
      isHeadSound = true;
    }
    return new StreamLog(
        slots.log(),
        newestFirst,
        slots.damage(),
        head,
        isHeadSound,
        isTrusted,
        Set.of(),
        slots.notHeld());
  }

  /**
   * The range that this slot is in. In its last one this digest must have stood; within it may
   * stand anything, and whoever recorded on may have replaced what is behind that slot.
   */
  private @Nullable Swept sweptAt(long slot, Optional<Digest> named) {
    for (Swept range : swept.tailMap(slot, true).values()) {
      boolean isLast = range.last().sequence() == slot;
      boolean isNamed = named.map(d -> d.equals(range.last().digest())).orElse(true);
      if (range.first() <= slot && (!isLast || isNamed)) {
        return range;
      }
    }
    return null;
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

  /** It says nothing of the stream, and only holds a slot. */
  private boolean isFence(Entry entry) {
    boolean isFence =
        entry.kind().equals(KeyHistory.ROTATE) || entry.kind().equals(KeyHistory.SEAL);
    return isFence && speakers.judge(entry, entry.time()).damage().isEmpty();
  }

  private Optional<StreamEntry> admit(long slot, Entry entry) {
    Optional<Boolean> trust = slots.trust(entry, speakers, entry.time());
    if (trust.isEmpty() || isFence(entry)) {
      return Optional.empty();
    }
    isTrusted &= trust.get();
    try {
      StreamEntry content = StreamEntry.of(entry);
      newestFirst.add(
          new StreamLog.Standing(
              new Head(slot, entry.digest()), content, StreamLog.Signed.of(entry)));
      return Optional.of(content);
    } catch (BackupException e) {
      slots.report(e.code(), slot, e.detail());
      return Optional.empty();
    }
  }
}
