package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/** Captures from a replayed exchange with a server that compresses, or says so. */
@Timeout(120)
class CompressedCaptureTest {
  private final SyntheticBackup backup =
      SyntheticBackup.cluster()
          .file("base.tar", "postgresql.conf", "port = 5432")
          .tablespace("16400", "/mnt/fast");

  @Test
  void what_the_server_compressed_is_stored_as_it_was_before() throws Exception {
    try (FakeWalSender server = server(RawFrame::of)) {
      Captured captured = capture(server);

      for (Map.Entry<String, byte[]> plain : backup.artifacts().entrySet()) {
        assertArrayEquals(plain.getValue(), captured.bytes(plain.getKey()), plain.getKey());
      }
      assertEquals(List.of(), captured.findings());
    }
  }

  @Test
  void an_archive_of_several_frames_is_stored_as_one() throws Exception {
    try (FakeWalSender server =
        server(
            tar -> {
              int half = tar.length / 2;
              return joined(
                  RawFrame.of(Arrays.copyOf(tar, half)),
                  RawFrame.of(Arrays.copyOfRange(tar, half, tar.length)));
            })) {
      assertArrayEquals(backup.artifacts().get("base.tar"), capture(server).bytes("base.tar"));
    }
  }

  @Test
  void a_frame_that_breaks_off_is_named() throws Exception {
    for (int lacking : new int[] {1, 1000, 2000}) {
      String message =
          assertFails(
              PostgresFailure.COMPRESSION_MALFORMED,
              tar -> Arrays.copyOf(RawFrame.of(tar), RawFrame.of(tar).length - lacking));
      assertTrue(message.contains("16400.tar") || message.contains("base.tar"), message);
    }
  }

  @Test
  void a_damaged_frame_is_named() throws Exception {
    assertFails(PostgresFailure.COMPRESSION_MALFORMED, tar -> RawFrame.damaged(RawFrame.of(tar)));
  }

  @Test
  void bytes_behind_the_frame_are_refused() throws Exception {
    assertFails(
        PostgresFailure.COMPRESSION_MALFORMED,
        tar -> joined(RawFrame.of(tar), new byte[] {1, 2, 3, 4, 5}));
  }

  @Test
  void an_archive_that_is_called_compressed_and_is_not_is_refused() throws Exception {
    assertFails(PostgresFailure.COMPRESSION_MALFORMED, tar -> tar);
  }

  @Test
  void a_frame_that_asks_for_more_memory_than_a_lowest_level_needs_is_refused() throws Exception {
    assertFails(PostgresFailure.COMPRESSION_MALFORMED, tar -> RawFrame.of(tar, 24));
  }

  @Test
  void an_empty_archive_is_no_tar() throws Exception {
    assertFails(PostgresFailure.TAR_MALFORMED, tar -> new byte[0]);
  }

  @Test
  void a_server_that_does_not_compress_although_it_was_asked_is_refused() throws Exception {
    try (FakeWalSender server = new FakeWalSender(FakeWalSender.script(backup))) {
      var e = assertThrows(BackupException.Source.class, () -> capture(server));

      assertEquals(PostgresFailure.PROTOCOL, e.code());
    }
  }

  @Test
  void a_server_that_compresses_unasked_is_refused() throws Exception {
    try (FakeWalSender server = server(RawFrame::of)) {
      CaptureHarness plain = CaptureHarness.of(PostgresSource.physical(server.connection()));

      var e = assertThrows(BackupException.Source.class, plain::capture);

      assertEquals(PostgresFailure.PROTOCOL, e.code());
    }
  }

  @Test
  void a_connection_that_breaks_in_a_frame_is_a_lost_connection() throws Exception {
    try (FakeWalSender server = server(RawFrame::of)) {
      for (int after = 3000; after < 9000; after += 1000) {
        server.breakAfter(after);

        var e = assertThrows(BackupException.Source.class, () -> capture(server));

        assertEquals(PostgresFailure.CONNECTION_LOST, e.code(), "broken after " + after);
      }
    }
  }

  @Test
  void a_refusal_of_the_compressor_itself_is_told_from_others() throws Exception {
    for (var refusal :
        Map.of(
                "0A000", PostgresFailure.COMPRESSION_REFUSED,
                "42601", PostgresFailure.COMPRESSION_REFUSED,
                "42501", PostgresFailure.NO_REPLICATION_RIGHT)
            .entrySet()) {
      Map<String, List<byte[]>> script = new HashMap<>(FakeWalSender.script(backup));
      script.put(
          "BASE_BACKUP",
          List.of(
              FakeWalSender.complaint('E', "ERROR", refusal.getKey(), "no"),
              FakeWalSender.message('Z', 'I')));
      try (FakeWalSender server = new FakeWalSender(script)) {
        var e = assertThrows(BackupException.Source.class, () -> capture(server));

        assertEquals(refusal.getValue(), e.code());
      }
    }
  }

  private String assertFails(PostgresFailure expected, UnaryOperator<byte[]> frames)
      throws IOException {
    try (FakeWalSender server = server(frames)) {
      var e = assertThrows(BackupException.Source.class, () -> capture(server));
      assertEquals(expected, e.code(), e.getMessage());
      return e.getMessage();
    }
  }

  /** A server whose tars go through a function, and are called as compressed ones are. */
  private FakeWalSender server(UnaryOperator<byte[]> frames) throws IOException {
    Map<String, byte[]> streams = new LinkedHashMap<>();
    backup
        .artifacts()
        .forEach(
            (name, bytes) ->
                streams.put(
                    name.endsWith(".tar") ? name + ".zst" : name,
                    name.endsWith(".tar") ? frames.apply(bytes) : bytes));
    Map<String, List<byte[]>> script = new HashMap<>(FakeWalSender.script(backup));
    script.put("BASE_BACKUP", FakeWalSender.baseBackup(backup, streams));
    return new FakeWalSender(script);
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  private static Captured capture(FakeWalSender server) throws IOException {
    return CaptureHarness.of(
            PostgresSource.physical(server.connection()).serverCompression(ServerCompression.ZSTD))
        .capture();
  }
}
