package org.stellaops.backup.crypto;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.spi.Decryptor.RangeReader;
import org.stellaops.backup.spi.Decryptor.SealedReader;
import org.stellaops.backup.spi.Encryptor.Sealing;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;
import org.stellaops.backup.spi.SealedFormat;

/** Age files in memory. */
final class AgeBytes {
  static final int SEGMENT = 65536;
  static final int SEALED_SEGMENT = SEGMENT + 16;

  private AgeBytes() {}

  /** The same bytes for the same length. */
  static byte[] plain(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  static byte[] seal(SealedFormat format, byte[] plain, Recipient... to) throws IOException {
    var stored = new ByteArrayOutputStream();
    try (Sealing sealing = format.seal(stored, List.of(to))) {
      sealing.write(plain);
      sealing.finish();
    }
    return stored.toByteArray();
  }

  /** In one pass. */
  static byte[] open(SealedFormat format, byte[] stored, Identity... by) throws IOException {
    try (InputStream plain = format.open(new ByteArrayInputStream(stored), List.of(by))) {
      return plain.readAllBytes();
    }
  }

  /** Through the reader that can start anywhere. */
  static byte[] openAtRandom(SealedFormat format, byte[] stored, Identity... by)
      throws IOException {
    try (SealedReader reader = format.open(reader(stored), stored.length, List.of(by))) {
      return read(reader, ByteRange.ALL);
    }
  }

  static byte[] read(SealedReader reader, ByteRange range) throws IOException {
    try (InputStream plain = reader.read(range)) {
      return plain.readAllBytes();
    }
  }

  static RangeReader reader(byte[] stored) {
    return range -> {
      int from = (int) Math.min(range.offset(), stored.length);
      int to = (int) range.endIn(stored.length);
      return new ByteArrayInputStream(stored, from, to - from);
    };
  }

  /** Where the first segment begins. */
  static int payloadStart(byte[] stored) {
    int at = 0;
    while (!startsAt(stored, at, "\n--- ")) {
      at++;
    }
    at++;
    while (stored[at] != '\n') {
      at++;
    }
    return at + 1 + 16;
  }

  static byte[] concat(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  static byte[] slice(byte[] bytes, int from, int to) {
    return Arrays.copyOfRange(bytes, from, to);
  }

  private static boolean startsAt(byte[] bytes, int at, String text) {
    for (int i = 0; i < text.length(); i++) {
      if (bytes[at + i] != text.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
