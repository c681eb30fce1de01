package org.stellaops.backup.postgres;

/**
 * Whether a server compresses a base backup before it sends it. What is stored is the same: it is
 * decompressed here before anything looks at it, and the repository compresses by itself.
 */
public enum ServerCompression {
  /** It sends files as they are, which costs it least. */
  OFF,
  /**
   * zstd at its lowest level: CPU of the server for bytes on the network, for a network that is the
   * limit, which means about a gigabit per second or less. The server must have been built with
   * zstd, as the packages of distributions are.
   */
  ZSTD
}
