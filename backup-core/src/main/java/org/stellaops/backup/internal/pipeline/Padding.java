package org.stellaops.backup.internal.pipeline;

/** Zeros in a zstd skippable frame (RFC 8878, section 3.1.2), so that a stored size says little. */
public final class Padding {
  private Padding() {}

  /** What has to follow {@code bytes} bytes of zstd frames to reach a multiple of 64 KiB. */
  public static byte[] after(long bytes) {
    return OpenPack.padding(bytes);
  }
}
