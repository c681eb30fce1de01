package org.stellaops.backup.mongo.internal.archive;

import org.stellaops.backup.model.Digest;

/**
 * What the documents of one namespace come to.
 *
 * @param documents how many
 * @param bytes of all of them, without anything that frames them
 * @param crc64 of their bytes in the order of the archive, see {@link Crc64}
 * @param content of their bytes in any order, see {@link ContentDigest}
 */
public record Tally(long documents, long bytes, long crc64, Digest content) {
  /** Of a namespace without documents, a view for example. */
  public static final Tally NOTHING = new RunningTally().value();

  /** Whether it is the same set of documents, in whatever order. */
  public boolean isSameContent(Tally other) {
    return documents == other.documents && bytes == other.bytes && content.equals(other.content);
  }

  /** {@code 3 documents, 120 bytes, content 5f3a…}: for humans. */
  public String describe() {
    return documents + " documents, " + bytes + " bytes, content " + content;
  }
}
