package org.stellaops.backup.mongo.internal.driver;

/**
 * Documents of one reply to {@code find} or {@code getMore}, as bytes without anything in between.
 *
 * @param buffer holds them from its beginning
 * @param length bytes of all documents
 * @param cursor to ask for more; 0 where there is no more
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Batch(byte[] buffer, int length, long cursor) {}
