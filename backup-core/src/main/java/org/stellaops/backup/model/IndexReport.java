package org.stellaops.backup.model;

import java.util.List;

/**
 * What is known of a writer's chunks, and what was learned from its packs again.
 *
 * @param epoch whose packs they are: the one that the plan encrypts to; empty text if there is none
 *     yet
 * @param knownPacks packs that the stored index describes, and that can be read there
 * @param unknownPacks packs that the writer's log names, that are there, and that no sound part of
 *     the index describes: until they are read, the next backup stores again what they hold
 * @param unknownBytes stored bytes of these, which a rebuild reads
 * @param readPacks packs whose own index was read, and is part of the stored index now
 * @param chunks how many those hold
 * @param findings parts of the writer's state that are lost, lists and packs that cannot be read:
 *     what they hold is stored again by the next backup
 */
public record IndexReport(
    String epoch,
    long knownPacks,
    long unknownPacks,
    long unknownBytes,
    long readPacks,
    long chunks,
    List<Finding> findings) {
  public IndexReport {
    findings = List.copyOf(findings);
  }

  /** Whether the index describes every pack that can be used. */
  public boolean isWhole() {
    return readPacks == unknownPacks;
  }
}
