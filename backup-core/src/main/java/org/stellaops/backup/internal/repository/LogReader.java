package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.TreeSet;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.LogView.Standing;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.StoredObject;

/**
 * Reads a log from its first slot to its last. An entry is believed if it is signed, stands in the
 * slot it names, and names the digest of the entry before it. What is wrong is collected, so that
 * one bad entry hides no good one.
 */
final class LogReader {
  private final StoreAccess store;
  private final String repository;
  private final Trust trust;
  private final String log;
  private final SeenSignatures seen;
  private final List<Standing> entries = new ArrayList<>();
  private final List<Finding> damage = new ArrayList<>();

  LogReader(StoreAccess store, String repository, Trust trust, String log, SeenSignatures seen) {
    this.store = store;
    this.repository = repository;
    this.trust = trust;
    this.log = log;
    this.seen = seen;
  }

  LogView read() throws IOException {
    SortedSet<Long> slots = slots();
    Optional<Head> head = Optional.empty();
    long next = 1;
    for (long slot : slots) {
      if (slot != next) {
        missing(next, slot - 1);
        head = Optional.empty();
      }
      byte[] bytes = bytes(slot);
      examine(slot, bytes, head);
      head = Optional.of(new Head(slot, Digest.ofContent(bytes)));
      next = slot + 1;
    }
    boolean isHeadSound = head.isEmpty() || isLast(head.get());
    return new LogView(log, entries, damage, head, isHeadSound);
  }

  private boolean isLast(Head head) {
    return !entries.isEmpty()
        && entries.get(entries.size() - 1).entry().sequence() == head.sequence();
  }

  private SortedSet<Long> slots() throws IOException {
    SortedSet<Long> slots = new TreeSet<>();
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

  private void missing(long first, long last) {
    String which = first == last ? "entry %d is missing" : "entries %d to %d are missing";
    report(CoreFailure.CHAIN_BROKEN, last, which.formatted(first, last));
  }

  private void examine(long slot, byte[] bytes, Optional<Head> before) {
    Entry entry;
    try {
      entry = Entry.parse(bytes, Names.entry(log, slot).value(), seen);
    } catch (BackupException e) {
      report(e.code(), slot, e.detail());
      return;
    }
    if (!entry.repository().equals(repository)
        || !entry.log().equals(log)
        || entry.sequence() != slot) {
      report(
          CoreFailure.CHAIN_BROKEN,
          slot,
          "holds an entry of repository %s, log %s, slot %d: it was moved or replayed"
              .formatted(Names.printable(entry.repository()), entry.log(), entry.sequence()));
      return;
    }
    boolean isFirst = slot == 1;
    boolean isChained = isFirst ? entry.previous().isEmpty() : isChained(entry, before);
    if (!isChained) {
      report(
          CoreFailure.CHAIN_BROKEN,
          slot,
          "names %s as the entry before it, found %s"
              .formatted(
                  entry.previous().map(Digest::hex).orElse("none"),
                  before.map(h -> h.digest().hex()).orElse("none")));
    }
    admit(slot, entry);
  }

  private static boolean isChained(Entry entry, Optional<Head> before) {
    return before.isPresent() && entry.previous().equals(before.map(Head::digest));
  }

  private void admit(long slot, Entry entry) {
    boolean isTrusted = trust.accepts(log, entry.publicKey());
    if (!isTrusted && trust.knows(log)) {
      report(
          CoreFailure.UNTRUSTED_WRITER,
          slot,
          "is signed by %s, which is not pinned for this log".formatted(entry.publicKey()));
      return;
    }
    entries.add(new Standing(entry, isTrusted));
  }

  private void report(FailureCode code, long slot, String found) {
    damage.add(new Finding(code, Names.entry(log, slot).value(), found));
  }
}
