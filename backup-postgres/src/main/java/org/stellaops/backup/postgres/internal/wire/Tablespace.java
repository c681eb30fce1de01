package org.stellaops.backup.postgres.internal.wire;

/**
 * A tablespace of a cluster that is captured.
 *
 * @param oid of the tablespace; its archive is {@code <oid>.tar}
 * @param location where it is on the server
 * @param estimatedBytes when the backup began
 */
public record Tablespace(String oid, String location, long estimatedBytes) {}
