package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import org.stellaops.backup.internal.repository.EntryCache.Cached;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.spi.StoredObject;

/**
 * Reads a log from its first slot to its last. An entry is believed if it is signed, stands in the
 * slot it names, and names the digest of the entry before it. What is wrong is collected, so that
 * one bad entry hides no good one.
 */
final class LogReader {
  private final LogSlots slots;
  private final EntryCache cache;
  private final List<Entry> parsed = new ArrayList<>();
  private Optional<Head> head = Optional.empty();
  private boolean isHeadLost;

  /** Reads every entry from the store. */
  LogReader(LogSlots slots) {
    this(slots, EntryCache.in(Optional.empty(), ""));
  }

  /** Reads what is not known from before. */
  LogReader(LogSlots slots, EntryCache cache) {
    this.slots = slots;
    this.cache = cache;
  }

  /** What is there, believed if its key is pinned: for logs in which nobody gave way. */
  LogView read() throws IOException {
    parse();
    return judged(slots.pinned());
  }

  /** The entries that are signed and stand where they say, whoever signed them; once. */
  List<Entry> parse() throws IOException {
    return parse(slots.rows());
  }

  /** The same, of what was listed before. */
  List<Entry> parse(NavigableMap<Long, StoredObject> rows) throws IOException {
    Map<Long, Cached> known = cache.of(slots.log());
    Map<Long, Cached> now = new HashMap<>();
    boolean isNews = false;
    long next = 1;
    for (Map.Entry<Long, StoredObject> row : rows.entrySet()) {
      long slot = row.getKey();
      if (slot != next) {
        slots.missing(next, slot - 1);
        head = slots.promoted().filter(p -> p.sequence() == slot - 1);
      }
      Cached before = known.get(slot);
      if (before != null && before.isOf(row.getValue())) {
        chain(before.entry());
        head = Optional.of(new Head(slot, before.entry().digest()));
        now.put(slot, before);
      } else {
        isNews |= read(row.getValue(), slot, now);
      }
      next = slot + 1;
    }
    lost(next);
    if (isNews) {
      cache.keep(slots.log(), now);
    }
    return List.copyOf(parsed);
  }

  /** A copy that became the primary goes on behind what was lost. */
  private void lost(long next) {
    Optional<Head> promoted = slots.promoted().filter(p -> p.sequence() >= next);
    if (promoted.isPresent()) {
      slots.missing(next, promoted.get().sequence());
      head = promoted;
      isHeadLost = true;
    }
  }

  /** Reads what stands in a slot; whether it is something to be kept. */
  private boolean read(StoredObject object, long slot, Map<Long, Cached> now) throws IOException {
    byte[] bytes = slots.read(slot);
    Optional<Entry> found = slots.parse(slot, bytes);
    found.ifPresent(this::chain);
    head = Optional.of(new Head(slot, Digest.ofContent(bytes)));
    boolean isKept =
        found.isPresent()
            && bytes.length == object.lengthBytes()
            && !object.version().isEmpty()
            && SnapshotEntry.isReadable(found.get());
    if (isKept) {
      now.put(slot, new Cached(found.get(), object.lengthBytes(), object.version()));
    }
    return isKept;
  }

  /** What was parsed, as far as its signers are believed. */
  LogView judged(Speakers speakers) {
    List<Standing> entries = new ArrayList<>();
    Instant latest = Instant.MIN;
    for (Entry entry : parsed) {
      Instant time = entry.time().isAfter(latest) ? entry.time() : latest;
      Optional<Boolean> trust = slots.trust(entry, speakers, time);
      trust.ifPresent(isTrusted -> entries.add(new Standing(entry, isTrusted)));
      latest = trust.orElse(false) ? time : latest;
    }
    long next = head.map(Head::sequence).orElse(0L) + 1;
    return new LogView(
        slots.log(),
        entries,
        slots.damage(),
        head,
        head.isEmpty() || isHeadLost || isLast(entries, head.get()),
        key -> speakers.refusal(slots.log(), next, key),
        slots.notHeld());
  }

  private static boolean isLast(List<Standing> entries, Head head) {
    return !entries.isEmpty()
        && entries.get(entries.size() - 1).entry().sequence() == head.sequence();
  }

  private void chain(Entry entry) {
    Optional<Head> before = head;
    boolean isFirst = entry.sequence() == 1;
    boolean isChained = isFirst ? entry.previous().isEmpty() : isChained(entry, before);
    if (!isChained) {
      slots.report(
          CoreFailure.CHAIN_BROKEN,
          entry.sequence(),
          "names %s as the entry before it, found %s"
              .formatted(
                  entry.previous().map(Digest::hex).orElse("none"),
                  before.map(h -> h.digest().hex()).orElse("none")));
    }
    parsed.add(entry);
  }

  /** What lies below an entry behind a gap of a copy cannot be asked, but there is something. */
  private boolean isChained(Entry entry, Optional<Head> before) {
    return before.isPresent()
        ? entry.previous().equals(before.map(Head::digest))
        : slots.mayLack(entry.sequence() - 1) && entry.previous().isPresent();
  }
}
