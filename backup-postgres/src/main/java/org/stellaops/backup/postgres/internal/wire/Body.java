package org.stellaops.backup.postgres.internal.wire;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

/** Reads the fields of one message. Its bytes are valid until the next message is read. */
final class Body {
  private byte[] bytes = new byte[0];
  private int at;
  private int end;

  /** Points to another message. */
  void of(byte[] message, int length) {
    bytes = message;
    at = 0;
    end = length;
  }

  byte[] bytes() {
    return bytes;
  }

  int position() {
    return at;
  }

  int remaining() {
    return end - at;
  }

  /** Moves on over as much as there is, at most {@code length} bytes, and returns how much. */
  int take(byte[] into, int offset, int length) {
    int taken = Math.min(length, remaining());
    System.arraycopy(bytes, at, into, offset, taken);
    at += taken;
    return taken;
  }

  int int8() throws IOException {
    require(1);
    return bytes[at++] & 0xff;
  }

  int int16() throws IOException {
    return int8() << 8 | int8();
  }

  int int32() throws IOException {
    return int16() << 16 | int16();
  }

  long int64() throws IOException {
    return (long) int32() << 32 | int32() & 0xffff_ffffL;
  }

  /** Text up to the next zero byte. */
  String text() throws IOException {
    int begin = at;
    while (int8() != 0) {
      // int8 moves on and stops at the end of the message
    }
    return new String(bytes, begin, at - 1 - begin, StandardCharsets.UTF_8);
  }

  /** A column of a DataRow in text form: its length, -1 for null, and its bytes. */
  @Nullable String column() throws IOException {
    byte[] value = rawColumn();
    return value == null ? null : new String(value, StandardCharsets.UTF_8);
  }

  /** A column of a DataRow as the server sent it. */
  byte @Nullable [] rawColumn() throws IOException {
    int length = int32();
    if (length == -1) {
      return null;
    }
    require(length);
    byte[] value = Arrays.copyOfRange(bytes, at, at + length);
    at += length;
    return value;
  }

  private void require(int count) throws IOException {
    if (count < 0 || count > end - at) {
      throw new BackupException.Source(
          PostgresFailure.PROTOCOL,
          "a message of %d bytes ends at a field of %d bytes at %d".formatted(end, count, at));
    }
  }
}
