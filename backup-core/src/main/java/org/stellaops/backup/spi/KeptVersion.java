package org.stellaops.backup.spi;

import java.time.Instant;
import java.util.Optional;
import org.stellaops.backup.model.ObjectName;

/**
 * What a store keeps of an object that was deleted or replaced.
 *
 * @param name which its object has, or had
 * @param id the store's own name for this version
 * @param lengthBytes of its stored bytes
 * @param storedAt by the store's clock
 * @param hiddenAt when it was deleted or replaced, by the store's clock; empty where unknown
 * @param isReplaced whether the name gives something else now, and not nothing
 */
public record KeptVersion(
    ObjectName name,
    String id,
    long lengthBytes,
    Instant storedAt,
    Optional<Instant> hiddenAt,
    boolean isReplaced) {}
