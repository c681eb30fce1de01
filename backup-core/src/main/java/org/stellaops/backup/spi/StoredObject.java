package org.stellaops.backup.spi;

import org.stellaops.backup.model.ObjectName;

/**
 * A row of a listing.
 *
 * @param name of the object
 * @param lengthBytes of its stored bytes
 * @param version changes whenever the bytes may have changed; empty where the store has no such
 *     thing
 */
public record StoredObject(ObjectName name, long lengthBytes, String version) {}
