package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Position;
import org.stellaops.backup.model.SliceSpan;
import org.stellaops.backup.model.StreamMark;
import org.stellaops.backup.postgres.fixture.StrictStream;
import org.stellaops.backup.postgres.fixture.SyntheticWal;
import org.stellaops.backup.postgres.internal.receive.ReceiveSettings;
import org.stellaops.backup.postgres.internal.receive.WalReceiving;
import org.stellaops.backup.postgres.internal.wire.SlotName;

/**
 * WAL from a replayed exchange into a strict stream, broken off at every message and every call.
 * The law: the server never hears of a byte that is not durable, and a receiver that begins again
 * where the stream ends leaves no hole.
 */
@Timeout(120)
class WalReceivingTest {
  private static final Lsn BEGIN = Lsn.parse("0/3000000");
  private static final int SEGMENT_BYTES = 16 << 20;
  private static final int PIECE_BYTES = 7_000;
  private static final int SEEDED_BYTES = 8192;
  private static final Instant TIME = Instant.parse("2026-01-02T03:00:00Z");
  private static final byte[] COPY_BOTH = FakeWalSender.message('W', 0, 0, 0);
  private static final byte[] SERVER_ENDS = FakeWalSender.message('c');
  private static final byte[] COMPLETE =
      FakeWalSender.message('C', "START_REPLICATION\0".getBytes(StandardCharsets.US_ASCII));
  private static final byte[] READY = FakeWalSender.message('Z', 'I');

  private static final SyntheticWal OLD = new SyntheticWal(BEGIN, SEGMENT_BYTES, 1);
  private static final SyntheticWal NEXT;
  private static final Lsn LEFT;
  private static final Lsn NAMED;

  static {
    OLD.filler(9_000);
    OLD.commit(701, TIME);
    OLD.filler(100);
    LEFT = OLD.commit(702, TIME.plusSeconds(1));
    NEXT = OLD.branch(2);
    NEXT.filler(3_000);
    NAMED = NEXT.restorePoint("here", TIME.plusSeconds(2));
    NEXT.commit(703, TIME.plusSeconds(3));
    NEXT.filler(9_000);
  }

  @Test
  void both_timelines_are_recorded_whole_and_what_happened_with_them() throws Exception {
    StrictStream stream = seeded();
    try (FakeWalSender server = new FakeWalSender(script())) {
      follow(server, stream);
      assertLaw(server, stream);
      assertEquals(NEXT.end().position(), lastFlushed(server), "what is durable is acknowledged");
    }
    assertWhole(stream);
    assertEquals(List.of(), stream.findings);
    assertEquals(
        List.of(new StreamMark("here", NAMED.in(SyntheticWal.SYSTEM, 2), TIME.plusSeconds(2))),
        stream.marks);
    SliceSpan first = stream.merged.get(0).span();
    assertEquals(Optional.of(TIME), first.firstTime());
    assertEquals(Optional.of(TIME.plusSeconds(1)), first.lastTime());
    SliceSpan last = stream.merged.get(stream.merged.size() - 1).span();
    assertEquals(Optional.of(TIME.plusSeconds(3)), last.lastTime());
    assertEquals(BEGIN.in(SyntheticWal.SYSTEM, 2), last.from());
    assertEquals(NEXT.end().in(SyntheticWal.SYSTEM, 2), last.to());
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0})
  void a_socket_cut_at_any_message_boundary_loses_nothing(int beside) throws Exception {
    int cuts = 0;
    for (long boundary : boundaries()) {
      StrictStream stream = seeded();
      try (FakeWalSender server = new FakeWalSender(script())) {
        server.breakAfter(boundary + beside);
        assertThrows(BackupException.class, () -> follow(server, stream), "cut at " + boundary);
        server.breakAfter(Long.MAX_VALUE);
        stream.reopen();
        follow(server, stream);
        assertLaw(server, stream);
      }
      assertWhole(stream);
      cuts++;
    }
    assertTrue(cuts > 30, cuts + " cuts");
  }

  @Test
  void an_error_in_the_place_of_any_piece_loses_nothing() throws Exception {
    int pieces = pieces(OLD, 1).size();
    for (int i = 0; i < pieces; i++) {
      List<byte[]> sent = new ArrayList<>(pieces(OLD, 1).subList(0, i));
      sent.add(FakeWalSender.complaint('E', "FATAL", "57P01", "terminating connection"));
      Map<String, List<byte[]>> broken = script();
      broken.put(start(1), copy(sent));
      StrictStream stream = seeded();
      try (FakeWalSender server = new FakeWalSender(broken)) {
        assertThrows(BackupException.Source.class, () -> follow(server, stream));
        assertLaw(server, stream);
      }
      try (FakeWalSender server = new FakeWalSender(script())) {
        stream.reopen();
        follow(server, stream);
        assertLaw(server, stream);
      }
      assertWhole(stream);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_store_that_fails_before_or_after_any_call_loses_nothing(boolean isBefore)
      throws Exception {
    StrictStream good = seeded();
    try (FakeWalSender server = new FakeWalSender(script())) {
      follow(server, good);
    }
    assertTrue(good.calls() >= 8, good.calls() + " calls");
    for (int call = 0; call < good.calls(); call++) {
      StrictStream stream = seeded();
      stream.failAt(call, isBefore);
      try (FakeWalSender server = new FakeWalSender(script())) {
        assertThrows(BackupException.Sink.class, () -> follow(server, stream));
        assertLaw(server, stream);
        stream.reopen();
        follow(server, stream);
        assertLaw(server, stream);
      }
      assertWhole(stream);
      assertEquals(1, stream.marks.stream().distinct().count());
    }
  }

  @Test
  void what_arrived_is_stored_in_time_and_nothing_while_idle() throws Exception {
    StrictStream stream = seeded();
    List<Instant> stored = new ArrayList<>();
    Instant begin = stream.now;
    int[] ticks = new int[1];
    stream.onTick(
        s -> {
          if (stored.size() < s.appended.size() - 1) {
            stored.add(s.now);
          }
          s.now = s.now.plusMillis(100);
          if (++ticks[0] == 60) {
            s.stop();
          }
        });
    try (FakeWalSender server = new FakeWalSender(idle(pieces(OLD, 1)))) {
      receive(server, stream, settings());
      assertLaw(server, stream);
    }
    assertEquals(1, stored.size(), "one slice for all that came at once");
    assertTrue(
        !stored.get(0).isAfter(begin.plusMillis(1_000 + 100 * (pieces(OLD, 1).size() + 1L))),
        () -> "arrived at %s, stored at %s".formatted(begin, stored));
    assertArrayEquals(OLD.bytes(), stream.branch(1));
  }

  @Test
  void small_slices_are_merged_after_ten_minutes() throws Exception {
    StrictStream stream = seeded();
    int[] mergedAt = {-1};
    int[] ticks = new int[1];
    stream.onTick(
        s -> {
          s.now = s.now.plusSeconds(30);
          mergedAt[0] = mergedAt[0] < 0 && !s.merged.isEmpty() ? ticks[0] : mergedAt[0];
          if (++ticks[0] == 30) {
            s.stop();
          }
        });
    try (FakeWalSender server = new FakeWalSender(idle(pieces(OLD, 1)))) {
      receive(server, stream, settings());
    }
    assertTrue(mergedAt[0] >= 19 && mergedAt[0] <= 23, "merged at tick " + mergedAt[0]);
    assertEquals(1, stream.merged.size());
    assertArrayEquals(OLD.bytes(), stream.merged.get(0).bytes());
  }

  @Test
  void a_keepalive_that_wants_a_reply_gets_one_and_others_get_none() throws Exception {
    for (int wanted = 0; wanted <= 1; wanted++) {
      StrictStream stream = seeded();
      int[] ticks = new int[1];
      stream.onTick(
          s -> {
            if (++ticks[0] == 4) {
              s.stop();
            }
          });
      byte[] alive = keepalive(wanted);
      try (FakeWalSender server = new FakeWalSender(idle(List.of(alive, alive, alive)))) {
        receive(server, stream, settings());
        assertEquals(1 + 3 * wanted, statuses(server).size(), "replies if " + wanted);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void a_server_that_falls_silent_is_asked_and_given_up_and_nothing_is_lost(boolean hasSent)
      throws Exception {
    StrictStream stream = seeded();
    Instant[] spoke = {stream.now};
    stream.onTick(s -> s.now = s.now.plusSeconds(5));
    List<byte[]> sent = hasSent ? pieces(OLD, 1) : List.of();
    try (FakeWalSender server = new FakeWalSender(idle(sent))) {
      server.mute();
      var e = assertThrows(BackupException.Source.class, () -> receive(server, stream, settings()));
      assertEquals(PostgresFailure.CONNECTION_LOST, e.code());
      assertTrue(e.getMessage().contains("said nothing for 30 s"), e.getMessage());
      assertLaw(server, stream);
      assertEquals(1, questions(server));
    }
    Duration silence = Duration.between(spoke[0], stream.now);
    assertTrue(silence.toSeconds() <= 60 + 5 * (sent.size() + 2), silence::toString);
    try (FakeWalSender server = new FakeWalSender(script())) {
      stream.reopen();
      follow(server, stream);
      assertLaw(server, stream);
    }
    assertWhole(stream);
  }

  @Test
  void a_server_that_is_only_idle_is_asked_and_kept() throws Exception {
    StrictStream stream = seeded();
    Instant end = stream.now.plusSeconds(200);
    stream.onTick(
        s -> {
          s.now = s.now.plusSeconds(10);
          if (s.now.isAfter(end)) {
            s.stop();
          }
        });
    try (FakeWalSender server = new FakeWalSender(idle(pieces(OLD, 1)))) {
      receive(server, stream, settings());
      assertTrue(questions(server) >= 3, questions(server) + " questions");
      assertLaw(server, stream);
    }
    assertArrayEquals(OLD.bytes(), stream.branch(1));
  }

  private static long questions(FakeWalSender server) {
    return statuses(server).stream().filter(s -> s[s.length - 1] == 1).count();
  }

  @Test
  void a_full_unit_is_one_slice_of_the_same_bytes() throws Exception {
    SyntheticWal large = new SyntheticWal(BEGIN, SEGMENT_BYTES, 1);
    while (large.end().position() < BEGIN.position() + SEGMENT_BYTES + 50_000) {
      large.filler(900_000);
    }
    StrictStream stream = new StrictStream();
    stream.onTick(s -> stopAt(s, large.end(), 1));
    Map<String, List<byte[]>> script = idle(pieces(large, 1));
    script.put("IDENTIFY_SYSTEM", identity(1));
    try (FakeWalSender server = new FakeWalSender(script)) {
      receive(server, stream, settings().flushWithin(Duration.ofMillis(1)));
      assertLaw(server, stream);
    }
    assertArrayEquals(large.bytes(), stream.branch(1));
    assertEquals(2, stream.merged.size());
    assertArrayEquals(Arrays.copyOf(large.bytes(), SEGMENT_BYTES), stream.merged.get(0).bytes());
  }

  @Test
  void damaged_wal_is_told_and_recorded_as_it_is() throws Exception {
    byte[] damaged = OLD.bytes();
    damaged[5_000] ^= 1;
    StrictStream stream = new StrictStream();
    stream.onTick(s -> stopAt(s, OLD.end(), 1));
    Map<String, List<byte[]>> script = idle(pieces(damaged, 1));
    script.put("IDENTIFY_SYSTEM", identity(1));
    try (FakeWalSender server = new FakeWalSender(script)) {
      receive(server, stream, settings().flushWithin(Duration.ofMillis(1)));
    }
    assertEquals(
        List.of(PostgresFailure.WAL_DAMAGED), stream.findings.stream().map(Finding::code).toList());
    assertArrayEquals(damaged, stream.branch(1));
  }

  @Test
  void wal_that_the_server_removed_is_a_gap_and_a_finding() throws Exception {
    Lsn oldest = Lsn.parse("0/5000000");
    SyntheticWal later = new SyntheticWal(oldest, SEGMENT_BYTES, 1);
    later.filler(20_000);
    for (boolean isBefore : new boolean[] {true, false}) {
      for (int call = 0; call < 3; call++) {
        StrictStream stream = seeded();
        stream.onTick(s -> stopAt(s, later.end(), 1));
        stream.failAt(call, isBefore);
        try (FakeWalSender server = new FakeWalSender(withGap(oldest, later))) {
          ReceiveSettings soon = settings().flushWithin(Duration.ofMillis(1));
          assertThrows(BackupException.Sink.class, () -> receive(server, stream, soon));
          stream.reopen();
          receive(server, stream, soon);
          assertLaw(server, stream);
        }
        assertEquals(
            new Lsn(BEGIN.position() + SEEDED_BYTES).in(SyntheticWal.SYSTEM, 1),
            stream.gaps.get(0).from());
        assertEquals(oldest.in(SyntheticWal.SYSTEM, 1), stream.gaps.get(0).to());
        assertEquals(CoreFailure.STREAM_GAP, stream.findings.get(0).code());
      }
    }
  }

  private static Map<String, List<byte[]>> withGap(Lsn oldest, SyntheticWal later) {
    Map<String, List<byte[]>> script = idle(List.of());
    script.put("IDENTIFY_SYSTEM", identity(1));
    script.put(
        "READ_REPLICATION_SLOT", FakeWalSender.result(List.of("physical", oldest.toString(), "1")));
    script.put(
        start(1),
        List.of(COPY_BOTH, FakeWalSender.complaint('E', "ERROR", "58P01", "removed"), READY));
    script.put(
        "START_REPLICATION SLOT stella PHYSICAL 0/5000000 TIMELINE 1",
        copy(pieces(later.bytes(), oldest)));
    return script;
  }

  @Test
  void another_cluster_an_older_copy_and_an_unbounded_slot_are_refused() throws Exception {
    Map<String, List<byte[]>> other = script();
    other.put(
        "IDENTIFY_SYSTEM", FakeWalSender.result(List.of("7400000000000000002", "2", "0/3", "")));
    assertRefused(CoreFailure.STREAM_LINEAGE, other, seeded());

    Map<String, List<byte[]>> older = script();
    older.put("IDENTIFY_SYSTEM", identity(1));
    StrictStream ahead = new StrictStream();
    ahead.append(span(BEGIN, new Lsn(BEGIN.position() + 1), 2), out -> out.write(1));
    assertRefused(PostgresFailure.TIMELINE_BEHIND, older, ahead);

    Map<String, List<byte[]>> unbounded = script();
    unbounded.put("SHOW max_slot_wal_keep_size", FakeWalSender.result(List.of("-1")));
    assertRefused(PostgresFailure.SLOT_UNBOUNDED, unbounded, seeded());
  }

  @Test
  void a_branch_that_was_recorded_beyond_where_it_was_left_is_not_gone_on_with() throws Exception {
    StrictStream stream = new StrictStream();
    byte[] beyond = Arrays.copyOf(OLD.bytes(), OLD.bytes().length + 64);
    stream.append(span(BEGIN, new Lsn(LEFT.position() + 64), 1), out -> out.write(beyond));
    try (FakeWalSender server = new FakeWalSender(script())) {
      follow(server, stream);
      assertLaw(server, stream);
    }
    assertArrayEquals(beyond, stream.branch(1));
    assertArrayEquals(NEXT.bytes(), stream.branch(2));
  }

  private static void assertRefused(
      org.stellaops.backup.model.FailureCode code,
      Map<String, List<byte[]>> script,
      StrictStream stream)
      throws IOException {
    try (FakeWalSender server = new FakeWalSender(script)) {
      var e =
          assertThrows(BackupException.Refused.class, () -> receive(server, stream, settings()));
      assertEquals(code, e.code());
      assertEquals(List.of(), statuses(server));
    }
  }

  /** The first page of the old timeline is recorded already. */
  private StrictStream seeded() throws IOException {
    StrictStream stream = new StrictStream();
    stream.append(
        span(BEGIN, new Lsn(BEGIN.position() + SEEDED_BYTES), 1),
        out -> out.write(OLD.bytes(), 0, SEEDED_BYTES));
    stream.reopen();
    return stream;
  }

  private static SliceSpan span(Lsn from, Lsn to, long timeline) {
    return SliceSpan.of(
        from.in(SyntheticWal.SYSTEM, timeline), to.in(SyntheticWal.SYSTEM, timeline));
  }

  private static ReceiveSettings settings() {
    return new ReceiveSettings(
        new SlotName("stella"),
        Optional.empty(),
        Duration.ofSeconds(1),
        Duration.ofMinutes(10),
        false);
  }

  /** Until all of the second timeline is durable; each piece is stored as it comes. */
  private void follow(FakeWalSender server, StrictStream stream) throws IOException {
    stream.onTick(s -> stopAt(s, NEXT.end(), 2));
    receive(server, stream, settings().as("now"));
  }

  private static void receive(FakeWalSender server, StrictStream stream, ReceiveSettings settings)
      throws IOException {
    new WalReceiving(server.connection(), settings, stream).run();
  }

  private static void stopAt(StrictStream stream, Lsn end, long timeline) {
    stream.now = stream.now.plusMillis(1);
    Position wanted = end.in(SyntheticWal.SYSTEM, timeline);
    if (stream.durable().filter(d -> d.isAt(wanted)).isPresent()) {
      stream.stop();
    }
  }

  private void assertWhole(StrictStream stream) {
    assertArrayEquals(OLD.bytes(), stream.branch(1));
    assertArrayEquals(NEXT.bytes(), stream.branch(2));
    assertArrayEquals(history(), stream.companions.get("00000002.history"));
    assertEquals(List.of(), stream.gaps);
  }

  /** No status tells of more than the stream holds now; what came later is durable later. */
  private static void assertLaw(FakeWalSender server, StrictStream stream) {
    long end = stream.appended.stream().mapToLong(a -> a.span().to().offset()).max().orElseThrow();
    for (byte[] status : statuses(server)) {
      ByteBuffer fields = ByteBuffer.wrap(status);
      assertEquals('r', fields.get());
      long written = fields.getLong();
      long flushed = fields.getLong();
      assertTrue(
          Long.compareUnsigned(flushed, end) <= 0,
          () -> "told of %s, durable is %s".formatted(new Lsn(flushed), new Lsn(end)));
      assertEquals(flushed, fields.getLong(), "applied");
      assertTrue(written != 0 || flushed == 0);
    }
  }

  private static List<byte[]> statuses(FakeWalSender server) {
    return List.copyOf(server.pieces());
  }

  private static long lastFlushed(FakeWalSender server) {
    List<byte[]> statuses = statuses(server);
    return ByteBuffer.wrap(statuses.get(statuses.size() - 1)).getLong(9);
  }

  /** Of a server that went over to its second timeline. */
  private Map<String, List<byte[]>> script() {
    Map<String, List<byte[]>> script = idle(List.of());
    List<byte[]> first = new ArrayList<>(copy(pieces(OLD, 1)));
    first.add(SERVER_ENDS);
    script.put(start(1), first);
    script.put(start(2), copy(pieces(NEXT, 2)));
    List<byte[]> ending = new ArrayList<>(FakeWalSender.rows(List.of(List.of("2", "" + LEFT))));
    ending.addAll(List.of(COMPLETE, READY));
    script.put(FakeWalSender.COPY_DONE, ending);
    return script;
  }

  /** Of a server that sends this of its first timeline, and then nothing. */
  private static Map<String, List<byte[]>> idle(List<byte[]> sent) {
    Map<String, List<byte[]>> script = new HashMap<>();
    script.put("IDENTIFY_SYSTEM", identity(2));
    script.put("SHOW server_version_num", FakeWalSender.result(List.of("170011")));
    script.put("SHOW wal_segment_size", FakeWalSender.result(List.of("16MB")));
    script.put("SHOW max_slot_wal_keep_size", FakeWalSender.result(List.of("1GB")));
    script.put(
        "READ_REPLICATION_SLOT", FakeWalSender.result(List.of("physical", BEGIN.toString(), "1")));
    script.put("TIMELINE_HISTORY 2", historyAnswer());
    script.put(start(1), copy(sent));
    script.put(FakeWalSender.COPY_DONE, List.of(SERVER_ENDS, COMPLETE, COMPLETE, READY));
    return script;
  }

  private static List<byte[]> identity(int timeline) {
    return FakeWalSender.result(List.of(SyntheticWal.SYSTEM, "" + timeline, "0/3008000", ""));
  }

  private static String start(int timeline) {
    return "START_REPLICATION SLOT stella PHYSICAL %s TIMELINE %d".formatted(BEGIN, timeline);
  }

  /** What the answers to all commands of a good run end after, in its order. */
  private List<Long> boundaries() {
    Map<String, List<byte[]>> script = script();
    List<Long> boundaries = new ArrayList<>();
    long at = 0;
    for (String command :
        List.of(
            "IDENTIFY_SYSTEM",
            "SHOW server_version_num",
            "SHOW wal_segment_size",
            "SHOW max_slot_wal_keep_size",
            "READ_REPLICATION_SLOT",
            "TIMELINE_HISTORY 2",
            "TIMELINE_HISTORY 2",
            start(1),
            FakeWalSender.COPY_DONE,
            "TIMELINE_HISTORY 2",
            start(2))) {
      for (byte[] message : script.get(command)) {
        at += message.length;
        boundaries.add(at);
      }
    }
    // With all of the last piece, nothing is missing any more.
    return boundaries.subList(0, boundaries.size() - 1);
  }

  private static List<byte[]> copy(List<byte[]> pieces) {
    List<byte[]> messages = new ArrayList<>(List.of(COPY_BOTH));
    messages.addAll(pieces);
    return messages;
  }

  private static List<byte[]> pieces(SyntheticWal wal, int timeline) {
    return pieces(wal.bytes(), timeline);
  }

  private static List<byte[]> pieces(byte[] wal, int timeline) {
    assertTrue(timeline > 0);
    return pieces(wal, BEGIN);
  }

  private static List<byte[]> pieces(byte[] wal, Lsn from) {
    int length = wal.length > 1 << 20 ? 128 << 10 : PIECE_BYTES;
    List<byte[]> pieces = new ArrayList<>();
    for (int at = 0; at < wal.length; at += length) {
      int count = Math.min(length, wal.length - at);
      ByteBuffer body = ByteBuffer.allocate(25 + count);
      body.put((byte) 'w').putLong(from.position() + at).putLong(from.position() + wal.length);
      body.putLong(0).put(wal, at, count);
      pieces.add(FakeWalSender.message('d', body.array()));
    }
    return pieces;
  }

  private static byte[] keepalive(int wantsReply) {
    ByteBuffer body = ByteBuffer.allocate(18);
    body.put((byte) 'k').putLong(BEGIN.position()).putLong(0).put((byte) wantsReply);
    return FakeWalSender.message('d', body.array());
  }

  private static byte[] history() {
    return ("1\t" + LEFT + "\tpromoted\n").getBytes(StandardCharsets.US_ASCII);
  }

  private static List<byte[]> historyAnswer() {
    byte[] content = history();
    ByteBuffer row = ByteBuffer.allocate(2 + 4 + 16 + 4 + content.length);
    row.putShort((short) 2).putInt(16).put("00000002.history".getBytes(StandardCharsets.US_ASCII));
    row.putInt(content.length).put(content);
    return List.of(
        FakeWalSender.message('T', 0, 0), FakeWalSender.message('D', row.array()), COMPLETE, READY);
  }
}
