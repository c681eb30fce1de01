package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.internal.wal.SegmentSize;
import org.stellaops.backup.postgres.internal.wal.TimelineHistory;
import org.stellaops.backup.postgres.internal.wal.WalListener;
import org.stellaops.backup.postgres.internal.wal.WalOrigin;
import org.stellaops.backup.postgres.internal.wal.WalScanner;
import org.stellaops.backup.postgres.internal.wal.WalSegmentName;
import org.stellaops.backup.postgres.internal.wire.HistoryFile;
import org.stellaops.backup.postgres.internal.wire.ReplicationSlots;
import org.stellaops.backup.postgres.internal.wire.SlotName;
import org.stellaops.backup.postgres.internal.wire.SlotState;
import org.stellaops.backup.postgres.internal.wire.TimelineSwitch;
import org.stellaops.backup.postgres.internal.wire.WalEvent;
import org.stellaops.backup.postgres.internal.wire.WalStream;
import org.stellaops.backup.postgres.internal.wire.Wire;
import org.stellaops.backup.spi.Stopping;

/** WAL of real servers, as it is streamed and what its records say, beside what the servers say. */
abstract class WalStreamCases {
  private static final int TRANSACTIONS = 2000;
  private static final int PAGE_BYTES = 8192;
  private static final Duration TIMEOUT = Duration.ofMillis(50);
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final SegmentSize SIZE = SegmentSize.DEFAULT;
  private static final SlotName SLOT = new SlotName("stella");

  @TempDir static Path directory;

  private static PostgresServer server;
  private static WalOrigin origin;
  private static Lsn from;
  private static byte[] streamed;
  private static byte[] onServer;
  private static Load load;
  private static Heard heard;
  private static Lsn endOfLastRecord;

  @Parameter int major;

  @BeforeParameterizedClassInvocation
  static void streamUnderLoad(int major) throws Exception {
    server =
        PostgresServer.start(
            PostgresBinaries.of(major),
            directory.resolve("data-" + major),
            Map.of(
                "track_commit_timestamp", "on",
                "max_prepared_transactions", "10",
                "max_slot_wal_keep_size", "64MB",
                "min_wal_size", "32MB",
                "restore_command", "false"));
    Clusters.execute(
        server, "CREATE TABLE done (xid bigint)", "CREATE TABLE inner_done (xid bigint)");
    try (Wire wire = open()) {
      ReplicationSlots slots = new ReplicationSlots(wire);
      slots.create(SLOT);
      SlotState.Reserved reserved = assertInstanceOf(SlotState.Reserved.class, slots.read(SLOT));
      origin = new WalOrigin(major, wire.identifySystem().systemIdentifier(), SIZE, 1);
      assertEquals(SIZE, SegmentSize.parse(wire.show("wal_segment_size")));
      from = SIZE.floor(reserved.restart());
      stream(wire);
      onServer = segments(1, from, streamed.length);
      slots.drop(SLOT);
      assertEquals(SlotState.Kind.ABSENT, slots.read(SLOT).kind());
    }
  }

  @AfterParameterizedClassInvocation
  static void stop() throws IOException {
    server.close();
  }

  @AfterEach
  void nothing_is_left_on_the_server() throws Exception {
    Clusters.requireNoWalSender(server);
    assertEquals("0", Clusters.single(server, "SELECT count(*) FROM pg_replication_slots"));
  }

  @Test
  void streamed_bytes_are_those_of_the_servers_own_segments() {
    assertTrue(streamed.length > SIZE.bytes(), "a segment and more");
    assertArrayEquals(onServer, streamed);
    assertEquals(new Lsn(from.position() + streamed.length), endOfLastRecord);
  }

  @Test
  void commits_and_their_times_are_those_that_the_server_knows() throws Exception {
    TreeMap<Long, Instant> commits = new TreeMap<>(heard.commits.tailMap(load.first, true));
    commits.entrySet().removeAll(commitTimes(commits.keySet()).entrySet());

    assertEquals(Map.of(), commits);
    Set<Long> missing = new TreeSet<>(column("SELECT xid FROM done"));
    assertTrue(missing.size() > TRANSACTIONS / 2);
    missing.removeAll(heard.commits.keySet());
    assertEquals(Set.of(), missing);
    assertTrue(heard.commits.keySet().containsAll(load.prepared));
  }

  @Test
  void no_commit_of_the_server_is_missing_but_those_of_subtransactions() throws Exception {
    List<Long> range = new ArrayList<>();
    for (long xid = load.first; xid <= heard.commits.lastKey(); xid++) {
      range.add(xid);
    }
    Set<Long> known = new TreeSet<>(commitTimes(range).keySet());
    known.removeAll(heard.commits.keySet());

    assertEquals(
        new TreeSet<>(column("SELECT DISTINCT xmin::text::bigint FROM inner_done")), known);
  }

  @Test
  void rolled_back_transactions_are_heard_as_such() {
    assertTrue(heard.aborts.containsAll(load.rolledBack));
    assertFalse(load.rolledBack.isEmpty());
    Set<Long> both = new HashSet<>(heard.aborts);
    both.retainAll(heard.commits.keySet());
    assertEquals(Set.of(), both);
  }

  @Test
  void restore_points_end_where_the_server_said() {
    assertEquals(load.restorePoints, heard.restorePoints);
  }

  @Test
  void pieces_of_any_size_are_heard_alike() throws Exception {
    int begin = streamed.length / PAGE_BYTES * PAGE_BYTES - 64 * PAGE_BYTES;
    byte[] some = Arrays.copyOfRange(streamed, begin, streamed.length);
    Lsn first = new Lsn(from.position() + begin);
    Heard whole = new Heard();
    new WalScanner(origin, first, whole).accept(some, 0, some.length);
    for (int piece : new int[] {1, 7, 4096, 8191, 8193}) {
      Heard inPieces = new Heard();
      WalScanner scanner = new WalScanner(origin, first, inPieces);
      for (int at = 0; at < some.length; at += piece) {
        scanner.accept(some, at, Math.min(piece, some.length - at));
      }
      assertEquals(whole.commits, inPieces.commits, "pieces of " + piece);
      assertEquals(whole.ends, inPieces.ends, "pieces of " + piece);
    }
    assertFalse(whole.commits.isEmpty());
  }

  @Test
  void a_padded_segment_ends_where_its_records_do() throws Exception {
    WalScanner scanner = new WalScanner(origin, from, new Heard());
    scanner.accept(streamed, 0, streamed.length);
    byte[] zeros = new byte[SIZE.bytes() - SIZE.offset(scanner.position())];
    scanner.accept(zeros, 0, zeros.length);

    assertTrue(scanner.isAtPadding());
    assertEquals(endOfLastRecord, scanner.endOfLastRecord().orElseThrow());
    var e = assertThrows(BackupException.Corrupt.class, () -> scanner.accept(new byte[] {1}, 0, 1));
    assertEquals(PostgresFailure.WAL_DAMAGED, e.code());
  }

  @Test
  void a_changed_byte_is_found_wherever_it_is_of_any_meaning() throws Exception {
    int begin = streamed.length / PAGE_BYTES * PAGE_BYTES - 4 * PAGE_BYTES;
    Lsn first = new Lsn(from.position() + begin);
    byte[] some = Arrays.copyOfRange(streamed, begin, begin + 3 * PAGE_BYTES);
    Lsn end = scan(first, some);
    Set<Integer> unfound = new TreeSet<>();
    for (int i = 0; i < end.position() - first.position(); i++) {
      some[i] ^= (byte) 0xFF;
      try {
        if (scan(first, some).equals(end)) {
          unfound.add(i);
        }
      } catch (BackupException.Corrupt e) {
        assertEquals(PostgresFailure.WAL_DAMAGED, e.code());
      }
      some[i] ^= (byte) 0xFF;
    }
    Set<Integer> silent = withoutMeaning(some);
    unfound.removeAll(silent);

    assertTrue(silent.size() < some.length / 2, silent.size() + " bytes without meaning");
    assertEquals(Set.of(), unfound);
  }

  @Test
  void wal_of_another_cluster_version_or_segment_size_is_refused() {
    String system = origin.systemIdentifier();
    int otherMajor = major == 18 ? 17 : major + 1;
    for (WalOrigin other :
        List.of(
            new WalOrigin(major, "7400000000000000001", SIZE, 1),
            new WalOrigin(otherMajor, system, SIZE, 1),
            new WalOrigin(major, system, new SegmentSize(1 << 20), 1))) {
      WalScanner scanner = new WalScanner(other, from, new Heard());
      assertThrows(
          BackupException.Corrupt.class, () -> scanner.accept(streamed, 0, 100), other.toString());
      assertThrows(IllegalStateException.class, () -> scanner.accept(streamed, 100, 1));
    }
  }

  @Test
  void a_slot_that_is_used_is_taken_and_one_without_wal_is_told_apart() throws Exception {
    SlotName empty = new SlotName("empty");
    try (Wire wire = open();
        Wire other = open()) {
      long timeline = wire.identifySystem().timeline();
      ReplicationSlots slots = new ReplicationSlots(other);
      slots.create(SLOT);
      SlotState.Reserved reserved = assertInstanceOf(SlotState.Reserved.class, slots.read(SLOT));
      assertEquals(timeline, reserved.timeline());
      Lsn start = SIZE.floor(reserved.restart());
      WalStream stream = WalStream.start(wire, Clock.systemUTC(), SLOT, start, timeline);

      assertFails(
          PostgresFailure.SLOT_TAKEN,
          () -> WalStream.start(other, Clock.systemUTC(), SLOT, start, timeline));
      assertFails(PostgresFailure.SLOT_TAKEN, () -> slots.drop(SLOT));
      stream.stop();
      new ReplicationSlots(wire).drop(SLOT);
      assertEquals(SlotState.Kind.ABSENT, slots.read(SLOT).kind());
      assertFails(
          PostgresFailure.SLOT_LOST,
          () -> WalStream.start(other, Clock.systemUTC(), SLOT, start, timeline));

      Clusters.execute(server, "SELECT pg_create_physical_replication_slot('empty')");
      assertEquals(SlotState.Kind.UNRESERVED, slots.read(empty).kind());
      slots.drop(empty);
    }
  }

  @Test
  void acknowledged_wal_is_what_the_slot_no_longer_holds() throws Exception {
    try (Wire wire = open()) {
      long timeline = wire.identifySystem().timeline();
      ReplicationSlots slots = new ReplicationSlots(wire);
      slots.create(SLOT);
      Lsn start = SIZE.floor(((SlotState.Reserved) slots.read(SLOT)).restart());
      Lsn end = wire.identifySystem().flushed();
      WalStream stream = WalStream.start(wire, Clock.systemUTC(), SLOT, start, timeline);
      receive(stream, end, new ByteArrayOutputStream());
      assertEquals(
          "0",
          Clusters.single(
              server,
              "SELECT count(*) FROM pg_replication_slots WHERE restart_lsn > '" + end + "'"));
      stream.acknowledge(end, end, end);
      stream.stop();

      assertEquals(end, ((SlotState.Reserved) slots.read(SLOT)).restart());
      slots.drop(SLOT);
    }
  }

  @Test
  void a_server_that_is_asked_answers_and_lets_nothing_go() throws Exception {
    try (Wire wire = open()) {
      long timeline = wire.identifySystem().timeline();
      ReplicationSlots slots = new ReplicationSlots(wire);
      slots.create(SLOT);
      Lsn held = ((SlotState.Reserved) slots.read(SLOT)).restart();
      Lsn end = wire.identifySystem().flushed();
      WalStream stream = WalStream.start(wire, Clock.systemUTC(), SLOT, SIZE.floor(held), timeline);
      receive(stream, end, new ByteArrayOutputStream());
      while (stream.next(TIMEOUT).kind() != WalEvent.Kind.NOTHING) {
        // What else there is.
      }
      Lsn unknown = new Lsn(0);
      stream.ask(unknown, unknown, unknown);
      assertEquals(WalEvent.Kind.KEEPALIVE, stream.next(LONG).kind());
      stream.stop();

      assertEquals(held, ((SlotState.Reserved) slots.read(SLOT)).restart());
      slots.drop(SLOT);
    }
  }

  @Test
  void wal_that_was_removed_is_gone_and_its_slot_is_told() throws Exception {
    try (Wire wire = open()) {
      long timeline = wire.identifySystem().timeline();
      ReplicationSlots slots = new ReplicationSlots(wire);
      slots.create(SLOT);
      Lsn start = SIZE.floor(((SlotState.Reserved) slots.read(SLOT)).restart());
      try (Connection sql = server.openSql();
          Statement statement = sql.createStatement()) {
        for (int i = 0; i < 7; i++) {
          statement.execute("SELECT pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()");
        }
        statement.execute("CHECKPOINT");
      }

      assertEquals(SlotState.Kind.UNRESERVED, slots.read(SLOT).kind());
      assertFails(
          major == 18 ? PostgresFailure.SLOT_LOST : PostgresFailure.WAL_GONE,
          () -> drain(WalStream.start(wire, Clock.systemUTC(), SLOT, start, timeline)));
      assertFails(
          PostgresFailure.WAL_GONE,
          () -> drain(WalStream.start(wire, Clock.systemUTC(), start, timeline)));
      slots.drop(SLOT);
    }
  }

  @Test
  void a_recovery_ends_the_timeline_and_the_stream_goes_on_with_the_next() throws Exception {
    long old;
    Lsn begin;
    try (Wire wire = open()) {
      old = wire.identifySystem().timeline();
      begin = SIZE.floor(wire.identifySystem().flushed());
    }
    Clusters.execute(server, "INSERT INTO done VALUES (0)");
    server.stop();
    Files.createFile(server.data().resolve("recovery.signal"));
    server.start();
    waitForEndOfRecovery();
    Clusters.execute(server, "INSERT INTO done VALUES (0)");
    try (Wire wire = open()) {
      WalStream ended = WalStream.start(wire, Clock.systemUTC(), begin, old);
      ByteArrayOutputStream first = new ByteArrayOutputStream();
      receive(ended, new Lsn(-1), first);
      TimelineSwitch next = ended.finish();
      HistoryFile file = wire.timelineHistory(next.timeline());
      TimelineHistory history = TimelineHistory.parse(next.timeline(), file.content());

      assertEquals(old + 1, next.timeline());
      assertEquals(ended.position(), next.at());
      assertEquals(TimelineHistory.fileName(old + 1), file.name());
      assertArrayEquals(
          Files.readAllBytes(server.data().resolve("pg_wal").resolve(file.name())), file.content());
      TimelineHistory.Ancestor last = history.ancestors().get(history.ancestors().size() - 1);
      assertEquals(old, last.timeline());
      assertEquals(next.at(), last.end());
      assertEquals(next.at(), scanned(old, begin, first.toByteArray()));

      WalStream atEnd = WalStream.start(wire, Clock.systemUTC(), next.at(), old);
      assertEquals(new WalEvent.EndOfTimeline(), atEnd.next(TIMEOUT));
      assertEquals(next, atEnd.finish());

      Lsn floor = SIZE.floor(next.at());
      Lsn flushed = wire.identifySystem().flushed();
      WalStream onNext = WalStream.start(wire, Clock.systemUTC(), floor, next.timeline());
      ByteArrayOutputStream second = new ByteArrayOutputStream();
      receive(onNext, flushed, second);
      onNext.stop();
      assertTrue(scanned(next.timeline(), floor, second.toByteArray()).compareTo(next.at()) > 0);
      WalStream stopped = WalStream.start(wire, Clock.systemUTC(), begin, old);
      stopped.stop();
      assertEquals(next.timeline(), wire.identifySystem().timeline());
    }
  }

  private static void waitForEndOfRecovery() throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      for (int i = 0; i < 200; i++) {
        try (ResultSet row = statement.executeQuery("SELECT pg_is_in_recovery()")) {
          row.next();
          if (!row.getBoolean(1)) {
            return;
          }
        }
        statement.execute("SELECT pg_sleep(0.05)");
      }
    }
    throw new AssertionError("the server does not end its recovery");
  }

  private static void stream(Wire wire) throws Exception {
    heard = new Heard();
    load = new Load();
    WalScanner scanner = new WalScanner(origin, from, heard);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ExecutorService executor = Executors.newSingleThreadExecutor();
    try {
      Future<Lsn> end = executor.submit(load::run);
      WalStream stream = WalStream.start(wire, Clock.systemUTC(), SLOT, from, 1);
      while (!end.isDone() || stream.position().compareTo(end.get()) < 0) {
        if (stream.next(TIMEOUT) instanceof WalEvent.Data data) {
          scanner.accept(data.bytes(), data.offset(), data.length());
          bytes.write(data.bytes(), data.offset(), data.length());
        }
      }
      stream.stop();
    } finally {
      executor.shutdownNow();
    }
    streamed = bytes.toByteArray();
    endOfLastRecord = scanner.endOfLastRecord().orElseThrow();
  }

  /** The server's own bytes, from its segment files. */
  private static byte[] segments(long timeline, Lsn from, int length) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    WalSegmentName segment = new WalSegmentName(timeline, from, SIZE);
    while (bytes.size() < length) {
      bytes.write(Files.readAllBytes(server.data().resolve("pg_wal").resolve(segment.toString())));
      segment = segment.next();
    }
    return Arrays.copyOf(bytes.toByteArray(), length);
  }

  private static Wire open() throws IOException {
    return Wire.open(server.connection(), Stopping.never(), m -> {});
  }

  private static void receive(WalStream stream, Lsn end, ByteArrayOutputStream bytes)
      throws IOException {
    WalEvent.Kind kind = WalEvent.Kind.NOTHING;
    while (stream.position().compareTo(end) < 0 && kind != WalEvent.Kind.END_OF_TIMELINE) {
      WalEvent event = stream.next(TIMEOUT);
      kind = event.kind();
      if (event instanceof WalEvent.Data data) {
        bytes.write(data.bytes(), data.offset(), data.length());
      }
    }
  }

  private static void drain(WalStream stream) throws IOException {
    receive(stream, new Lsn(-1), new ByteArrayOutputStream());
  }

  private static void assertFails(PostgresFailure expected, Executable action) {
    var e = assertThrows(BackupException.Source.class, action);
    assertEquals(expected, e.code(), e.getMessage());
  }

  private static Lsn scan(Lsn first, byte[] bytes) throws IOException {
    WalScanner scanner = new WalScanner(origin, first, new Heard());
    scanner.accept(bytes, 0, bytes.length);
    return scanner.endOfLastRecord().orElse(first);
  }

  private static Lsn scanned(long timeline, Lsn first, byte[] bytes) throws IOException {
    WalOrigin there = new WalOrigin(origin.major(), origin.systemIdentifier(), SIZE, timeline);
    WalScanner scanner = new WalScanner(there, first, new Heard());
    scanner.accept(bytes, 0, bytes.length);
    return scanner.endOfLastRecord().orElseThrow();
  }

  /**
   * Places of pages without a long header that say nothing: four bytes of each page's header, the
   * end of the record that began before, and the gaps behind records.
   */
  private static Set<Integer> withoutMeaning(byte[] pages) {
    Set<Integer> places = new HashSet<>();
    List<Integer> content = new ArrayList<>();
    for (int i = 0; i < pages.length; i++) {
      int inPage = i % PAGE_BYTES;
      if (inPage >= 24) {
        content.add(i);
      } else if (inPage >= 20) {
        places.add(i);
      }
    }
    int at = (int32(pages, 16) + 7) / 8 * 8;
    places.addAll(content.subList(0, at));
    while (at + 4 <= content.size()) {
      int end = at + int32(pages, content.get(at));
      at = (end + 7) / 8 * 8;
      places.addAll(content.subList(Math.min(end, content.size()), Math.min(at, content.size())));
    }
    return places;
  }

  private static int int32(byte[] bytes, int at) {
    return bytes[at] & 0xFF
        | (bytes[at + 1] & 0xFF) << 8
        | (bytes[at + 2] & 0xFF) << 16
        | bytes[at + 3] << 24;
  }

  private static Map<Long, Instant> commitTimes(Iterable<Long> xids) throws SQLException {
    List<Long> asked = new ArrayList<>();
    xids.forEach(asked::add);
    Map<Long, Instant> times = new TreeMap<>();
    try (Connection sql = server.openSql();
        PreparedStatement query =
            sql.prepareStatement(
                "SELECT x, pg_xact_commit_timestamp(x::text::xid) FROM unnest(?::bigint[]) x")) {
      Array array = sql.createArrayOf("bigint", asked.toArray());
      query.setArray(1, array);
      try (ResultSet rows = query.executeQuery()) {
        while (rows.next()) {
          OffsetDateTime time = rows.getObject(2, OffsetDateTime.class);
          if (time != null) {
            times.put(rows.getLong(1), time.toInstant());
          }
        }
      }
    }
    return times;
  }

  private static Set<Long> column(String query) throws SQLException {
    Set<Long> values = new HashSet<>();
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement();
        ResultSet rows = statement.executeQuery(query)) {
      while (rows.next()) {
        if (rows.getLong(1) > 0) {
          values.add(rows.getLong(1));
        }
      }
    }
    return values;
  }

  /** What a scanner told. */
  private static final class Heard implements WalListener {
    private final TreeMap<Long, Instant> commits = new TreeMap<>();
    private final Set<Long> aborts = new TreeSet<>();
    private final Map<String, Lsn> restorePoints = new TreeMap<>();
    private final List<Lsn> ends = new ArrayList<>();

    @Override
    public void committed(Lsn end, long xid, Instant time) {
      ends.add(end);
      if (xid > 0) {
        assertEquals(null, commits.put(xid, time), "committed twice: " + xid);
      }
    }

    @Override
    public void aborted(Lsn end, long xid, Instant time) {
      ends.add(end);
      aborts.add(xid);
    }

    @Override
    public void restorePoint(Lsn end, String name, Instant time) {
      restorePoints.put(name, end);
    }
  }

  /** Transactions of all kinds. */
  private static final class Load {
    private final long first;
    private final Set<Long> prepared = new TreeSet<>();
    private final Set<Long> rolledBack = new TreeSet<>();
    private final Map<String, Lsn> restorePoints = new TreeMap<>();

    Load() throws SQLException {
      first = Long.parseLong(Clusters.single(server, "SELECT pg_current_xact_id()"));
    }

    /** Ends with a record that is flushed, and says where. */
    Lsn run() throws SQLException {
      try (Connection sql = server.openSql();
          Statement statement = sql.createStatement()) {
        for (int i = 0; i < TRANSACTIONS; i++) {
          transaction(statement, i);
        }
        return restorePoint(statement, "the end");
      }
    }

    private void transaction(Statement statement, int i) throws SQLException {
      if (i % 500 == 250) {
        restorePoint(statement, "point ä " + i);
      } else if (i % 100 == 10) {
        prepared(statement, i, true);
      } else if (i % 100 == 20) {
        prepared(statement, i, false);
      } else if (i % 50 == 30) {
        nested(statement);
        statement.execute("COMMIT");
      } else if (i % 50 == 40) {
        rolledBack.add(nested(statement));
        statement.execute("ROLLBACK");
      } else if (i == TRANSACTIONS / 2) {
        statement.execute(
            "INSERT INTO done SELECT pg_current_xact_id()::text::bigint"
                + " FROM generate_series(1, 20000)");
        statement.execute("SELECT pg_switch_wal()");
      } else {
        statement.execute("INSERT INTO done VALUES (pg_current_xact_id()::text::bigint)");
      }
    }

    /** With lists of everything before its number: many tables, subtransactions, statistics. */
    private void prepared(Statement statement, int i, boolean commits) throws SQLException {
      statement.execute("CREATE TABLE dropped_" + i + " (a int PRIMARY KEY, b text)");
      statement.execute("BEGIN");
      long xid = insert(statement);
      for (int n = 0; n < 100 && i == 10; n++) {
        inner(statement);
      }
      statement.execute("DROP TABLE dropped_" + i);
      statement.execute("PREPARE TRANSACTION 'p" + i + "'");
      statement.execute("INSERT INTO done VALUES (pg_current_xact_id()::text::bigint)");
      statement.execute((commits ? "COMMIT" : "ROLLBACK") + " PREPARED 'p" + i + "'");
      (commits ? prepared : rolledBack).add(xid);
    }

    private long nested(Statement statement) throws SQLException {
      statement.execute("BEGIN");
      long xid = insert(statement);
      inner(statement);
      inner(statement);
      return xid;
    }

    private static void inner(Statement statement) throws SQLException {
      statement.execute("SAVEPOINT s");
      statement.execute("INSERT INTO inner_done VALUES (1)");
      statement.execute("RELEASE SAVEPOINT s");
    }

    private static long insert(Statement statement) throws SQLException {
      try (ResultSet row =
          statement.executeQuery(
              "INSERT INTO done VALUES (pg_current_xact_id()::text::bigint) RETURNING xid")) {
        row.next();
        return row.getLong(1);
      }
    }

    private Lsn restorePoint(Statement statement, String name) throws SQLException {
      try (ResultSet row =
          statement.executeQuery("SELECT pg_create_restore_point('" + name + "')")) {
        row.next();
        Lsn end = Lsn.parse(row.getString(1));
        restorePoints.put(name, end);
        return end;
      }
    }
  }
}
