package org.stellaops.backup.postgres.internal.manifest;

import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * What a file of a base backup consists of.
 *
 * @param sizeBytes its length
 * @param crc32c of its bytes
 */
public record FileContents(long sizeBytes, int crc32c) {
  /** Of a file all of whose bytes {@code crc} has taken. */
  public static FileContents of(long sizeBytes, CRC32C crc) {
    return new FileContents(sizeBytes, (int) crc.getValue());
  }

  /**
   * With a checksum as it stands in a manifest: the bytes of the number in the server's order,
   * which is little-endian (pg_checksum_final in src/common/checksum_helper.c).
   *
   * @param checksum eight hexadecimal digits
   */
  static FileContents parse(long sizeBytes, String checksum) {
    return new FileContents(sizeBytes, Integer.reverseBytes(HexFormat.fromHexDigits(checksum)));
  }

  /** As it stands in a manifest. */
  String checksum() {
    return HexFormat.of().toHexDigits(Integer.reverseBytes(crc32c));
  }

  @Override
  public String toString() {
    return sizeBytes + " bytes, CRC-32C " + checksum();
  }
}
