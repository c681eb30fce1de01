package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;

/**
 * Captures from a replayed exchange, whole, broken off everywhere, and not as a server sends it.
 */
@Timeout(120)
class ReplayedCaptureTest {
  private static final byte[] READY = FakeWalSender.message('Z', 'I');

  private final SyntheticBackup backup =
      SyntheticBackup.cluster()
          .file("base.tar", "postgresql.conf", "port = 5432")
          .tablespace("16400", "/mnt/fast");

  @Test
  void what_the_server_sent_is_what_is_stored() throws Exception {
    try (FakeWalSender server = new FakeWalSender(FakeWalSender.script(backup))) {
      Captured captured = capture(server);

      for (Map.Entry<String, byte[]> sent : backup.artifacts().entrySet()) {
        assertArrayEquals(sent.getValue(), captured.bytes(sent.getKey()), sent.getKey());
      }
      assertEquals("/mnt/fast", captured.source().properties().get("tablespace.16400"));
      assertEquals(List.of(), captured.findings());
    }
  }

  @Test
  @Tag("interop")
  void an_exchange_that_breaks_off_anywhere_is_never_a_capture() throws Exception {
    Map<String, List<byte[]>> script = FakeWalSender.script(backup);
    List<byte[]> exchange = new ArrayList<>();
    for (String command :
        List.of(
            "IDENTIFY_SYSTEM",
            "SHOW server_version",
            "SHOW server_version_num",
            "SHOW data_checksums",
            "SHOW in_hot_standby",
            "SHOW wal_segment_size",
            "BASE_BACKUP")) {
      exchange.addAll(script.get(command));
    }
    try (FakeWalSender server = new FakeWalSender(script)) {
      long sent = 0;
      for (byte[] message : exchange) {
        breakAt(server, sent + 1);
        breakAt(server, sent + message.length - 1);
        sent += message.length;
        if (sent < exchange.stream().mapToLong(m -> m.length).sum()) {
          breakAt(server, sent);
        }
      }
    }
  }

  @Test
  @Tag("interop")
  void an_increment_that_breaks_off_anywhere_is_never_a_capture() throws Exception {
    Map<String, List<byte[]>> script = FakeWalSender.incrementalScript(backup);
    List<byte[]> exchange = new ArrayList<>();
    for (String command :
        List.of(
            "IDENTIFY_SYSTEM",
            "SHOW server_version",
            "SHOW server_version_num",
            "SHOW data_checksums",
            "SHOW in_hot_standby",
            "SHOW wal_segment_size",
            "SHOW summarize_wal",
            "UPLOAD_MANIFEST",
            FakeWalSender.COPY_DONE,
            "BASE_BACKUP")) {
      exchange.addAll(script.get(command));
    }
    try (FakeWalSender server = new FakeWalSender(script)) {
      Captured full = capture(server);
      CaptureHarness increment =
          CaptureHarness.of(PostgresSource.physical(server.connection())).parent(full);
      assertEquals(full, increment.capture().parent().orElseThrow());
      long sent = 0;
      for (byte[] message : exchange) {
        breakAt(server, sent + 1, increment);
        breakAt(server, sent + message.length - 1, increment);
        sent += message.length;
      }
    }
  }

  @Test
  void a_server_that_cannot_build_on_an_earlier_backup_sends_a_full_one() throws Exception {
    Map<String, List<byte[]>> script = FakeWalSender.incrementalScript(backup);
    try (FakeWalSender server = new FakeWalSender(script)) {
      Captured full = capture(server);
      byte[] refusal = FakeWalSender.complaint('E', "ERROR", "55000", "no summaries");
      script.put(FakeWalSender.COPY_DONE, List.of(refusal, READY));

      Captured captured =
          CaptureHarness.of(PostgresSource.physical(server.connection())).parent(full).capture();

      assertEquals(Optional.empty(), captured.parent());
      assertEquals(PostgresFailure.CAPTURED_IN_FULL, captured.findings().get(0).code());
      assertTrue(captured.findings().get(0).found().contains("no summaries"));
    }
  }

  @Test
  void a_server_that_refuses_for_another_reason_ends_the_capture() throws Exception {
    Map<String, List<byte[]>> script = FakeWalSender.incrementalScript(backup);
    try (FakeWalSender server = new FakeWalSender(script)) {
      Captured full = capture(server);
      byte[] refusal = FakeWalSender.complaint('E', "ERROR", "22023", "no manifest at all");
      script.put(FakeWalSender.COPY_DONE, List.of(refusal, READY));
      CaptureHarness increment =
          CaptureHarness.of(PostgresSource.physical(server.connection())).parent(full);

      var e = assertThrows(BackupException.Source.class, increment::capture);

      assertEquals(PostgresFailure.REFUSED_BY_SERVER, e.code());
    }
  }

  private static void breakAt(FakeWalSender server, long bytes) {
    breakAt(server, bytes, CaptureHarness.of(PostgresSource.physical(server.connection())));
  }

  private static void breakAt(FakeWalSender server, long bytes, CaptureHarness harness) {
    server.breakAfter(bytes);
    var e = assertThrows(BackupException.Source.class, harness::capture, "broken after " + bytes);
    assertEquals(PostgresFailure.CONNECTION_LOST, e.code(), "broken after " + bytes);
  }

  @Test
  void a_message_of_an_impossible_length_is_refused_unread() throws Exception {
    for (int length : new int[] {Integer.MAX_VALUE, Integer.MIN_VALUE, 3, (64 << 20) + 5}) {
      assertProtocolError(
          Map.of("IDENTIFY_SYSTEM", List.of(FakeWalSender.framed('T', length, new byte[8]))));
    }
  }

  @Test
  void fields_beyond_the_end_of_their_message_are_refused() throws Exception {
    assertProtocolError(
        Map.of(
            "IDENTIFY_SYSTEM",
            List.of(FakeWalSender.message('D', 0, 1, 0x7f, 0xff, 0xff, 0xff, 'x'), READY)));
    assertProtocolError(
        Map.of("IDENTIFY_SYSTEM", List.of(FakeWalSender.message('N', 'M', 'x'), READY)));
  }

  @Test
  void a_message_that_has_no_business_there_is_refused() throws Exception {
    assertProtocolError(Map.of("IDENTIFY_SYSTEM", List.of(FakeWalSender.message('G', 0))));
    assertProtocolError(Map.of("IDENTIFY_SYSTEM", List.of(READY)));
  }

  @Test
  void an_archive_with_a_name_of_its_own_invention_is_refused() throws Exception {
    SyntheticBackup odd = SyntheticBackup.cluster().put("../base.tar", "x", "x");

    assertProtocolError(FakeWalSender.script(odd));
  }

  @Test
  void a_backup_without_a_manifest_is_refused() throws Exception {
    List<byte[]> messages = FakeWalSender.baseBackup(backup);
    messages.removeIf(m -> m[0] == 'd' && m[5] == 'm');

    assertCaptureFails(PostgresFailure.TAR_MALFORMED, Map.of("BASE_BACKUP", messages));
  }

  @Test
  void a_backup_that_ends_on_another_timeline_than_it_began_on_is_refused() throws Exception {
    List<byte[]> messages = FakeWalSender.baseBackup(backup);
    List<byte[]> end = FakeWalSender.rows(List.of(List.of("0/2000100", "2")));
    messages.set(messages.size() - 4, end.get(1));

    String message =
        assertCaptureFails(PostgresFailure.TIMELINE_CHANGED, Map.of("BASE_BACKUP", messages));

    assertTrue(message.contains("at 0/2000100 on timeline 2"), message);
  }

  @Test
  void a_file_whose_name_is_no_text_is_refused_and_shown() throws Exception {
    SyntheticBackup latin =
        SyntheticBackup.cluster()
            .put("base.tar", "caf\u00e9", "x")
            .namedIn(StandardCharsets.ISO_8859_1);

    String message = assertCaptureFails(PostgresFailure.NAME_NOT_UTF8, FakeWalSender.script(latin));

    assertTrue(message.contains("'caf\\xe9'"), message);
  }

  @Test
  void a_file_that_is_not_what_the_manifest_says_is_named() throws Exception {
    SyntheticBackup differs =
        SyntheticBackup.cluster().put("base.tar", "base", "evil").declare("base", "good");

    String message =
        assertCaptureFails(PostgresFailure.MANIFEST_DIFFERS, FakeWalSender.script(differs));

    assertTrue(message.contains("base: expected 4 bytes"), message);
  }

  @Test
  void a_file_that_the_manifest_names_and_nobody_sent_is_named() throws Exception {
    SyntheticBackup lacking = SyntheticBackup.cluster().declare("base/1/1", "lost");

    String message =
        assertCaptureFails(PostgresFailure.MANIFEST_DIFFERS, FakeWalSender.script(lacking));

    assertTrue(message.contains("base/1/1: declared in backup_manifest, but missing"), message);
  }

  @Test
  void damaged_pages_are_reported_with_what_the_server_said_of_them() throws Exception {
    List<byte[]> messages = FakeWalSender.baseBackup(backup);
    messages.add(10, FakeWalSender.complaint('N', "WARNING", "01000", "file \"base/1/1\" is bad"));
    messages.subList(messages.size() - 2, messages.size()).clear();
    messages.add(FakeWalSender.complaint('E', "ERROR", "XX001", "checksum verification failure"));
    messages.add(READY);

    String message =
        assertCaptureFails(PostgresFailure.PAGE_CHECKSUM, Map.of("BASE_BACKUP", messages));

    assertTrue(message.contains("file \"base/1/1\" is bad"), message);
  }

  @Test
  void other_warnings_become_findings() throws Exception {
    Map<String, List<byte[]>> script = new HashMap<>(FakeWalSender.script(backup));
    script
        .get("BASE_BACKUP")
        .add(5, FakeWalSender.complaint('N', "WARNING", "01000", "the clock went backwards"));
    try (FakeWalSender server = new FakeWalSender(script)) {
      Captured captured = capture(server);

      assertEquals(1, captured.findings().size());
      assertEquals(PostgresFailure.SERVER_WARNING, captured.findings().get(0).code());
    }
  }

  @Test
  void a_configuration_that_lies_elsewhere_is_a_finding() throws Exception {
    try (FakeWalSender server =
        new FakeWalSender(FakeWalSender.script(SyntheticBackup.cluster()))) {
      Captured captured = capture(server);

      assertEquals(1, captured.findings().size());
      assertEquals(PostgresFailure.CONFIGURATION_OUTSIDE, captured.findings().get(0).code());
    }
  }

  @Test
  void a_server_that_is_too_old_is_refused_before_anything_is_read() throws Exception {
    assertCaptureFails(
        PostgresFailure.UNSUPPORTED_VERSION,
        Map.of(
            "SHOW server_version", FakeWalSender.result(List.of("14.20")),
            "SHOW server_version_num", FakeWalSender.result(List.of("140020"))));
  }

  private void assertProtocolError(Map<String, List<byte[]>> different) throws IOException {
    assertCaptureFails(PostgresFailure.PROTOCOL, different);
  }

  /** Captures from the good script with some answers replaced. */
  private String assertCaptureFails(PostgresFailure expected, Map<String, List<byte[]>> different)
      throws IOException {
    Map<String, List<byte[]>> script = new HashMap<>(FakeWalSender.script(backup));
    script.putAll(different);
    try (FakeWalSender server = new FakeWalSender(script)) {
      var e = assertThrows(BackupException.Source.class, () -> capture(server));
      assertEquals(expected, e.code(), e.getMessage());
      return e.getMessage();
    }
  }

  private static Captured capture(FakeWalSender server) throws IOException {
    return CaptureHarness.of(PostgresSource.physical(server.connection())).capture();
  }
}
