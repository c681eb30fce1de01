package org.stellaops.backup.crypto;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.stellaops.backup.model.ByteRange;
import org.stellaops.backup.spi.Decryptor.RangeReader;
import org.stellaops.backup.spi.Decryptor.SealedReader;
import org.stellaops.backup.spi.Encryptor.Sealing;

/** restore(seal(x)) = x, whoever computes and however many. */
class AgeRoundTripTest {
  private static final ExecutorService EXECUTOR = Executors.newFixedThreadPool(3);

  private AgeIdentity identity;

  static Stream<Age> formats() {
    Executor refusing =
        task -> {
          throw new RejectedExecutionException("full");
        };
    return Stream.of(
        Age.format(),
        Age.withoutConscrypt(),
        Age.parallel(EXECUTOR, 3),
        Age.parallel(refusing, 2),
        Age.parallel(Runnable::run, 2));
  }

  static Stream<Arguments> formatsAndSizes() {
    int[] sizes = {0, 1, 65535, 65536, 65537, 131072, 8 * 65536, 8 * 65536 + 1, 5_000_000};
    return formats()
        .flatMap(format -> IntStream.of(sizes).mapToObj(size -> Arguments.of(format, size)));
  }

  @BeforeEach
  void makeIdentity() throws IOException {
    identity = AgeIdentity.generate();
  }

  @AfterEach
  void closeIdentity() {
    identity.close();
  }

  @AfterAll
  static void stopExecutor() {
    EXECUTOR.shutdownNow();
  }

  @Test
  void conscrypt_computes_where_it_is_on_the_class_path() {
    assertEquals("age/1 (Conscrypt)", Age.format().toString());
    assertEquals("age/1 (JDK)", Age.withoutConscrypt().toString());
  }

  @ParameterizedTest
  @MethodSource("formatsAndSizes")
  void what_was_sealed_is_opened(Age format, int size) throws IOException {
    byte[] plain = AgeBytes.plain(size);

    byte[] stored = AgeBytes.seal(format, plain, identity.recipient());

    int segments = Math.max(1, (size + AgeBytes.SEGMENT - 1) / AgeBytes.SEGMENT);
    assertEquals(size + 16 * segments, stored.length - AgeBytes.payloadStart(stored));
    assertArrayEquals(plain, AgeBytes.open(format, stored, identity));
    assertArrayEquals(plain, AgeBytes.openAtRandom(format, stored, identity));
    assertArrayEquals(plain, AgeBytes.open(Age.withoutConscrypt(), stored, identity));
  }

  @ParameterizedTest
  @MethodSource("formats")
  void the_size_of_the_writes_and_reads_does_not_matter(Age format) throws IOException {
    long seed = 20260101;
    var random = new Random(seed);
    byte[] plain = AgeBytes.plain(1_500_000);
    var stored = new ByteArrayOutputStream();

    try (Sealing sealing = format.seal(stored, List.of(identity.recipient()))) {
      sealing.write(plain[0]);
      for (int at = 1; at < plain.length; ) {
        int step = Math.min(random.nextInt(200_000), plain.length - at);
        sealing.write(plain, at, step);
        at += step;
      }
      sealing.finish();
    }

    var found = new ByteArrayOutputStream();
    try (InputStream in =
        format.open(new ByteArrayInputStream(stored.toByteArray()), List.of(identity))) {
      found.write(in.read());
      byte[] buffer = new byte[150_000];
      for (int n; (n = in.read(buffer, 7, 1 + random.nextInt(100_000))) >= 0; ) {
        found.write(buffer, 7, n);
      }
      assertEquals(-1, in.read());
    }
    assertArrayEquals(plain, found.toByteArray(), "seed " + seed);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void any_range_can_be_read(Age format) throws IOException {
    long seed = 20260102;
    var random = new Random(seed);
    byte[] plain = AgeBytes.plain(10 * AgeBytes.SEGMENT + 17);
    byte[] stored = AgeBytes.seal(format, plain, identity.recipient());

    try (SealedReader reader =
        format.open(AgeBytes.reader(stored), stored.length, List.of(identity))) {
      assertEquals(plain.length, reader.plainBytes());
      for (ByteRange range : ranges(random, plain.length)) {
        byte[] expected =
            Arrays.copyOfRange(
                plain,
                (int) Math.min(range.offset(), plain.length),
                (int) range.endIn(plain.length));
        assertArrayEquals(expected, AgeBytes.read(reader, range), range + ", seed " + seed);
      }
    }
  }

  @Test
  void a_range_costs_one_request_for_the_segments_that_it_touches() throws IOException {
    byte[] stored =
        AgeBytes.seal(Age.format(), AgeBytes.plain(10 * AgeBytes.SEGMENT), identity.recipient());
    int start = AgeBytes.payloadStart(stored);
    var requests = new CopyOnWriteArrayList<ByteRange>();
    RangeReader recording =
        range -> {
          requests.add(range);
          return AgeBytes.reader(stored).open(range);
        };

    try (SealedReader reader = Age.format().open(recording, stored.length, List.of(identity))) {
      assertEquals(List.of(new ByteRange(0, 4096)), requests);
      requests.clear();
      AgeBytes.read(reader, new ByteRange(2L * AgeBytes.SEGMENT + 5, AgeBytes.SEGMENT));
    }

    assertEquals(
        List.of(new ByteRange(start + 2L * AgeBytes.SEALED_SEGMENT, 2L * AgeBytes.SEALED_SEGMENT)),
        requests);
  }

  @Test
  void a_header_larger_than_the_first_request_is_read_by_a_second() throws IOException {
    var recipients = new ArrayList<AgeRecipient>();
    for (int i = 0; i < 200; i++) {
      try (AgeIdentity other = AgeIdentity.generate()) {
        recipients.add(other.recipient());
      }
    }
    recipients.add(identity.recipient());
    byte[] plain = AgeBytes.plain(100_000);
    byte[] stored = AgeBytes.seal(Age.format(), plain, recipients.toArray(AgeRecipient[]::new));

    assertTrue(AgeBytes.payloadStart(stored) > 4096);
    assertArrayEquals(plain, AgeBytes.openAtRandom(Age.format(), stored, identity));
    assertArrayEquals(plain, AgeBytes.open(Age.format(), stored, identity));
  }

  @Test
  void each_of_several_recipients_opens_the_file() throws IOException {
    try (AgeIdentity second = AgeIdentity.generate()) {
      byte[] plain = AgeBytes.plain(100);
      byte[] stored = AgeBytes.seal(Age.format(), plain, identity.recipient(), second.recipient());

      assertArrayEquals(plain, AgeBytes.open(Age.format(), stored, identity));
      assertArrayEquals(plain, AgeBytes.open(Age.format(), stored, second));
    }
  }

  @Test
  void what_is_sealed_twice_has_nothing_in_common() throws IOException {
    byte[] plain = new byte[100];

    byte[] first = AgeBytes.seal(Age.format(), plain, identity.recipient());
    byte[] second = AgeBytes.seal(Age.format(), plain, identity.recipient());

    int payload = AgeBytes.payloadStart(first) - 16;
    assertTrue(
        IntStream.range(payload, first.length).filter(i -> first[i] == second[i]).count() < 10);
  }

  @ParameterizedTest
  @MethodSource("formats")
  void a_file_that_was_closed_but_not_finished_is_truncated(Age format) throws IOException {
    var stored = new ByteArrayOutputStream();

    try (Sealing sealing = format.seal(stored, List.of(identity.recipient()))) {
      sealing.write(AgeBytes.plain(3 * 1024 * 1024));
    }

    Failures.assertCorrupt(
        "STELLA-401", () -> AgeBytes.open(format, stored.toByteArray(), identity));
  }

  @Test
  void a_finished_file_takes_no_more_bytes() throws IOException {
    try (Sealing sealing =
        Age.format().seal(new ByteArrayOutputStream(), List.of(identity.recipient()))) {
      sealing.finish();

      assertThrows(IllegalStateException.class, () -> sealing.write(1));
      assertThrows(IllegalStateException.class, sealing::finish);
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void a_file_whose_store_failed_cannot_be_finished(Age format) throws IOException {
    var full = new FullAfter(1_000_000);

    try (Sealing sealing = format.seal(full, List.of(identity.recipient()))) {
      assertThrows(IOException.class, () -> sealing.write(AgeBytes.plain(20_000_000)));
      full.limit = Integer.MAX_VALUE;
      assertThrows(IOException.class, sealing::finish);
    }
  }

  @Test
  void closing_the_reader_leaves_its_open_streams_readable() throws IOException {
    byte[] plain = AgeBytes.plain(300_000);
    byte[] stored = AgeBytes.seal(Age.format(), plain, identity.recipient());
    SealedReader reader =
        Age.format().open(AgeBytes.reader(stored), stored.length, List.of(identity));

    try (InputStream stream = reader.read(ByteRange.ALL)) {
      reader.close();

      assertArrayEquals(plain, stream.readAllBytes());
      assertThrows(IllegalStateException.class, () -> reader.read(ByteRange.ALL));
    }
  }

  @Test
  void an_executor_that_never_runs_a_task_does_not_hang_the_caller() throws IOException {
    Age format = Age.parallel(task -> {}, 4);
    byte[] plain = AgeBytes.plain(6_000_000);

    byte[] stored = AgeBytes.seal(format, plain, identity.recipient());

    assertArrayEquals(plain, AgeBytes.open(format, stored, identity));
  }

  private static List<ByteRange> ranges(Random random, int total) {
    var ranges = new ArrayList<ByteRange>();
    ranges.add(ByteRange.ALL);
    ranges.add(new ByteRange(0, 0));
    ranges.add(new ByteRange(total, 1));
    ranges.add(new ByteRange(total + 100_000L, 1));
    ranges.add(new ByteRange(total - 1L, 1));
    ranges.add(new ByteRange(AgeBytes.SEGMENT, AgeBytes.SEGMENT));
    ranges.add(new ByteRange(AgeBytes.SEGMENT - 1L, 2));
    for (int i = 0; i < 60; i++) {
      ranges.add(new ByteRange(random.nextInt(total), random.nextInt(200_000)));
    }
    return ranges;
  }

  /** A disk that gets full. */
  private static final class FullAfter extends OutputStream {
    private int limit;
    private int written;

    FullAfter(int limit) {
      this.limit = limit;
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[1], 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      written += length;
      if (written > limit) {
        throw new IOException("no space left on device");
      }
    }
  }
}
