package org.stellaops.backup.mongo.internal.oplog;

import java.util.Optional;

/** What the {@code o} of an update says: a whole document, or what changes in one. Pure. */
final class DocumentUpdate {
  private DocumentUpdate() {}

  /** Whether it says the whole document, so that nobody has to know the one before. */
  static boolean isReplacement(RawDocument o) {
    return !isModifier(o);
  }

  /** A document has no field that begins with a dollar in front, unless it is one of these. */
  private static boolean isModifier(RawDocument o) {
    Optional<RawElement> version = o.isEmpty() ? Optional.empty() : Optional.of(o.first());
    return version
        .filter(f -> f.name().equals("$v") || f.name().equals("$set") || f.name().equals("$unset"))
        .isPresent();
  }

  /**
   * The document after the update.
   *
   * @throws IllegalArgumentException if the update is of a version that is not known
   */
  static RawDocument apply(RawDocument before, RawDocument o) {
    if (isReplacement(o)) {
      return o;
    }
    long version = o.find("$v").map(RawElement::number).orElse(1L);
    if (version == 2) {
      return DocumentDiff.apply(before, o.get("diff").document());
    }
    if (version == 1) {
      return ModifierUpdate.apply(before, o);
    }
    throw new IllegalArgumentException("an update of version %d".formatted(version));
  }
}
