package org.stellaops.backup.mongo.internal.archive;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

class GunzipStreamTest {
  private static final byte[] CONTENT = content();

  @Test
  void a_second_member_is_read_from_a_stream_that_never_says_what_is_available()
      throws IOException {
    byte[] members = join(gzip(CONTENT), gzip(CONTENT), gzip(new byte[0]));
    assertArrayEquals(join(CONTENT, CONTENT), gunzip(new Grudging(members)));
  }

  @Test
  void a_header_with_all_optional_fields_is_passed_over() throws IOException {
    byte[] plain = gzip(CONTENT);
    byte[] optional = {3, 0, 'x', 'y', 'z', 'n', 0, 'c', 0, 0, 0};
    byte[] header = Arrays.copyOf(plain, 10);
    header[3] = 0x1f; // text, header checksum, extra field, name, comment
    byte[] rest = Arrays.copyOfRange(plain, 10, plain.length);
    assertArrayEquals(CONTENT, gunzip(in(join(header, optional, rest))));
  }

  @Test
  void every_truncation_is_noticed() throws IOException {
    byte[] members = join(gzip(CONTENT), gzip(CONTENT));
    int firstLength = gzip(CONTENT).length;
    for (int length = 1; length < members.length; length++) {
      if (length != firstLength) {
        byte[] cut = Arrays.copyOf(members, length);
        var e =
            assertThrows(BackupException.Corrupt.class, () -> gunzip(in(cut)), "cut to " + length);
        assertEquals(CoreFailure.TRUNCATED, e.code(), "cut to " + length);
      }
    }
  }

  @Test
  void every_flipped_byte_is_noticed_or_changes_nothing() throws IOException {
    byte[] member = gzip(CONTENT);
    for (int i = 0; i < member.length; i++) {
      byte[] damaged = member.clone();
      damaged[i] ^= 0x04;
      try {
        assertArrayEquals(CONTENT, gunzip(in(damaged)), "byte " + i);
      } catch (BackupException.Corrupt e) {
        continue;
      } catch (RuntimeException e) {
        fail("byte " + i, e);
      }
    }
  }

  @Test
  void what_follows_the_last_member_is_not_ignored() throws IOException {
    byte[] trailed = join(gzip(CONTENT), new byte[] {0});
    var e = assertThrows(BackupException.Corrupt.class, () -> gunzip(in(trailed)));
    assertEquals(CoreFailure.MALFORMED, e.code());
  }

  @Test
  void a_failure_behind_the_last_member_passes() throws IOException {
    InputStream failing =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new BackupException.Corrupt(CoreFailure.CORRUPT_OBJECT, "not those bytes");
          }
        };
    InputStream stored = new SequenceInputStream(in(gzip(CONTENT)), failing);
    var e = assertThrows(BackupException.Corrupt.class, () -> gunzip(stored));
    assertEquals(CoreFailure.CORRUPT_OBJECT, e.code());
  }

  private static byte[] content() {
    byte[] content = new byte[40_000];
    new Random(5).nextBytes(content);
    Arrays.fill(content, 500, 39_500, (byte) 7);
    return content;
  }

  private static byte[] gunzip(InputStream stored) throws IOException {
    try (InputStream plain = new GunzipStream(stored)) {
      return plain.readAllBytes();
    }
  }

  private static InputStream in(byte[] bytes) {
    return new ByteArrayInputStream(bytes);
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      joined.writeBytes(part);
    }
    return joined.toByteArray();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /** One byte at a time, and never says that there is another. */
  private static final class Grudging extends ByteArrayInputStream {
    Grudging(byte[] bytes) {
      super(bytes);
    }

    @Override
    public synchronized int read(byte[] bytes, int offset, int length) {
      return super.read(bytes, offset, Math.min(1, length));
    }

    @Override
    public synchronized int available() {
      return 0;
    }
  }
}
