package org.stellaops.backup.internal.repository;

import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Trust;

/**
 * Whose signature counts in which slot: those whom the reader pinned, and whom they gave way to, as
 * far as nobody ended them.
 */
final class Speakers {
  private final Trust trust;
  private final Map<String, KeyHistory> histories;

  /**
   * @param histories by writer
   */
  Speakers(Trust trust, Map<String, KeyHistory> histories) {
    this.trust = trust;
    this.histories = Map.copyOf(histories);
  }

  /** What a signature is worth. */
  enum Verdict {
    TRUSTED(null),
    /** Nobody is pinned for this log. */
    UNAUTHENTICATED(null),
    /** Others are pinned for this log. */
    FOREIGN(CoreFailure.UNTRUSTED_WRITER),
    /** By a key that had given way to another, or had not come yet. */
    RETIRED(CoreFailure.KEY_RETIRED),
    /** Behind the seal that ended the log. */
    SEALED(CoreFailure.SEALED);

    private final Optional<CoreFailure> damage;

    Verdict(@Nullable CoreFailure damage) {
      this.damage = Optional.ofNullable(damage);
    }

    /** As what it is reported; empty if the entry is taken. */
    Optional<CoreFailure> damage() {
      return damage;
    }
  }

  /**
   * Judges an entry that is signed and stands where it says.
   *
   * @param latest the latest time that a trusted entry of this log says, up to this one
   */
  Verdict judge(Entry entry, Instant latest) {
    Verdict verdict = judge(entry.log(), entry.sequence(), entry.publicKey(), entry.time(), latest);
    boolean isSeal = entry.kind().equals(KeyHistory.SEAL) && isAdministrator(entry.publicKey());
    return isSeal && verdict != Verdict.SEALED ? Verdict.TRUSTED : verdict;
  }

  private Verdict judge(String log, long slot, String key, Instant time, Instant latest) {
    KeyHistory owner = histories.get(Names.writerOf(log));
    if (owner != null && owner.isBehindSeal(log, slot)) {
      return Verdict.SEALED;
    }
    for (KeyHistory history : concerned(owner)) {
      if (!history.includes(key)) {
        continue;
      }
      if (history.isBehindSeal(log, slot)) {
        return Verdict.SEALED;
      }
      if (history.isOutOfTurn(key, log, slot)) {
        return Verdict.RETIRED;
      }
      if (!trust.accepts(log, key) && isRelated(history, key, log)) {
        return Verdict.TRUSTED;
      }
    }
    if (trust.accepts(log, key, time, latest)) {
      return Verdict.TRUSTED;
    }
    return trust.knows(log) ? Verdict.FOREIGN : Verdict.UNAUTHENTICATED;
  }

  /** A writer's logs are its own affair; in the common ones every writer may have spoken. */
  private Collection<KeyHistory> concerned(@Nullable KeyHistory owner) {
    return owner == null ? histories.values() : List.of(owner);
  }

  private boolean isRelated(KeyHistory history, String key, String log) {
    return history.relatives(key).stream().anyMatch(k -> trust.accepts(log, k));
  }

  /** Whether this key may end the logs of others: also one that gave way, whose seals stay. */
  boolean isAdministrator(String key) {
    return isAdministrator(key, trust, histories);
  }

  /** The same, while seals are not yet known. */
  static boolean isAdministrator(String key, Trust trust, Map<String, KeyHistory> histories) {
    return trust.accepts(Names.ADMIN, key)
        || histories.values().stream()
            .flatMap(h -> h.relatives(key).stream())
            .anyMatch(k -> trust.accepts(Names.ADMIN, k));
  }

  /** Why this key can take this slot of a log no more; empty if it can. */
  Optional<CoreFailure> refusal(String log, long slot, String key) {
    Verdict verdict = judge(log, slot, key, Instant.MAX, Instant.MIN);
    return verdict == Verdict.SEALED || verdict == Verdict.RETIRED
        ? verdict.damage()
        : Optional.empty();
  }
}
