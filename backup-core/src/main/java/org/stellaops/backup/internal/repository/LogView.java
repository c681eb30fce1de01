package org.stellaops.backup.internal.repository;

import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.SlotRange;

/**
 * What a log holds, as far as it can be believed.
 *
 * @param log its name
 * @param entries every entry whose signature is right and that stands where it says, oldest first
 * @param damage everything that is not as it should be
 * @param head the newest slot and the digest of what stands in it; empty for an empty log
 * @param isHeadSound whether the entry in the newest slot is among {@code entries}
 * @param turn who may take the next slot
 * @param notHeld slots below the newest that a copy does not hold; none in a primary
 */
public record LogView(
    String log,
    List<Standing> entries,
    List<Finding> damage,
    Optional<Head> head,
    boolean isHeadSound,
    Turn turn,
    List<SlotRange> notHeld) {
  public LogView {
    entries = List.copyOf(entries);
    damage = List.copyOf(damage);
    notHeld = List.copyOf(notHeld);
  }

  /** Says who may take the next slot. */
  @FunctionalInterface
  public interface Turn {
    /** Everybody may. */
    Turn ANYBODY = key -> Optional.empty();

    /** Why a key may not: SEALED or KEY_RETIRED; empty if it may, as far as the log says. */
    Optional<CoreFailure> refusal(String publicKey);
  }

  /** A log whose next slot anybody may take. */
  public LogView(
      String log,
      List<Standing> entries,
      List<Finding> damage,
      Optional<Head> head,
      boolean isHeadSound) {
    this(log, entries, damage, head, isHeadSound, Turn.ANYBODY, List.of());
  }

  /** The same log, with more that is wrong. */
  public LogView with(List<Finding> allDamage, boolean isSound) {
    return new LogView(log, entries, allDamage, head, isSound, turn, notHeld);
  }

  /** The entry that ended the log: nothing behind it is valid. */
  public Optional<Entry> seal() {
    return entries.stream()
        .filter(s -> s.isTrusted() && s.entry().kind().equals(KeyHistory.SEAL))
        .map(Standing::entry)
        .findFirst();
  }

  /**
   * An entry and what its signature is worth.
   *
   * @param entry the entry
   * @param isTrusted whether a key that is pinned for this log signed it
   */
  public record Standing(Entry entry, boolean isTrusted) {}

  /** The newest slot of a log. */
  public record Head(long sequence, Digest digest) {}

  /** The entry in this slot. */
  Optional<Standing> at(long sequence) {
    int low = 0;
    int high = entries.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      long there = entries.get(middle).entry().sequence();
      if (there == sequence) {
        return Optional.of(entries.get(middle));
      }
      low = there < sequence ? middle + 1 : low;
      high = there < sequence ? high : middle - 1;
    }
    return Optional.empty();
  }
}
