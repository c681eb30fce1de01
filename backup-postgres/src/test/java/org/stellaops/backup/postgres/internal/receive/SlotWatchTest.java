package org.stellaops.backup.postgres.internal.receive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresFailure;
import org.stellaops.backup.postgres.fixture.StrictStream;
import org.stellaops.backup.postgres.internal.wire.SlotName;

/** What is said of a slot, and how often. */
class SlotWatchTest {
  private static final OptionalLong NONE = OptionalLong.empty();
  private static final OptionalLong ALLOWED = OptionalLong.of(4_000);
  private static final SlotHold WELL = new SlotHold("reserved", OptionalLong.of(4_000), ALLOWED);
  private static final SlotHold BEHIND = new SlotHold("extended", OptionalLong.of(10), ALLOWED);
  private static final SlotHold AT_RISK = new SlotHold("unreserved", OptionalLong.of(-1), ALLOWED);
  private static final SlotHold LOST = new SlotHold("lost", NONE, ALLOWED);

  private final StrictStream stream = new StrictStream();

  private SlotWatch watch(int port) {
    return new SlotWatch(
        PostgresConnection.to("127.0.0.1").port(port).user("backup").build(),
        new SlotName("stella"),
        stream);
  }

  private List<FailureCode> toldOf(SlotHold... holds) {
    SlotWatch watch = watch(1);
    for (SlotHold hold : holds) {
      watch.judge(hold);
    }
    return stream.findings.stream().map(Finding::code).toList();
  }

  private static Optional<FailureCode> alarm(String status, OptionalLong safe, OptionalLong most) {
    return new SlotHold(status, safe, most).alarm().map(SlotHold.Alarm::code);
  }

  @ParameterizedTest
  @CsvSource({"1000, false", "999, true", "1, true", "0, true", "-1, true", "-5000, true"})
  void less_than_a_quarter_left_is_behind(long safe, boolean isBehind) {
    Optional<FailureCode> expected =
        isBehind ? Optional.of(PostgresFailure.SLOT_BEHIND) : Optional.empty();
    for (String status : List.of("reserved", "extended")) {
      assertEquals(expected, alarm(status, OptionalLong.of(safe), ALLOWED), status);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"reserved", "extended", "null"})
  void what_the_server_does_not_say_is_no_alarm(String status) {
    assertEquals(Optional.empty(), alarm(status, NONE, ALLOWED));
    assertEquals(Optional.empty(), alarm(status, OptionalLong.of(-7), NONE), "without a limit");
    assertEquals(Optional.empty(), alarm(status, NONE, NONE));
  }

  @Test
  void a_status_that_is_dangerous_is_so_whatever_is_left() {
    for (OptionalLong safe : List.of(NONE, OptionalLong.of(-1), OptionalLong.of(4_000))) {
      assertEquals(Optional.of(PostgresFailure.SLOT_AT_RISK), alarm("unreserved", safe, ALLOWED));
      assertEquals(Optional.of(PostgresFailure.SLOT_LOST), alarm("lost", safe, NONE));
    }
  }

  @Test
  void nothing_less_than_nothing_is_left() {
    String found = new SlotHold("extended", OptionalLong.of(-9), ALLOWED).alarm().get().found();
    assertEquals("it may hold 4000 bytes of WAL, 0 are left", found);
  }

  @Test
  void all_is_well_and_nothing_is_said() {
    assertEquals(List.of(), toldOf(WELL, WELL));
  }

  @Test
  void each_step_is_told_once() {
    assertEquals(
        List.of(
            PostgresFailure.SLOT_BEHIND, PostgresFailure.SLOT_AT_RISK, PostgresFailure.SLOT_LOST),
        toldOf(WELL, BEHIND, BEHIND, AT_RISK, AT_RISK, AT_RISK, LOST, LOST));
    assertEquals("stella", stream.findings.get(0).subject());
  }

  @Test
  void what_was_well_in_between_is_told_again() {
    assertEquals(
        List.of(
            PostgresFailure.SLOT_BEHIND,
            PostgresFailure.SLOT_BEHIND,
            PostgresFailure.SLOT_AT_RISK,
            PostgresFailure.SLOT_BEHIND),
        toldOf(BEHIND, WELL, BEHIND, AT_RISK, BEHIND, WELL));
  }

  @Test
  void a_server_that_cannot_be_asked_is_told_once_and_the_stream_goes_on() throws Exception {
    SlotWatch watch = watch(closedPort());
    watch.run();
    watch.run();
    assertEquals(1, stream.findings.size());
    assertEquals(PostgresFailure.SLOT_UNWATCHED, stream.findings.get(0).code());
    String found = stream.findings.get(0).toString();
    assertTrue(found.contains("how much WAL it holds is unknown"), found);
    watch.judge(LOST);
    assertEquals(2, stream.findings.size());
    watch.close();
  }

  private static int closedPort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
