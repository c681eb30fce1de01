package org.stellaops.backup.postgres.internal.wal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers as a server writes them to its files, on the machines that are common. */
final class LittleEndian {
  private static final VarHandle INT32 =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle INT64 =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private LittleEndian() {}

  static int uint8(byte[] bytes, int at) {
    return bytes[at] & 0xFF;
  }

  static int uint16(byte[] bytes, int at) {
    return uint8(bytes, at) | uint8(bytes, at + 1) << 8;
  }

  static long uint32(byte[] bytes, int at) {
    return (int) INT32.get(bytes, at) & 0xFFFF_FFFFL;
  }

  static long int64(byte[] bytes, int at) {
    return (long) INT64.get(bytes, at);
  }
}
