package org.stellaops.backup.mongo.internal.archive;

/**
 * Numbers of the archive format 0.1 (mongo-tools, common/archive/archive.go).
 *
 * <pre>
 * file       = magic prelude block*
 * prelude    = header-document meta-document* terminator
 * block      = data-block | eof-block
 * data-block = namespace-header{EOF:false, CRC:0} document* terminator
 * eof-block  = namespace-header{EOF:true, CRC:crc64} terminator
 * </pre>
 *
 * Integers are little-endian. Every namespace of the prelude has exactly one eof-block, the last of
 * its blocks.
 */
final class ArchiveFormat {
  static final int MAGIC = 0x8199E26D;
  static final int TERMINATOR = -1;
  static final String VERSION = "0.1";

  /** An int32 length and the final zero. */
  static final int MIN_DOCUMENT_BYTES = 5;

  /**
   * What a server stores, 16 MiB, and what it may add to an entry of its oplog (mongo-tools,
   * TOOLS-2495).
   */
  static final int MAX_DOCUMENT_BYTES = (16 << 20) + (16 << 10);

  /**
   * Options and indexes of one collection, as JSON. A server allows 16 MiB of BSON, uses a few KiB.
   */
  static final int MAX_METADATA_CHARACTERS = 4 << 20;

  /** All of the prelude, which a reader holds in memory: 10,000 collections take about 6 MiB. */
  static final long MAX_PRELUDE_BYTES = 64L << 20;

  static final int MAX_NAMESPACES = 100_000;

  private ArchiveFormat() {}
}
