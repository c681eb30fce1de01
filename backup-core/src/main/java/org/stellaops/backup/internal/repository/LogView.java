package org.stellaops.backup.internal.repository;

import java.util.List;
import java.util.Optional;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Finding;

/**
 * What a log holds, as far as it can be believed.
 *
 * @param log its name
 * @param entries every entry whose signature is right and that stands where it says, oldest first
 * @param damage everything that is not as it should be
 * @param head the newest slot and the digest of what stands in it; empty for an empty log
 * @param isHeadSound whether the entry in the newest slot is among {@code entries}
 */
public record LogView(
    String log,
    List<Standing> entries,
    List<Finding> damage,
    Optional<Head> head,
    boolean isHeadSound) {
  public LogView {
    entries = List.copyOf(entries);
    damage = List.copyOf(damage);
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
    return entries.stream().filter(s -> s.entry().sequence() == sequence).findFirst();
  }
}
