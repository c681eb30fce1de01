package org.stellaops.backup.spi;

import java.util.Arrays;
import java.util.function.Function;

/** Symmetric key bytes. Never prints; leaves only through {@link #use}. */
public final class FileKey implements AutoCloseable {
  private final byte[] bytes;

  private FileKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Copies the bytes; the caller may wipe its own. */
  public static FileKey of(byte[] bytes) {
    return new FileKey(bytes.clone());
  }

  /** Hands the bytes to {@code reader}, which must not keep or change the array. */
  public <T> T use(Function<byte[], T> reader) {
    return reader.apply(bytes);
  }

  /** Wipes the bytes. Idempotent. */
  @Override
  public void close() {
    Arrays.fill(bytes, (byte) 0);
  }

  @Override
  public String toString() {
    return "FileKey";
  }
}
