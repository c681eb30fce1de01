package org.stellaops.backup.postgres.internal.manifest;

import org.stellaops.backup.model.Digest;

/**
 * What a file of a base backup consists of.
 *
 * @param sizeBytes its length
 * @param plain digest of its bytes
 */
public record FileContents(long sizeBytes, Digest plain) {
  @Override
  public String toString() {
    return sizeBytes + " bytes, sha256 " + plain;
  }
}
