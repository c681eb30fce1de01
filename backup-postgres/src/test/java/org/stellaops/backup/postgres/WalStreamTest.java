package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.postgres.internal.wire.HistoryFile;
import org.stellaops.backup.postgres.internal.wire.ReplicationSlots;
import org.stellaops.backup.postgres.internal.wire.SlotName;
import org.stellaops.backup.postgres.internal.wire.SlotState;
import org.stellaops.backup.postgres.internal.wire.TimelineSwitch;
import org.stellaops.backup.postgres.internal.wire.WalEvent;
import org.stellaops.backup.postgres.internal.wire.WalStream;
import org.stellaops.backup.postgres.internal.wire.Wire;
import org.stellaops.backup.spi.Stopping;

/** Streams of WAL from a replayed exchange: whole, late, broken off, and not as a server sends. */
@Timeout(60)
class WalStreamTest {
  private static final Duration SOON = Duration.ofMillis(20);
  private static final Duration PATIENCE = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final Lsn START = Lsn.parse("0/3000000");
  private static final Instant SERVER_TIME = Instant.parse("2026-01-02T03:04:05.678901Z");
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-02T03:04:06.000007Z"), ZoneOffset.UTC);
  private static final byte[] COPY_BOTH = FakeWalSender.message('W', 0, 0, 0);
  private static final byte[] COPY_DONE = FakeWalSender.message('c');
  private static final byte[] COMPLETE =
      FakeWalSender.message('C', "START_REPLICATION\0".getBytes(StandardCharsets.US_ASCII));
  private static final byte[] READY = FakeWalSender.message('Z', 'I');

  @Test
  void data_and_keepalives_are_handed_out_as_they_were_sent() throws Exception {
    try (FakeWalSender server = sends(data(START, "abc"), keepalive(1), data(plus(3), "de"));
        Wire wire = open(server)) {
      WalStream stream = start(wire);

      WalEvent.Data first = assertInstanceOf(WalEvent.Data.class, stream.next(LONG));
      assertEquals(START, first.start());
      assertEquals(plus(3), first.end());
      assertEquals(plus(100), first.serverEnd());
      assertEquals(SERVER_TIME, first.serverTime());
      assertEquals("abc", text(first));
      assertEquals(new WalEvent.Keepalive(plus(100), SERVER_TIME, true), stream.next(LONG));
      assertEquals("de", text(assertInstanceOf(WalEvent.Data.class, stream.next(LONG))));
      assertEquals(plus(5), stream.position());
      assertEquals(new WalEvent.Nothing(), stream.next(SOON));
    }
  }

  @Test
  void nothing_is_acknowledged_but_what_the_caller_says() throws Exception {
    try (FakeWalSender server = sends(data(START, "abc"), keepalive(1), keepalive(1));
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      for (int i = 0; i < 3; i++) {
        stream.next(LONG);
      }
      stream.acknowledge(plus(3), plus(2), plus(1));
      stream.stop();

      ByteBuffer status = ByteBuffer.wrap(server.pieces().remove());
      assertEquals('r', status.get());
      assertEquals(plus(3).position(), status.getLong());
      assertEquals(plus(2).position(), status.getLong());
      assertEquals(plus(1).position(), status.getLong());
      assertEquals(micros(CLOCK.instant()), status.getLong());
      assertEquals(0, status.get());
      assertEquals(0, status.remaining());
      assertTrue(server.pieces().isEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 5, 6, 20, 31})
  void a_timeout_loses_nothing_of_a_message_that_has_begun(int sentBefore) throws Exception {
    byte[] message = data(START, "abcdefgh");
    try (FakeWalSender server =
            sends(
                FakeWalSender.HOLD,
                Arrays.copyOf(message, sentBefore),
                FakeWalSender.HOLD,
                Arrays.copyOfRange(message, sentBefore, message.length));
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      assertEquals(new WalEvent.Nothing(), stream.next(SOON));
      server.release();
      CompletableFuture.runAsync(
          server::release, CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS));

      WalEvent event = stream.next(SOON);
      while (event.kind() == WalEvent.Kind.NOTHING) {
        event = stream.next(SOON);
      }

      assertEquals("abcdefgh", text(assertInstanceOf(WalEvent.Data.class, event)));
    }
  }

  @Test
  void the_end_of_a_timeline_names_the_next_and_leaves_the_session_usable() throws Exception {
    Map<String, List<byte[]>> script = script(data(START, "abc"), COPY_DONE);
    script.put(FakeWalSender.COPY_DONE, ending(List.of("2", "0/3000003")));
    try (FakeWalSender server = new FakeWalSender(script);
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      stream.next(LONG);

      assertEquals(new WalEvent.EndOfTimeline(), stream.next(LONG));
      assertEquals(new WalEvent.EndOfTimeline(), stream.next(SOON));
      assertEquals(new TimelineSwitch(2, plus(3)), stream.finish());
      assertEquals(1, wire.identifySystem().timeline());
      assertThrows(IllegalStateException.class, () -> stream.next(SOON));
    }
  }

  @Test
  void a_stream_that_begins_at_the_end_of_its_timeline_ends_at_once() throws Exception {
    Map<String, List<byte[]>> script = script();
    script.put("START_REPLICATION", ending(List.of("7", "0/3000000")));
    try (FakeWalSender server = new FakeWalSender(script);
        Wire wire = open(server)) {
      WalStream stream = start(wire);

      assertEquals(new WalEvent.EndOfTimeline(), stream.next(LONG));
      assertEquals(new TimelineSwitch(7, START), stream.finish());
      assertEquals(1, wire.identifySystem().timeline());
    }
  }

  @Test
  void a_stream_is_stopped_in_the_middle_and_its_session_used_on() throws Exception {
    try (FakeWalSender server = sends(data(START, "abc"), data(plus(3), "def"));
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      stream.next(LONG);
      stream.stop();

      assertEquals(1, wire.identifySystem().timeline());
      assertThrows(IllegalStateException.class, () -> stream.acknowledge(START, START, START));
    }
  }

  @Test
  void a_gap_and_a_repetition_are_refused_and_both_places_named() throws Exception {
    for (int start : new int[] {2, 4}) {
      String message =
          assertNextFails(PostgresFailure.PROTOCOL, data(START, "abc"), data(plus(start), "def"));
      assertTrue(message.contains("at 0/3000003, found one at 0/300000" + start), message);
    }
  }

  @Test
  void a_piece_of_unknown_kind_and_one_that_is_too_short_are_refused() throws Exception {
    assertNextFails(PostgresFailure.PROTOCOL, FakeWalSender.message('d', 'x', 0));
    assertNextFails(PostgresFailure.PROTOCOL, FakeWalSender.message('d', 'w', 0, 0, 0));
    assertNextFails(PostgresFailure.PROTOCOL, FakeWalSender.message('d'));
    assertNextFails(PostgresFailure.PROTOCOL, FakeWalSender.message('G', 0));
  }

  @Test
  void a_stream_that_breaks_off_anywhere_is_a_lost_connection() throws Exception {
    byte[] message = data(START, "abc");
    try (FakeWalSender server = sends(message, FakeWalSender.HOLD)) {
      for (int sent = 0; sent < message.length; sent++) {
        server.breakAfter(COPY_BOTH.length + sent);
        try (Wire wire = open(server)) {
          WalStream stream = start(wire);
          var e = assertThrows(BackupException.Source.class, () -> stream.next(LONG));
          assertEquals(PostgresFailure.CONNECTION_LOST, e.code(), "after " + sent);
        }
      }
    }
  }

  @Test
  void what_the_server_says_on_the_side_is_heard_and_is_no_piece() throws Exception {
    List<String> heard = new ArrayList<>();
    try (FakeWalSender server =
            sends(
                FakeWalSender.complaint('N', "WARNING", "01000", "by the way"),
                data(START, "abc"));
        Wire wire = Wire.open(server.connection(), Stopping.never(), m -> heard.add(m.message()))) {
      WalStream stream = start(wire);

      assertEquals(WalEvent.Kind.NOTHING, stream.next(LONG).kind());
      assertEquals(List.of("by the way"), heard);
      assertEquals(WalEvent.Kind.DATA, stream.next(LONG).kind());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "55006, SLOT_TAKEN",
    "58P01, WAL_GONE",
    "55000, SLOT_LOST",
    "42704, SLOT_LOST",
    "53300, NO_WALSENDER",
    "XX000, REFUSED_BY_SERVER"
  })
  void an_error_has_a_code_and_leaves_the_session_usable(String state, PostgresFailure expected)
      throws Exception {
    byte[] error = FakeWalSender.complaint('E', "ERROR", state, "no");
    try (FakeWalSender server = sends(data(START, "abc"), error, READY);
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      stream.next(LONG);

      var e = assertThrows(BackupException.Source.class, () -> stream.next(LONG));

      assertEquals(expected, e.code());
      assertEquals(1, wire.identifySystem().timeline());
      assertThrows(IllegalStateException.class, () -> stream.next(SOON));
    }
  }

  @Test
  void the_same_errors_elsewhere_are_not_taken_for_those_of_a_stream() throws Exception {
    Map<String, List<byte[]>> script =
        Map.of(
            "IDENTIFY_SYSTEM",
            List.of(FakeWalSender.complaint('E', "ERROR", "58P01", "no file"), READY));
    try (FakeWalSender server = new FakeWalSender(script);
        Wire wire = open(server)) {
      var e = assertThrows(BackupException.Source.class, wire::identifySystem);

      assertEquals(PostgresFailure.REFUSED_BY_SERVER, e.code());
    }
  }

  @Test
  void a_server_that_does_not_answer_a_command_is_lost_in_time() throws Exception {
    Map<String, List<byte[]>> script = script();
    script.put("IDENTIFY_SYSTEM", List.of(FakeWalSender.HOLD));
    try (FakeWalSender server = new FakeWalSender(script);
        Wire wire = open(server)) {
      wire.requireAnswersWithin(PATIENCE);
      assertLost(wire::identifySystem);
      server.release();
    }
  }

  @Test
  void a_server_that_falls_silent_within_a_message_is_lost_in_time() throws Exception {
    byte[] message = data(START, "abcdefgh");
    try (FakeWalSender server = sends(Arrays.copyOf(message, 20), FakeWalSender.HOLD);
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      wire.requireAnswersWithin(PATIENCE);
      assertLost(() -> stream.next(LONG));
      server.release();
    }
  }

  @Test
  void a_stream_without_news_is_not_lost_however_impatient_commands_are() throws Exception {
    try (FakeWalSender server = sends(FakeWalSender.HOLD, data(START, "abc"));
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      wire.requireAnswersWithin(PATIENCE);
      assertEquals(new WalEvent.Nothing(), stream.next(PATIENCE.multipliedBy(2)));
      server.release();
      assertEquals("abc", text(assertInstanceOf(WalEvent.Data.class, stream.next(LONG))));
    }
  }

  private static void assertLost(org.junit.jupiter.api.function.Executable wait) {
    var e = assertThrows(BackupException.Source.class, wait);
    assertEquals(PostgresFailure.CONNECTION_LOST, e.code());
  }

  @Test
  void a_run_that_is_stopped_waits_no_longer() throws Exception {
    Stop stop = new Stop();
    try (FakeWalSender server = sends();
        Wire wire = Wire.open(server.connection(), stop, m -> {})) {
      WalStream stream = start(wire);
      CompletableFuture.runAsync(
          stop::stop, CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS));

      assertThrows(BackupException.Stopped.class, () -> stream.next(LONG));
    }
  }

  @Test
  void a_history_is_handed_out_byte_by_byte() throws Exception {
    byte[] content = {'1', '\t', '0', '/', '3', '\t', (byte) 0xff, 0, '\n'};
    ByteBuffer row = ByteBuffer.allocate(2 + 4 + 16 + 4 + content.length);
    row.putShort((short) 2).putInt(16).put("00000002.history".getBytes(StandardCharsets.US_ASCII));
    row.putInt(content.length).put(content);
    Map<String, List<byte[]>> script =
        Map.of(
            "TIMELINE_HISTORY 2",
            List.of(
                FakeWalSender.message('T', 0, 0),
                FakeWalSender.message('D', row.array()),
                COMPLETE,
                READY));
    try (FakeWalSender server = new FakeWalSender(script);
        Wire wire = open(server)) {
      HistoryFile file = wire.timelineHistory(2);

      assertEquals("00000002.history", file.name());
      assertTrue(Arrays.equals(content, file.content()));
    }
  }

  @Test
  void a_slot_that_is_not_there_one_without_wal_and_one_with_wal_are_told_apart() throws Exception {
    assertEquals(new SlotState.Absent(), slot("", "", ""));
    assertEquals(new SlotState.Unreserved(), slot("physical", "", ""));
    assertEquals(new SlotState.Reserved(START, 3), slot("physical", "0/3000000", "3"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A", "a-b", "a b", "a;", "ä", "'a'"})
  void a_slot_name_that_needs_quotes_is_refused(String name) {
    assertThrows(IllegalArgumentException.class, () -> new SlotName(name));
    assertThrows(IllegalArgumentException.class, () -> new SlotName("a".repeat(64)));
    assertEquals(63, new SlotName("a".repeat(63)).value().length());
  }

  private static SlotState slot(String... row) throws IOException {
    Map<String, List<byte[]>> script =
        Map.of("READ_REPLICATION_SLOT", FakeWalSender.result(List.of(row)));
    try (FakeWalSender server = new FakeWalSender(script);
        Wire wire = open(server)) {
      return new ReplicationSlots(wire).read(new SlotName("some"));
    }
  }

  private static String assertNextFails(FailureCode expected, byte[]... sent) throws IOException {
    try (FakeWalSender server = sends(sent);
        Wire wire = open(server)) {
      WalStream stream = start(wire);
      for (int i = 1; i < sent.length; i++) {
        stream.next(LONG);
      }
      var e = assertThrows(BackupException.Source.class, () -> stream.next(LONG));
      assertEquals(expected, e.code(), e.getMessage());
      return e.getMessage();
    }
  }

  private static FakeWalSender sends(byte[]... stream) throws IOException {
    return new FakeWalSender(script(stream));
  }

  private static Map<String, List<byte[]>> script(byte[]... stream) {
    List<byte[]> messages = new ArrayList<>(List.of(COPY_BOTH));
    messages.addAll(List.of(stream));
    Map<String, List<byte[]>> script = new HashMap<>();
    script.put("START_REPLICATION", messages);
    script.put(FakeWalSender.COPY_DONE, List.of(COPY_DONE, COMPLETE, COMPLETE, READY));
    script.put(
        "IDENTIFY_SYSTEM",
        FakeWalSender.result(List.of("7400000000000000001", "1", "0/3000100", "")));
    return script;
  }

  private static List<byte[]> ending(List<String> row) {
    List<byte[]> messages = new ArrayList<>(FakeWalSender.rows(List.of(row)));
    messages.add(COMPLETE);
    messages.add(READY);
    return messages;
  }

  private static Wire open(FakeWalSender server) throws IOException {
    return Wire.open(server.connection(), Stopping.never(), m -> {});
  }

  private static WalStream start(Wire wire) throws IOException {
    return WalStream.start(wire, CLOCK, new SlotName("stella"), START, 1);
  }

  private static byte[] data(Lsn start, String text) {
    ByteBuffer body = ByteBuffer.allocate(25 + text.length());
    body.put((byte) 'w').putLong(start.position()).putLong(plus(100).position());
    body.putLong(micros(SERVER_TIME)).put(text.getBytes(StandardCharsets.US_ASCII));
    return FakeWalSender.message('d', body.array());
  }

  private static byte[] keepalive(int wantsReply) {
    ByteBuffer body = ByteBuffer.allocate(18);
    body.put((byte) 'k').putLong(plus(100).position()).putLong(micros(SERVER_TIME));
    return FakeWalSender.message('d', body.put((byte) wantsReply).array());
  }

  private static Lsn plus(int bytes) {
    return new Lsn(START.position() + bytes);
  }

  private static long micros(Instant instant) {
    long seconds =
        instant.getEpochSecond() - Instant.parse("2000-01-01T00:00:00Z").getEpochSecond();
    return seconds * 1_000_000 + instant.getNano() / 1000;
  }

  private static String text(WalEvent.Data data) {
    return new String(data.bytes(), data.offset(), data.length(), StandardCharsets.US_ASCII);
  }

  /** A run that is stopped by the test. */
  private static final class Stop implements Stopping {
    private final List<Runnable> actions = new ArrayList<>();
    private volatile boolean isStopping;

    void stop() {
      isStopping = true;
      actions.forEach(Runnable::run);
    }

    @Override
    public void check() throws BackupException.Stopped {
      if (isStopping) {
        throw new BackupException.Stopped(PostgresFailure.CONNECTION_LOST, "stopped by the test");
      }
    }

    @Override
    public boolean isStopping() {
      return isStopping;
    }

    @Override
    public Closeable onStop(Runnable action) {
      actions.add(action);
      return () -> actions.remove(action);
    }
  }
}
