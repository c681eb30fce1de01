package org.stellaops.backup.mongo.internal.driver;

/**
 * What a server says of a document that it did not take.
 *
 * @param index of the document among those that were sent
 * @param code of the server's error
 */
public record RefusedInsert(int index, int code) {}
