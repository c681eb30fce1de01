package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.RecoveryPoint;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.StreamStatus.State;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.PostgresIntegrity;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.testkit.MemorySink;

/** A cluster that was taken to a point goes on in the same stream, as a timeline of its own. */
class RestoredTimelineIT {
  private static final Map<String, String> SETTINGS = Map.of("max_slot_wal_keep_size", "2GB");

  @TempDir Path root;
  private final MemorySink sink = new MemorySink();
  private AgeIdentity owner;
  private Host host;
  private int restores;

  @AfterEach
  void nothingIsOpen() throws Exception {
    owner.close();
    sink.assertNothingOpen();
  }

  @ParameterizedTest
  @ValueSource(ints = 18)
  void both_timelines_can_be_reached_and_a_third_that_claims_the_second_is_refused(int major)
      throws Exception {
    exhaust(major);
  }

  @Tag("interop")
  @ParameterizedTest
  @ValueSource(ints = {15, 16, 17})
  void so_it_is_on_the_versions_between(int major) throws Exception {
    exhaust(major);
  }

  private void exhaust(int major) throws Exception {
    owner = AgeIdentity.generate();
    host = new Host(root.resolve("host"), owner.recipient(), sink).withKeys();
    try (PostgresServer server =
        PostgresServer.start(PostgresBinaries.of(major), root.resolve("cluster"), SETTINGS)) {
      Sql.execute(server, "CREATE TABLE counter (n int PRIMARY KEY)", insert(1));
      Path second = root.resolve("second");
      Path third = root.resolve("third");
      try (Recording recording = Recording.of(host, server)) {
        recording.backUp("base");
        Sql.execute(server, insert(2), "SELECT pg_create_restore_point('two')", insert(3));
        Sql.execute(server, "SELECT pg_create_restore_point('three')", insert(4));
        recording.awaitRecorded();
        recording.restore(to("two"), second);
        recording.restore(to("three"), third);
      }
      goOn(server, second);
      assertRefused(server, third);
    }
  }

  private RestoreRequest to(String mark) {
    return RestoreRequest.of(SnapshotRef.named("base"))
        .upTo(RecoveryPoint.atMark(mark))
        .with(owner);
  }

  private static String insert(int n) {
    return "INSERT INTO counter VALUES (" + n + ")";
  }

  private void goOn(PostgresServer old, Path data) throws Exception {
    try (PostgresServer server = PostgresServer.start(old.binaries(), data, SETTINGS)) {
      Sql.awaitOpen(server);
      try (Recording recording = Recording.of(host, server)) {
        Sql.execute(server, insert(20));
        recording.awaitRecorded();
        recording.backUp("base-of-the-second");
        Sql.execute(server, insert(21));
        recording.awaitRecorded();

        assertReached(recording, "base", "1,2,20,21", t -> t);
        assertReached(recording, "base", "1,2,3,4", t -> t.timeline(1));
        assertReached(recording, "base-of-the-second", "1,2,20,21", t -> t);
        assertEquals(List.of(), recording.coverage().gaps());
      }
    }
  }

  private void assertReached(
      Recording recording, String base, String numbers, UnaryOperator<PostgresTarget> how)
      throws Exception {
    PostgresIntegrity integrity =
        PostgresIntegrity.standard()
            .bringingAmcheck()
            .expect(
                "postgres",
                "numbers",
                "SELECT string_agg(n::text, ',' ORDER BY n) FROM counter",
                numbers);
    PostgresTarget target =
        PostgresTarget.directory(root.resolve("restored-" + restores++))
            .provenBy(Sql.programs(recording.server), integrity);
    recording.restore(
        RestoreRequest.of(SnapshotRef.named(base)).upTo(RecoveryPoint.latest()).with(owner),
        how.apply(target));
  }

  /** Its history has the name of the one that is recorded, and says something else. */
  private void assertRefused(PostgresServer old, Path data) throws Exception {
    try (PostgresServer server = PostgresServer.start(old.binaries(), data, SETTINGS)) {
      Sql.awaitOpen(server);
      try (Recording recording = Recording.of(host, server)) {
        recording.awaitProblem(State.FAILED, CoreFailure.STREAM_DIFFERS);
      }
    }
  }
}
