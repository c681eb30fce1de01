package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.StoredObject;

/**
 * Reads the log of a stream from its newest slot backwards. An entry that takes the place of others
 * names the digest of the entry below them, so the chain is whole without reading those; else each
 * entry names the one before it. So the work grows with what counts, not with what was ever
 * written. What is wrong is collected, so that one bad entry hides no good one.
 */
final class StreamLogReader {
  private final StoreAccess store;
  private final String repository;
  private final Trust trust;
  private final String log;
  private final SeenSignatures seen;
  private final List<StreamLog.Standing> newestFirst = new ArrayList<>();
  private final List<Finding> damage = new ArrayList<>();
  private boolean isTrusted = true;

  StreamLogReader(
      StoreAccess store, String repository, Trust trust, String log, SeenSignatures seen) {
    this.store = store;
    this.repository = repository;
    this.trust = trust;
    this.log = log;
    this.seen = seen;
  }

  /** The log as it was when {@code upTo} was its newest slot. */
  StreamLog read(long upTo) throws IOException {
    NavigableSet<Long> slots = slots().headSet(upTo, true);
    Optional<Head> head = Optional.empty();
    boolean isHeadSound = true;
    long slot = slots.isEmpty() ? 0 : slots.last();
    Optional<Digest> expected = Optional.empty();
    while (slot > 0) {
      byte[] bytes = bytes(slot);
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
      slot = below(first, slots);
      expected = slot == first - 1 ? named : Optional.empty();
    }
    Collections.reverse(newestFirst);
    return new StreamLog(log, newestFirst, damage, head, isHeadSound, isTrusted);
  }

  /** The slot before; where it is empty, the next one that is not. */
  private long below(long slot, NavigableSet<Long> slots) {
    if (slot == 1 || slots.contains(slot - 1)) {
      return slot - 1;
    }
    Long next = slots.lower(slot);
    long first = next == null ? 1 : next + 1;
    report(
        CoreFailure.CHAIN_BROKEN,
        slot - 1,
        first == slot - 1
            ? "entry %d is missing".formatted(first)
            : "entries %d to %d are missing".formatted(first, slot - 1));
    return next == null ? 0 : next;
  }

  private NavigableSet<Long> slots() throws IOException {
    NavigableSet<Long> slots = new TreeSet<>();
    for (StoredObject object : store.list(Names.logPrefix(log))) {
      OptionalLong slot = Names.slot(object.name().value());
      if (slot.isPresent()) {
        slots.add(slot.getAsLong());
      } else {
        damage.add(new Finding(CoreFailure.MALFORMED, object.name().value(), "no entry of a log"));
      }
    }
    return slots;
  }

  private byte[] bytes(long slot) throws IOException {
    try {
      return store.read(Names.entry(log, slot), Entry.MAX_BYTES);
    } catch (BackupException.Corrupt e) {
      return new byte[0];
    } catch (BackupException.Sink e) {
      if (e.reason() == Reason.NOT_FOUND) {
        return new byte[0];
      }
      throw e;
    }
  }

  private Optional<Entry> examine(long slot, byte[] bytes, Optional<Digest> expected) {
    Entry entry;
    try {
      entry = Entry.parse(bytes, Names.entry(log, slot).value(), seen);
    } catch (BackupException e) {
      report(e.code(), slot, e.detail());
      return Optional.empty();
    }
    if (!entry.repository().equals(repository)
        || !entry.log().equals(log)
        || entry.sequence() != slot) {
      report(
          CoreFailure.CHAIN_BROKEN,
          slot,
          "holds an entry of repository %s, log %s, slot %d: it was moved or replayed"
              .formatted(Names.printable(entry.repository()), entry.log(), entry.sequence()));
      return Optional.empty();
    }
    if (expected.isPresent() && !expected.get().equals(entry.digest())) {
      report(
          CoreFailure.CHAIN_BROKEN,
          slot,
          "has the digest %s, the entry behind it names %s"
              .formatted(entry.digest(), expected.get()));
    }
    if ((slot == 1) != entry.previous().isEmpty()) {
      report(CoreFailure.CHAIN_BROKEN, slot, "names no entry before it, or one before the first");
    }
    return Optional.of(entry);
  }

  private Optional<StreamEntry> admit(long slot, Entry entry) {
    boolean isPinned = trust.accepts(log, entry.publicKey());
    if (!isPinned && trust.knows(log)) {
      report(
          CoreFailure.UNTRUSTED_WRITER,
          slot,
          "is signed by %s, which is not pinned for this log".formatted(entry.publicKey()));
      return Optional.empty();
    }
    isTrusted &= isPinned;
    try {
      StreamEntry content = StreamEntry.of(entry);
      newestFirst.add(new StreamLog.Standing(new Head(slot, entry.digest()), content));
      return Optional.of(content);
    } catch (BackupException e) {
      report(e.code(), slot, e.detail());
      return Optional.empty();
    }
  }

  private void report(FailureCode code, long slot, String found) {
    damage.add(new Finding(code, Names.entry(log, slot).value(), found));
  }
}
