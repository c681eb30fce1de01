package org.stellaops.backup.mongo.internal.driver;

/**
 * How large a collection is.
 *
 * @param documents about how many; 0 where the server does not say
 * @param bytes of all of them; 0 where the server does not say
 */
public record CollectionSize(long documents, long bytes) {
  /** Of a collection that nobody asked about. */
  public static final CollectionSize UNKNOWN = new CollectionSize(0, 0);
}
