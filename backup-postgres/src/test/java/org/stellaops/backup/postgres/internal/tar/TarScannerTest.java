package org.stellaops.backup.postgres.internal.tar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.PostgresFailure;

class TarScannerTest {
  private static final int BLOCK_BYTES = 512;

  private final Recorder recorder = new Recorder();

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 511, 512, 513, 1024, 100_000})
  void members_come_out_as_they_went_in_whatever_the_pieces(int sizeBytes) throws IOException {
    byte[] content = new byte[sizeBytes];
    new Random(sizeBytes).nextBytes(content);
    byte[] tar = tar(directory("base"), file("base/1", content), file("base/2", new byte[3]));

    for (int piece : new int[] {1, 7, 512, 4096, tar.length}) {
      Recorder pieces = new Recorder();
      scan(tar, piece, pieces);
      assertEquals(
          List.of(
              new TarMember("base", true, 0),
              new TarMember("base/1", false, sizeBytes),
              new TarMember("base/2", false, 3)),
          pieces.ended,
          "pieces of " + piece);
      assertArrayEquals(content, pieces.contents.get(1).toByteArray(), "pieces of " + piece);
    }
  }

  @Test
  void a_scan_stops_behind_a_header_and_behind_the_padding() throws IOException {
    byte[] tar = tar(file("base/1", new byte[1000]));
    var scanner = new TarScanner("base.tar", recorder);

    assertEquals(BLOCK_BYTES, scanner.scan(tar, 0, tar.length));
    assertEquals(1, recorder.begun.size());
    assertEquals(1024, scanner.scan(tar, BLOCK_BYTES, tar.length - BLOCK_BYTES));
    assertEquals(1, recorder.ended.size());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 077777777777L})
  void sizes_are_read_in_octal(long sizeBytes) throws IOException {
    byte[] digits = "%011o\0".formatted(sizeBytes).getBytes(StandardCharsets.US_ASCII);

    new TarScanner("base.tar", recorder).scan(withSize(digits), 0, BLOCK_BYTES);

    assertEquals(List.of(new TarMember("base/1", false, sizeBytes)), recorder.begun);
  }

  @ParameterizedTest
  @ValueSource(longs = {0100000000000L, 5_000_000_000_000L, Long.MAX_VALUE})
  void sizes_from_8_gib_on_are_read_in_base_256(long sizeBytes) throws IOException {
    byte[] number = ByteBuffer.allocate(12).put((byte) 0x80).putLong(4, sizeBytes).array();

    new TarScanner("base.tar", recorder).scan(withSize(number), 0, BLOCK_BYTES);

    assertEquals(List.of(new TarMember("base/1", false, sizeBytes)), recorder.begun);
  }

  @Test
  void a_size_beyond_all_measure_is_an_error() {
    byte[] number = ByteBuffer.allocate(12).put((byte) 0x80).putLong(4, -1).array();

    assertThrows(BackupException.Corrupt.class, () -> scan(withSize(number), 512, recorder));
  }

  @Test
  void every_truncation_is_an_error() throws IOException {
    byte[] tar = tar(file("base/1", new byte[700]));
    int needed = BLOCK_BYTES + 1024 + 2 * BLOCK_BYTES;
    for (int length = 0; length < needed; length++) {
      byte[] part = Arrays.copyOf(tar, length);
      assertThrows(
          BackupException.Corrupt.class,
          () -> scan(part, 4096, new Recorder()),
          "cut to " + length + " bytes");
    }
  }

  @Test
  void every_flipped_bit_of_a_header_is_an_error() throws IOException {
    byte[] tar = tar(file("base/1", new byte[700]));
    for (int bit = 0; bit < BLOCK_BYTES * 8; bit++) {
      byte[] flipped = tar.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      Recorder members = new Recorder();
      try {
        scan(flipped, 4096, members);
        // Blanks and zeros both end the digits of the sum.
        assertEquals(List.of(new TarMember("base/1", false, 700)), members.ended, "bit " + bit);
      } catch (BackupException.Corrupt e) {
        assertEquals(PostgresFailure.TAR_MALFORMED, e.code());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"../evil", "base/../../evil", "/etc/passwd", "base//1", "base/./1", "..", "a/.."})
  void a_path_that_is_not_plain_and_relative_is_refused(String path) {
    assertThrows(BackupException.Corrupt.class, () -> scan(header(path, '0'), 512, recorder));
    assertEquals(List.of(), recorder.begun);
  }

  @ParameterizedTest
  @ValueSource(chars = {'1', '2', '3', '4', '6', '7', 'g', 'x', 'L', 'K', 'S'})
  void only_files_and_directories_are_let_in(char type) {
    var e =
        assertThrows(
            BackupException.Corrupt.class, () -> scan(header("base/1", type), 512, recorder));

    assertEquals(PostgresFailure.TAR_MALFORMED, e.code());
    assertEquals(List.of(), recorder.begun);
  }

  @Test
  void nothing_may_follow_the_end() throws IOException {
    ByteArrayOutputStream two = new ByteArrayOutputStream();
    two.write(tar(file("a", new byte[1])));
    two.write(tar(file("b", new byte[1])));

    assertThrows(BackupException.Corrupt.class, () -> scan(two.toByteArray(), 512, recorder));
  }

  private static void scan(byte[] tar, int piece, Recorder members) throws IOException {
    var scanner = new TarScanner("base.tar", members);
    for (int at = 0; at < tar.length; at += piece) {
      scanner.scanAll(tar, at, Math.min(piece, tar.length - at));
    }
    scanner.finish();
  }

  private static byte[] header(String path, char type) {
    TarArchiveEntry entry = new TarArchiveEntry("placeholder", (byte) type);
    entry.setSize(0);
    byte[] header = new byte[BLOCK_BYTES];
    entry.writeEntryHeader(header);
    return named(header, path);
  }

  private static byte[] withSize(byte[] field) {
    byte[] header = header("base/1", '0');
    System.arraycopy(field, 0, header, 124, field.length);
    return named(header, "base/1");
  }

  /** The library mends names, so they are put in behind its back, with a new sum. */
  private static byte[] named(byte[] header, String path) {
    Arrays.fill(header, 0, 100, (byte) 0);
    byte[] name = path.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(name, 0, header, 0, name.length);
    Arrays.fill(header, 148, 156, (byte) ' ');
    long sum = 0;
    for (byte b : header) {
      sum += b & 0xff;
    }
    byte[] digits = "%06o\0 ".formatted(sum).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(digits, 0, header, 148, digits.length);
    return header;
  }

  private static Entry directory(String path) {
    return new Entry(path + "/", TarConstants.LF_DIR, new byte[0]);
  }

  private static Entry file(String path, byte[] content) {
    return new Entry(path, TarConstants.LF_NORMAL, content);
  }

  private static byte[] tar(Entry... entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      for (Entry e : entries) {
        TarArchiveEntry entry = new TarArchiveEntry(e.path(), e.type());
        entry.setSize(e.content().length);
        tar.putArchiveEntry(entry);
        tar.write(e.content());
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  private record Entry(String path, byte type, byte[] content) {}

  private static final class Recorder implements TarScanner.Members {
    private final List<TarMember> begun = new ArrayList<>();
    private final List<ByteArrayOutputStream> contents = new ArrayList<>();
    private final List<TarMember> ended = new ArrayList<>();

    @Override
    public void begin(TarMember member) {
      begun.add(member);
      contents.add(new ByteArrayOutputStream());
    }

    @Override
    public void content(byte[] bytes, int offset, int length) {
      contents.get(contents.size() - 1).write(bytes, offset, length);
    }

    @Override
    public void end(TarMember member) {
      ended.add(member);
    }
  }
}
