package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.Decryptor;
import org.stellaops.backup.spi.Decryptor.SealedReader;
import org.stellaops.backup.spi.Encryptor;
import org.stellaops.backup.spi.Identity;
import org.stellaops.backup.spi.Recipient;

/**
 * What every {@link Encryptor} and the {@link Decryptor} of the same format have to do. A subclass
 * gives both and makes keys.
 */
public abstract class EncryptorContract {
  private static final int THREADS = 4;
  private static final int RANGES = 200;

  /** Room for a header in front of the segments, so that flips and cuts reach all of both. */
  private static final int SMALL_BYTES = 100;

  /** For subclasses. */
  protected EncryptorContract() {}

  /** What is tested. */
  protected abstract Encryptor encryptor();

  /** What reads it. */
  protected abstract Decryptor decryptor();

  /** A fresh pair of keys, which may stand beside others in one object. */
  protected abstract KeyPair newKeys() throws Exception;

  /** Lengths around which a format might stumble: around multiples of its segments. */
  protected List<Integer> awkwardSizes() {
    return List.of(0, 1, 16, 65_519, 65_520, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073);
  }

  @Test
  public void what_is_sealed_opens_at_every_awkward_size() throws Exception {
    KeyPair keys = newKeys();
    for (int size : awkwardSizes()) {
      byte[] plain = SeededBytes.of(size, size);

      assertArrayEquals(plain, open(seal(plain, keys), keys), size + " bytes");
    }
  }

  @Test
  public void it_does_not_matter_in_which_pieces_bytes_are_written() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(1, 200_000);
    for (int piece : new int[] {1, 777, 65_535, 65_536, 65_537, 200_000}) {
      var stored = new ByteArrayOutputStream();
      try (Encryptor.Sealing sealing = encryptor().seal(stored, List.of(keys.recipient()))) {
        for (int at = 0; at < plain.length; at += piece) {
          sealing.write(plain, at, Math.min(piece, plain.length - at));
        }
        sealing.finish();
      }
      assertArrayEquals(plain, open(stored.toByteArray(), keys), "pieces of " + piece);
    }
  }

  @Test
  public void it_does_not_matter_in_which_pieces_bytes_are_read() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(2, 70_000);
    byte[] sealed = seal(plain, keys);
    var found = new ByteArrayOutputStream();
    try (InputStream in = stream(new Dripping(sealed), keys.identity())) {
      for (int b = in.read(); b >= 0; b = in.read()) {
        found.write(b);
      }
      assertEquals(-1, in.read(), "after the end");
    }
    assertArrayEquals(plain, found.toByteArray());
  }

  @Test
  public void equal_bytes_are_sealed_unequally() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(3, 1000);
    byte[] one = seal(plain, keys);
    byte[] other = seal(plain, keys);

    assertFalse(Arrays.equals(tail(one, 64), tail(other, 64)));
  }

  @Test
  public void no_plain_bytes_are_stored() throws Exception {
    String canary = "c4n4ry of the contract of encryptors";
    byte[] plain = (canary + "-".repeat(100_000) + canary).getBytes(StandardCharsets.UTF_8);

    byte[] sealed = seal(plain, newKeys());

    CanaryAssertions.of(canary).assertNowhereIn("sealed", new ByteArrayInputStream(sealed));
  }

  @Test
  public void closing_without_finishing_leaves_a_truncated_object() throws Exception {
    KeyPair keys = newKeys();
    for (int size : awkwardSizes()) {
      byte[] plain = SeededBytes.of(size, size);
      var stored = new ByteArrayOutputStream();
      Encryptor.Sealing sealing = encryptor().seal(stored, List.of(keys.recipient()));
      sealing.write(plain);
      sealing.close();

      assertTrue(stored.size() > 0, "the header is written at once");
      assertThrows(
          BackupException.Corrupt.class,
          () -> open(stored.toByteArray(), keys),
          size + " bytes, closed and not finished");
    }
  }

  @Test
  public void nothing_can_be_written_once_it_is_finished_or_closed() throws Exception {
    KeyPair keys = newKeys();
    var stored = new ByteArrayOutputStream();
    Encryptor.Sealing finished = encryptor().seal(stored, List.of(keys.recipient()));
    finished.write(1);
    finished.finish();
    assertThrows(Exception.class, () -> finished.write(2));
    finished.close();
    finished.close();
    assertThrows(Exception.class, () -> finished.write(3));
    assertArrayEquals(new byte[] {1}, open(stored.toByteArray(), keys));

    var unfinished = new ByteArrayOutputStream();
    Encryptor.Sealing closed = encryptor().seal(unfinished, List.of(keys.recipient()));
    closed.close();
    assertThrows(Exception.class, () -> closed.write(1));
    assertThrows(Exception.class, closed::finish);
    assertThrows(BackupException.Corrupt.class, () -> open(unfinished.toByteArray(), keys));
  }

  @Test
  public void sealing_does_not_close_what_is_underneath() throws Exception {
    var isClosed = new AtomicBoolean();
    OutputStream stored =
        new ByteArrayOutputStream() {
          @Override
          public void close() {
            isClosed.set(true);
          }
        };
    try (Encryptor.Sealing sealing = encryptor().seal(stored, List.of(newKeys().recipient()))) {
      sealing.finish();
    }
    assertFalse(isClosed.get());
  }

  @Test
  public void opening_closes_what_is_underneath_with_itself() throws Exception {
    KeyPair keys = newKeys();
    var streams = new OpenStreams();
    byte[] sealed = seal(new byte[10], keys);
    InputStream in =
        stream(streams.track("sealed", new ByteArrayInputStream(sealed)), keys.identity());
    in.close();

    assertEquals(List.of(), streams.names());
  }

  @Test
  public void each_of_several_recipients_can_open_it() throws Exception {
    byte[] plain = SeededBytes.of(4, 70_000);
    List<KeyPair> all = List.of(newKeys(), newKeys(), newKeys());
    byte[] sealed = seal(plain, all.stream().map(KeyPair::recipient).toList());

    for (KeyPair one : all) {
      assertArrayEquals(plain, open(sealed, one));
    }
    assertEquals(
        CoreFailure.WRONG_KEY,
        assertThrows(BackupException.Crypto.class, () -> open(sealed, newKeys())).code());
  }

  @Test
  public void the_identity_that_fits_is_found_among_others() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(5, 100);
    byte[] sealed = seal(plain, keys);
    List<Identity> identities =
        List.of(newKeys().identity(), newKeys().identity(), keys.identity());

    try (InputStream in = decryptor().open(new ByteArrayInputStream(sealed), identities)) {
      assertArrayEquals(plain, in.readAllBytes());
    }
  }

  @Test
  public void another_identity_is_told_that_it_is_the_wrong_one() throws Exception {
    byte[] sealed = seal(SeededBytes.of(6, 100), newKeys());
    KeyPair stranger = newKeys();

    var e = assertThrows(BackupException.Crypto.class, () -> open(sealed, stranger));
    assertEquals(CoreFailure.WRONG_KEY, e.code());
    var ranged =
        assertThrows(
            BackupException.Crypto.class, () -> reader(sealed, stranger.identity()).close());
    assertEquals(CoreFailure.WRONG_KEY, ranged.code());
  }

  @Test
  public void without_a_recipient_nothing_is_sealed() {
    var stored = new ByteArrayOutputStream();

    var e = assertThrows(BackupException.Crypto.class, () -> encryptor().seal(stored, List.of()));

    assertEquals(CoreFailure.BAD_KEY, e.code());
    assertEquals(0, stored.size());
  }

  @Test
  public void every_truncation_is_found() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(7, SMALL_BYTES);
    byte[] sealed = seal(plain, keys);
    for (int length = 0; length < sealed.length; length++) {
      assertFound(Arrays.copyOf(sealed, length), plain, keys, "cut to " + length);
    }
  }

  @Test
  public void a_truncation_between_segments_is_found() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(8, 200_000);
    byte[] sealed = seal(plain, keys);
    int header = sealed.length - plain.length;
    for (int length = 65_000; length < sealed.length; length += 1 << 16) {
      for (int cut = length; cut < Math.min(length + header + 600, sealed.length); cut += 7) {
        assertFound(Arrays.copyOf(sealed, cut), plain, keys, "cut to " + cut);
      }
    }
  }

  @Test
  public void a_flip_of_every_byte_is_found() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(9, SMALL_BYTES);
    byte[] sealed = seal(plain, keys);
    for (int at = 0; at < sealed.length; at++) {
      byte[] flipped = sealed.clone();
      flipped[at] ^= (byte) (1 << at % Byte.SIZE);
      assertFound(flipped, plain, keys, "flipped at " + at);
    }
  }

  @Test
  public void bytes_behind_the_end_are_found() throws Exception {
    KeyPair keys = newKeys();
    for (int size : awkwardSizes()) {
      byte[] plain = SeededBytes.of(size, size);
      byte[] sealed = seal(plain, keys);

      assertFound(Arrays.copyOf(sealed, sealed.length + 1), plain, keys, "a zero behind " + size);
    }
  }

  @Test
  public void what_is_no_sealed_object_is_malformed_or_truncated() throws Exception {
    KeyPair keys = newKeys();
    for (int size : new int[] {0, 1, 100, 70_000}) {
      byte[] rubbish = SeededBytes.of(10 + size, size);

      assertThrows(BackupException.Corrupt.class, () -> open(rubbish, keys), size + " bytes");
    }
  }

  @Test
  public void ranges_are_the_same_bytes() throws Exception {
    KeyPair keys = newKeys();
    int length = 3 * (1 << 16) + 100;
    byte[] plain = SeededBytes.of(11, length);
    long seed = 12;
    var random = new Random(seed);
    try (SealedReader reader = reader(seal(plain, keys), keys.identity())) {
      assertEquals(length, reader.plainBytes());
      for (int i = 0; i < RANGES; i++) {
        int offset = random.nextInt(length + 10);
        int count = random.nextInt(random.nextBoolean() ? 100 : length);
        assertRange(plain, reader, new ByteRange(offset, count), "seed " + seed + ", range " + i);
      }
      assertRange(plain, reader, ByteRange.ALL, "all");
      assertRange(plain, reader, new ByteRange(65_536, 65_536), "one segment");
      assertRange(plain, reader, new ByteRange(65_535, 2), "across segments");
      assertRange(plain, reader, new ByteRange(length - 1, 1), "the last byte");
      assertRange(plain, reader, new ByteRange(length, 1), "at the end");
      assertRange(plain, reader, new ByteRange(Long.MAX_VALUE, Long.MAX_VALUE), "far behind");
    }
  }

  @Test
  public void lengths_are_right_at_every_awkward_size() throws Exception {
    KeyPair keys = newKeys();
    for (int size : awkwardSizes()) {
      byte[] plain = SeededBytes.of(size, size);
      try (SealedReader reader = reader(seal(plain, keys), keys.identity())) {
        assertEquals(size, reader.plainBytes());
        assertRange(plain, reader, ByteRange.ALL, size + " bytes");
      }
    }
  }

  @Test
  public void a_flipped_byte_never_comes_out_of_a_range() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(13, 70_000);
    byte[] sealed = seal(plain, keys);
    for (int at = sealed.length - 70_000; at < sealed.length; at += 997) {
      byte[] flipped = sealed.clone();
      flipped[at] ^= 1;
      assertThrows(
          BackupException.class, () -> ranged(flipped, keys, ByteRange.ALL), "flipped at " + at);
    }
  }

  @Test
  public void a_range_at_the_end_of_a_truncated_object_fails() throws Exception {
    KeyPair keys = newKeys();
    byte[] sealed = seal(SeededBytes.of(14, 140_000), keys);
    for (int cut : new int[] {1, 2, 16, 17, 100, 8_900, 8_944, 8_960, 70_000}) {
      byte[] shorter = Arrays.copyOf(sealed, sealed.length - cut);
      assertThrows(BackupException.Corrupt.class, () -> lastByte(shorter, keys), "cut by " + cut);
    }
  }

  @Test
  public void a_failure_of_the_store_is_not_taken_for_corruption() throws Exception {
    KeyPair keys = newKeys();
    byte[] sealed = seal(SeededBytes.of(15, 100_000), keys);
    for (int after : new int[] {0, 50, 1000, 70_000, sealed.length}) {
      var lost = new IOException("connection lost");
      var stored =
          new SequenceInputStream(new ByteArrayInputStream(sealed, 0, after), new Failing(lost));

      var e =
          assertThrows(
              IOException.class,
              () -> {
                try (InputStream in = stream(stored, keys.identity())) {
                  in.readAllBytes();
                }
              });

      assertSame(lost, e, "after " + after + " bytes");
    }
  }

  @Test
  public void a_failure_to_store_passes_through() throws Exception {
    KeyPair keys = newKeys();
    var full = new IOException("no space");
    OutputStream stored =
        new OutputStream() {
          private long left = 100_000;

          @Override
          public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
          }

          @Override
          public void write(byte[] bytes, int offset, int length) throws IOException {
            left -= length;
            if (left < 0) {
              throw full;
            }
          }
        };
    var e =
        assertThrows(
            IOException.class,
            () -> {
              try (Encryptor.Sealing sealing =
                  encryptor().seal(stored, List.of(keys.recipient()))) {
                sealing.write(new byte[200_000]);
                sealing.finish();
              }
            });
    assertSame(full, e);
  }

  @Test
  public void many_threads_can_seal_and_open_at_once() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(16, 200_000);

    List<byte[]> found =
        Crowd.run(Collections.nCopies(THREADS, () -> open(seal(plain, keys), keys)));

    found.forEach(f -> assertArrayEquals(plain, f));
  }

  @Test
  public void many_threads_can_read_one_object_at_once() throws Exception {
    KeyPair keys = newKeys();
    byte[] plain = SeededBytes.of(17, 200_000);
    try (SealedReader reader = reader(seal(plain, keys), keys.identity())) {
      List<byte[]> found =
          Crowd.run(Collections.nCopies(THREADS, () -> read(reader, ByteRange.ALL)));

      found.forEach(f -> assertArrayEquals(plain, f));
    }
  }

  /** Damage is found, and whatever came out before that is right. */
  private void assertFound(byte[] damaged, byte[] plain, KeyPair keys, String what)
      throws IOException {
    var out = new ByteArrayOutputStream();
    assertThrows(
        BackupException.class,
        () -> {
          try (InputStream in = stream(new ByteArrayInputStream(damaged), keys.identity())) {
            for (int b = in.read(); b >= 0; b = in.read()) {
              out.write(b);
            }
          }
        },
        what);
    byte[] found = out.toByteArray();
    assertArrayEquals(Arrays.copyOf(plain, found.length), found, what + ": what came out");
  }

  private static void assertRange(byte[] plain, SealedReader reader, ByteRange range, String what)
      throws IOException {
    int from = (int) Math.min(range.offset(), plain.length);
    int to = (int) range.endIn(plain.length);
    assertArrayEquals(Arrays.copyOfRange(plain, from, to), read(reader, range), what + " " + range);
  }

  private byte[] seal(byte[] plain, KeyPair to) throws IOException {
    return seal(plain, List.of(to.recipient()));
  }

  private byte[] seal(byte[] plain, List<Recipient> to) throws IOException {
    var stored = new ByteArrayOutputStream();
    try (Encryptor.Sealing sealing = encryptor().seal(stored, to)) {
      sealing.write(plain);
      sealing.finish();
    }
    return stored.toByteArray();
  }

  private byte[] open(byte[] sealed, KeyPair by) throws IOException {
    try (InputStream in = stream(new ByteArrayInputStream(sealed), by.identity())) {
      return in.readAllBytes();
    }
  }

  private InputStream stream(InputStream stored, Identity by) throws IOException {
    return decryptor().open(stored, List.of(by));
  }

  private SealedReader reader(byte[] sealed, Identity by) throws IOException {
    return decryptor().open(range -> within(sealed, range), sealed.length, List.of(by));
  }

  private byte[] ranged(byte[] sealed, KeyPair by, ByteRange range) throws IOException {
    try (SealedReader reader = reader(sealed, by.identity())) {
      return read(reader, range);
    }
  }

  private byte[] lastByte(byte[] sealed, KeyPair by) throws IOException {
    try (SealedReader reader = reader(sealed, by.identity())) {
      return read(reader, new ByteRange(Math.max(0, reader.plainBytes() - 1), 1));
    }
  }

  private static byte[] read(SealedReader reader, ByteRange range) throws IOException {
    try (InputStream in = reader.read(range)) {
      return in.readAllBytes();
    }
  }

  private static InputStream within(byte[] bytes, ByteRange range) {
    int from = (int) Math.min(range.offset(), bytes.length);
    return new ByteArrayInputStream(bytes, from, (int) range.endIn(bytes.length) - from);
  }

  private static byte[] tail(byte[] bytes, int length) {
    return Arrays.copyOfRange(bytes, bytes.length - length, bytes.length);
  }

  /** Returns one byte at a time, whatever was asked for. */
  private static final class Dripping extends FilterInputStream {
    Dripping(byte[] bytes) {
      super(new ByteArrayInputStream(bytes));
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return super.read(buffer, offset, Math.min(length, 1));
    }
  }

  /** Fails at once. */
  private static final class Failing extends FilterInputStream {
    private final IOException failure;

    Failing(IOException failure) {
      super(InputStream.nullInputStream());
      this.failure = failure;
    }

    @Override
    public int read() throws IOException {
      throw failure;
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      throw failure;
    }
  }
}
