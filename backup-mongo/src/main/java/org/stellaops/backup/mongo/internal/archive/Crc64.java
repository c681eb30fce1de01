package org.stellaops.backup.mongo.internal.archive;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * CRC-64/XZ: reflected polynomial 0xC96C5795D7870F42, initial value and final xor all ones; of
 * "123456789" it is 0x995DC9BBDF1939FA. The same as Go's {@code crc64.ECMA}, which mongo-tools use
 * (common/archive/multiplexer.go).
 *
 * <p>Eight bytes a step: a table for each place that a byte can have in the step (Kounavis and
 * Berry, "slicing-by-8").
 */
public final class Crc64 {
  private static final long POLYNOMIAL = 0xC96C5795D7870F42L;
  private static final int STEP = 8;
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long[][] TABLE = tables();

  private long state = -1;

  /** Takes these bytes as the next. */
  public void update(byte[] bytes, int offset, int length) {
    long crc = state;
    int at = offset;
    int end = offset + length;
    for (; end - at >= STEP; at += STEP) {
      long x = crc ^ (long) LONG.get(bytes, at);
      crc =
          TABLE[7][(int) x & 0xff]
              ^ TABLE[6][(int) (x >>> 8) & 0xff]
              ^ TABLE[5][(int) (x >>> 16) & 0xff]
              ^ TABLE[4][(int) (x >>> 24) & 0xff]
              ^ TABLE[3][(int) (x >>> 32) & 0xff]
              ^ TABLE[2][(int) (x >>> 40) & 0xff]
              ^ TABLE[1][(int) (x >>> 48) & 0xff]
              ^ TABLE[0][(int) (x >>> 56)];
    }
    for (; at < end; at++) {
      crc = TABLE[0][(int) (crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
    }
    state = crc;
  }

  /** Of everything so far; 0 of nothing. */
  public long value() {
    return ~state;
  }

  private static long[][] tables() {
    long[][] tables = new long[STEP][256];
    for (int b = 0; b < 256; b++) {
      long crc = b;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc >>> 1) ^ (POLYNOMIAL & -(crc & 1));
      }
      tables[0][b] = crc;
    }
    for (int place = 1; place < STEP; place++) {
      for (int b = 0; b < 256; b++) {
        long before = tables[place - 1][b];
        tables[place][b] = tables[0][(int) before & 0xff] ^ (before >>> 8);
      }
    }
    return tables;
  }
}
