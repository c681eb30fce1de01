package org.stellaops.backup.postgres;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.postgres.internal.local.PageScan;
import org.stellaops.backup.spi.Stopping;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.RestoreHarness;

/** What is damaged in a cluster is found and named; what is whole is not. */
abstract class IntegrityCases {
  private static final int PAGE_BYTES = 8192;

  private static final PostgresIntegrity ALL =
      PostgresIntegrity.standard()
          .bringingAmcheck()
          .invariant("postgres", "parents are many", "SELECT count(*) = 1000 FROM parent")
          .expect("postgres", "children", "SELECT count(*) FROM child", "2000");

  @TempDir static Path directory;

  private static Path whole;
  private static Captured captured;
  private static String table;
  private static String index;

  @Parameter int major;

  @TempDir Path fresh;

  @BeforeParameterizedClassInvocation
  static void makeCluster(int major) throws Exception {
    whole = directory.resolve("whole-" + major);
    try (PostgresServer server = start(major, whole)) {
      Clusters.execute(
          server,
          "CREATE DATABASE other",
          "CREATE TABLE parent (id int PRIMARY KEY, name text)",
          "INSERT INTO parent SELECT g, 'parent ' || g FROM generate_series(1, 1000) g",
          "CREATE TABLE child (id int PRIMARY KEY, of int REFERENCES parent, text text)",
          "INSERT INTO child SELECT g, g % 1000 + 1, repeat('x', 100) FROM generate_series(1, 2000) g",
          "CHECKPOINT");
      table = Clusters.single(server, "SELECT pg_relation_filepath('child')");
      index = Clusters.single(server, "SELECT pg_relation_filepath('child_pkey')");
      captured =
          CaptureHarness.of(PostgresSource.physical(server.connection()))
              .spoolTo(directory.resolve("captured-" + major))
              .capture();
    }
  }

  @Test
  void a_restore_of_a_sound_cluster_is_proven_and_left_stopped_without_a_trace() throws Exception {
    Path data = fresh.resolve("data");
    PostgresTarget target =
        PostgresTarget.directory(data).provenBy(RestoredClusters.programs(major), ALL);
    RestoreHarness harness = RestoreHarness.of(target, captured);

    harness.restore();

    List<Finding> proven =
        harness.findings().stream().filter(f -> f.code() == PostgresFailure.PROVEN).toList();
    assertEquals(1, proven.size(), harness.findings()::toString);
    assertTrue(proven.get(0).found().startsWith("3 databases:"), proven::toString);
    assertTrue(proven.get(0).found().contains("1 foreign keys, 2 invariants"), proven::toString);
    assertTrue(
        proven.get(0).found().matches(".*; [0-9]{4,} pages with checksums"), proven::toString);
    assertFalse(Files.exists(data.resolve("postmaster.pid")));
    try (PostgresServer server = start(major, data)) {
      assertEquals(
          "0",
          Clusters.single(server, "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"));
    }
  }

  @Test
  void an_orphan_behind_a_foreign_key_is_counted() throws Exception {
    try (PostgresServer server = damaged()) {
      Clusters.execute(
          server, "SET session_replication_role = replica; DELETE FROM parent WHERE id <= 3");

      IntegrityReport report = check(server, PostgresIntegrity.standard().bringingAmcheck());

      assertEquals(
          List.of(PostgresFailure.FOREIGN_KEY_BROKEN),
          report.findings().stream().map(Finding::code).toList(),
          report::toString);
      assertEquals("postgres: child_of_fkey of public.child", report.findings().get(0).subject());
      assertTrue(report.findings().get(0).found().startsWith("6 rows refer to nothing"));
    }
  }

  @Test
  void a_table_and_an_index_that_disagree_are_named() throws Exception {
    try (PostgresServer server = damaged()) {
      Clusters.execute(
          server,
          "UPDATE pg_index SET indisready = false WHERE indexrelid = 'child_pkey'::regclass",
          "INSERT INTO child VALUES (5000, 1, 'unknown to the index')",
          "UPDATE pg_index SET indisready = true WHERE indexrelid = 'child_pkey'::regclass");

      IntegrityReport report = check(server, ALL);

      assertTrue(
          report.findings().stream()
              .anyMatch(
                  f ->
                      f.code() == PostgresFailure.INDEX_DAMAGED
                          && f.subject().equals("postgres: public.child_pkey")),
          report::toString);
    }
  }

  @Test
  void damaged_pages_are_named_with_their_relations() throws Exception {
    PostgresServer server = damaged();
    server.stop();
    assertEquals(List.of(), new PageScan(server.data(), Stopping.never()).run());
    flip(server.data().resolve(table), PAGE_BYTES + 5000);
    flip(server.data().resolve(index), 2 * PAGE_BYTES + 5000);
    assertEquals(
        Set.of(table + ": block 1", index + ": block 2"),
        Set.copyOf(new PageScan(server.data(), Stopping.never()).run()));
    server.start();
    try (server) {
      IntegrityReport report = check(server, PostgresIntegrity.standard().bringingAmcheck());

      assertFalse(report.isSound());
      for (String name : List.of("public.child", "public.child_pkey")) {
        assertTrue(
            report.findings().stream()
                .anyMatch(
                    f ->
                        f.code() == PostgresFailure.PAGE_CHECKSUM
                            && f.subject().equals("postgres: " + name)),
            report::toString);
      }
    }
  }

  @Test
  void without_amcheck_nothing_is_called_checked() throws Exception {
    try (PostgresServer server = damaged()) {
      IntegrityReport report = check(server, PostgresIntegrity.standard());

      assertEquals(3, report.notChecked().size(), report::toString);
      assertEquals(0, report.indexes() + report.tables());
    }
  }

  private static IntegrityReport check(PostgresServer server, PostgresIntegrity integrity)
      throws IOException {
    return integrity.check(server.connection(), Stopping.never());
  }

  private PostgresServer damaged() throws IOException {
    return start(major, RestoredClusters.copy(whole, fresh.resolve("copy")));
  }

  private static PostgresServer start(int major, Path data) throws IOException {
    return PostgresServer.start(
        PostgresBinaries.of(major), data, Map.of("allow_system_table_mods", "on"));
  }

  private static void flip(Path file, long offset) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer one = ByteBuffer.allocate(1);
      channel.read(one, offset);
      one.put(0, (byte) ~one.get(0)).flip();
      channel.write(one, offset);
    }
  }
}
