package org.stellaops.backup.internal.repository;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.BackupException.Sink.Reason;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SlotRange;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.spi.StoredObject;

/** The slots of a log and what stands in them, each judged by itself; collects what is wrong. */
final class LogSlots {
  /** What a repair put beside an entry that is sound again. */
  private static final Pattern SET_ASIDE =
      Pattern.compile("log/[^/]+/[0-9]{10}\\.entry\\.damaged(-[0-9]+)?");

  private final StoreAccess store;
  private final String repository;
  private final Trust trust;
  private final String log;
  private final SeenSignatures seen;
  private final boolean isSubset;
  private final Optional<Head> promoted;
  private final List<Finding> damage = new ArrayList<>();
  private final List<SlotRange> notHeld = new ArrayList<>();

  /** The slots of a log, all of which have to be there. */
  LogSlots(StoreAccess store, String repository, Trust trust, String log, SeenSignatures seen) {
    this(store, repository, trust, log, seen, false, Optional.empty());
  }

  /**
   * The slots of a log of a repository.
   *
   * @param isSubset whether the store may hold some entries and not others
   * @param promoted up to where it may, and behind what the log went on, where the store is a copy
   *     that became the primary
   */
  LogSlots(
      StoreAccess store,
      String repository,
      Trust trust,
      String log,
      SeenSignatures seen,
      boolean isSubset,
      Optional<Head> promoted) {
    this.store = store;
    this.repository = repository;
    this.trust = trust;
    this.log = log;
    this.seen = seen;
    this.isSubset = isSubset;
    this.promoted = promoted;
  }

  String log() {
    return log;
  }

  /** Those that something stands in. */
  NavigableSet<Long> list() throws IOException {
    return rows().navigableKeySet();
  }

  /** What stands in each slot, as the store lists it. */
  NavigableMap<Long, StoredObject> rows() throws IOException {
    return rows(listed());
  }

  /**
   * The same, of a listing. One in pages may miss what is put while it goes on, and show what came
   * behind it: whoever sees something behind a gap looks again, since what is below it was there
   * before.
   *
   * @param objects everything whose name begins as those of this log do
   */
  NavigableMap<Long, StoredObject> rows(List<StoredObject> objects) throws IOException {
    NavigableMap<Long, StoredObject> first = parsed(objects);
    if (isSubset || !hasGap(first)) {
      return first;
    }
    NavigableMap<Long, StoredObject> again = parsed(listed());
    NavigableMap<Long, StoredObject> rows = new TreeMap<>(again.headMap(first.lastKey(), true));
    // What came since may have been missed in part, too.
    for (long slot = first.lastKey() + 1; again.containsKey(slot); slot++) {
      rows.put(slot, again.get(slot));
    }
    return rows;
  }

  private List<StoredObject> listed() throws IOException {
    return store.list(Names.logPrefix(log));
  }

  /** The first slots of a stream go with what they name. */
  private boolean hasGap(NavigableMap<Long, StoredObject> slots) {
    if (slots.isEmpty()) {
      return false;
    }
    long held = excused() + 1;
    NavigableMap<Long, StoredObject> behind = slots.tailMap(held, true);
    if (behind.isEmpty()) {
      return false;
    }
    long first = Names.isStream(log) ? behind.firstKey() : held;
    return behind.lastKey() - first + 1 != behind.size();
  }

  private NavigableMap<Long, StoredObject> parsed(List<StoredObject> objects) {
    NavigableMap<Long, StoredObject> slots = new TreeMap<>();
    for (StoredObject object : objects) {
      OptionalLong slot = Names.slot(object.name().value());
      if (slot.isPresent()) {
        slots.put(slot.getAsLong(), object);
      } else if (!SET_ASIDE.matcher(object.name().value()).matches()) {
        stranger(new Finding(CoreFailure.MALFORMED, object.name().value(), "no entry of a log"));
      }
    }
    return slots;
  }

  private void stranger(Finding finding) {
    if (!damage.contains(finding)) {
      damage.add(finding);
    }
  }

  /** What stands in a slot; nothing if it is gone, or longer than an entry can be. */
  byte[] read(long slot) throws IOException {
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

  /** The entry that a slot's bytes are, if it is signed and belongs there. */
  Optional<Entry> parse(long slot, byte[] bytes) {
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
    return Optional.of(entry);
  }

  /** What an entry's signature is worth; empty, and reported, if it is not to be taken. */
  Optional<Boolean> trust(Entry entry, Speakers speakers, Instant latest) {
    Speakers.Verdict verdict = speakers.judge(entry, latest);
    verdict.damage().ifPresent(code -> report(code, entry.sequence(), why(code, entry)));
    return verdict.damage().isPresent()
        ? Optional.empty()
        : Optional.of(verdict == Speakers.Verdict.TRUSTED);
  }

  private static String why(CoreFailure code, Entry entry) {
    return switch (code) {
      case SEALED -> "stands behind the seal that ended the log";
      case KEY_RETIRED ->
          "is signed by %s, whose turn it is not in this slot".formatted(entry.publicKey());
      default -> "is signed by %s, which is not pinned for this log".formatted(entry.publicKey());
    };
  }

  /** Speakers as they are pinned, if nobody gave way to anybody. */
  Speakers pinned() {
    return new Speakers(trust, Map.of());
  }

  /** Up to this slot entries may be missing although the store is a primary. */
  private long excused() {
    return promoted.map(Head::sequence).orElse(0L);
  }

  /** Behind what the log went on when the store became the primary. */
  Optional<Head> promoted() {
    return promoted;
  }

  /** Nothing stands in these slots, and something behind them. */
  void missing(long from, long last) {
    long notHere = isSubset ? last : Math.min(last, excused());
    if (from <= notHere) {
      notHeld.add(new SlotRange(log, from, notHere));
    }
    long first = Math.max(from, notHere + 1);
    if (first > last) {
      return;
    }
    String which = first == last ? "entry %d is missing" : "entries %d to %d are missing";
    report(CoreFailure.CHAIN_BROKEN, last, which.formatted(first, last));
  }

  void report(FailureCode code, long slot, String found) {
    damage.add(new Finding(code, Names.entry(log, slot).value(), found));
  }

  /** Whether this slot may be missing below an entry. */
  boolean mayLack(long slot) {
    return isSubset || slot <= excused();
  }

  /** Gaps that are none, as far as it was read: the store does not hold these. */
  List<SlotRange> notHeld() {
    return notHeld;
  }

  /** What is wrong, as far as it was read. */
  List<Finding> damage() {
    return damage;
  }
}
