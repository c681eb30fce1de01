package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.time.Instant;
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
  private final List<Entry> parsed = new ArrayList<>();
  private Optional<Head> head = Optional.empty();

  LogReader(LogSlots slots) {
    this.slots = slots;
  }

  /** What is there, believed if its key is pinned: for logs in which nobody gave way. */
  LogView read() throws IOException {
    parse();
    return judged(slots.pinned());
  }

  /** The entries that are signed and stand where they say, whoever signed them; once. */
  List<Entry> parse() throws IOException {
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
    return List.copyOf(parsed);
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
        head.isEmpty() || isLast(entries, head.get()),
        key -> speakers.refusal(slots.log(), next, key));
  }

  private static boolean isLast(List<Standing> entries, Head head) {
    return !entries.isEmpty()
        && entries.get(entries.size() - 1).entry().sequence() == head.sequence();
  }

  private void examine(long slot, byte[] bytes, Optional<Head> before) {
    Optional<Entry> found = slots.parse(slot, bytes);
    if (found.isEmpty()) {
      return;
    }
    Entry entry = found.get();
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
    parsed.add(entry);
  }

  private static boolean isChained(Entry entry, Optional<Head> before) {
    return before.isPresent() && entry.previous().equals(before.map(Head::digest));
  }
}
