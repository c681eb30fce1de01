package org.stellaops.backup.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.event.CommandStartedEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CheckResult;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.spi.Form;
import org.stellaops.backup.testkit.CaptureHarness;
import org.stellaops.backup.testkit.Captured;
import org.stellaops.backup.testkit.StopSwitch;

class MongoCaptureIT {
  private static final String DB = "issuer-directory";
  private static final String PASSWORD = "hunter2";

  private static WireServer server;

  @BeforeAll
  static void start() {
    server = WireServer.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void fill() {
    server.client().listDatabaseNames().forEach(name -> server.database(name).drop());
    SampleData.fill(server.database(DB));
  }

  @Test
  void an_unknown_database_is_an_error_and_no_empty_archive() throws Exception {
    MongoSource source = MongoSource.database(server.client(), "Issuer-Directory");
    var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());
    assertEquals(MongoFailure.UNKNOWN_DATABASE, e.code());
    assertEquals(
        List.of(CheckResult.Verdict.PASS, CheckResult.Verdict.PASS, CheckResult.Verdict.FAIL),
        verdicts(source));
  }

  @Test
  void a_good_source_passes_all_checks() throws Exception {
    MongoSource source =
        MongoSource.database(server.client(), DB).expect("issuers").require(Consistency.NONE);
    assertEquals(
        List.of(
            "check.mongo.connectivity",
            "check.mongo.privileges",
            "check.mongo.database",
            "check.mongo.consistency",
            "check.mongo.expected"),
        CaptureHarness.checks(source).stream().map(CheckResult::id).toList());
    for (CheckResult check : CaptureHarness.checks(source)) {
      assertEquals(CheckResult.Verdict.PASS, check.verdict(), check.toString());
    }
  }

  @Test
  void an_expected_collection_that_is_absent_is_a_finding_and_a_warning() throws Exception {
    MongoSource source =
        MongoSource.database(server.client(), DB)
            .expect("issuers", "issuer_trust_overrides")
            .expect("issuer_secrets");
    Captured captured = CaptureHarness.of(source).capture();
    assertEquals(
        List.of(DB + ".issuer_secrets"),
        captured.findings().stream()
            .filter(f -> f.code() == CoreFailure.LESS_THAN_EXPECTED)
            .map(Finding::subject)
            .toList());
    assertEquals(CheckResult.Verdict.WARN, verdicts(source).get(4));
  }

  @Test
  void a_cursor_that_is_killed_ends_the_capture_and_leaves_no_artifact() {
    try (MongoClient client = server.connect(this::killCursor)) {
      var e =
          assertThrows(
              BackupException.Source.class,
              () ->
                  CaptureHarness.of(MongoSource.database(client, DB).sized(20_000, Long.MAX_VALUE))
                      .capture());
      assertEquals(MongoFailure.SERVER_FAILED, e.code(), e.getMessage());
      assertTrue(e.getMessage().contains(DB + ".issuer_audit"), e.getMessage());
    }
  }

  private void killCursor(CommandStartedEvent event) {
    if (event.getCommandName().equals("getMore")) {
      server
          .database(DB)
          .runCommand(
              new BsonDocument("killCursors", new BsonString("issuer_audit"))
                  .append("cursors", new BsonArray(List.of(event.getCommand().get("getMore")))));
    }
  }

  @Test
  void writes_during_the_capture_are_reported() throws Exception {
    List<String> inserted = new ArrayList<>();
    try (MongoClient client =
        server.connect(
            event -> {
              if (event.getCommandName().equals("find") && inserted.isEmpty()) {
                server.database(DB).getCollection("issuers").insertOne(new Document("name", "new"));
                inserted.add("new");
              }
            })) {
      Captured captured = CaptureHarness.of(MongoSource.database(client, DB)).capture();
      List<Finding> changes =
          captured.findings().stream()
              .filter(f -> f.code() == MongoFailure.CHANGED_DURING_CAPTURE)
              .toList();
      assertEquals(1, changes.size());
      assertEquals(
          "issuers had 250 documents before, 251 were read, it had 251 after",
          changes.get(0).found());
    }
  }

  @Test
  void a_failure_of_storage_is_what_the_run_sees() {
    MongoSource source = MongoSource.database(server.client(), DB);
    assertThrows(
        BackupException.Sink.class,
        () -> CaptureHarness.of(source).failStorageAt(10_000).capture());
  }

  @Test
  void a_run_that_is_stopped_ends() {
    MongoSource source = MongoSource.database(server.client(), DB);
    assertThrows(
        BackupException.Stopped.class, () -> CaptureHarness.of(source).stopAfter(50_000).capture());
  }

  @Test
  void a_stop_reaches_a_server_that_does_not_answer() throws Exception {
    // given
    StopSwitch stopSwitch = new StopSwitch();
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      MongoSource source =
          MongoSource.database(() -> Secret.of("mongodb://127.0.0.1:" + silent.getLocalPort()), DB);
      CompletableFuture<Captured> capture =
          CompletableFuture.supplyAsync(() -> capture(source, stopSwitch));
      silent.setSoTimeout(20_000);
      // when
      try (Socket accepted = silent.accept()) {
        assertTrue(accepted.isConnected());
        stopSwitch.stop();
        // then
        var e = assertThrows(ExecutionException.class, () -> capture.get(20, TimeUnit.SECONDS));
        assertInstanceOf(BackupException.Stopped.class, e.getCause().getCause());
      }
    }
  }

  private static Captured capture(MongoSource source, StopSwitch stopSwitch) {
    try {
      return CaptureHarness.of(source).stopping(stopSwitch).capture();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void a_connection_string_works_and_its_secret_is_closed_each_time() throws Exception {
    List<Secret> given = new ArrayList<>();
    MongoSource source =
        MongoSource.database(
            () -> {
              Secret secret = Secret.of(server.connectionString());
              given.add(secret);
              return secret;
            },
            DB);
    Captured captured = CaptureHarness.of(source).capture();
    CaptureHarness.checks(source);
    assertEquals(List.of(DB + ".archive", "mongo-meta.bson"), names(captured));
    assertEquals(2, given.size());
    for (Secret secret : given) {
      assertEquals(
          "\0".repeat(server.connectionString().length()), secret.use(String::new), "not wiped");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mongodb://user:" + PASSWORD + "@",
        "mongodb://user:" + PASSWORD + "@127.0.0.1:99999/",
        "mongodb://user:" + PASSWORD + "@h@127.0.0.1/",
        "postgres://user:" + PASSWORD + "@127.0.0.1/",
        "mongodb://user:" + PASSWORD + "@127.0.0.1:1/?serverSelectionTimeoutMS=50",
      })
  void a_password_is_in_no_message_and_no_evidence(String connectionString) throws Exception {
    MongoSource source = MongoSource.database(() -> Secret.of(connectionString), DB);
    var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());
    for (Throwable t = e; t != null; t = t.getCause()) {
      assertFalse(t.toString().contains(PASSWORD), t.toString());
    }
    for (CheckResult check : CaptureHarness.checks(source)) {
      assertEquals(CheckResult.Verdict.FAIL, check.verdict());
      assertFalse(check.toString().contains(PASSWORD), check.toString());
    }
    assertFalse(source.toString().contains(PASSWORD));
  }

  @Test
  void a_server_that_is_not_there_is_called_unreachable() {
    MongoSource source =
        MongoSource.database(
            () -> Secret.of("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50"), DB);
    var e = assertThrows(BackupException.Source.class, () -> CaptureHarness.of(source).capture());
    assertEquals(MongoFailure.UNREACHABLE, e.code());
  }

  @Test
  void a_database_whose_name_no_artifact_can_have_keeps_it_inside() throws Exception {
    String name = "größe";
    server.database(name).getCollection("x").insertOne(new Document("a", 1));
    Captured captured = CaptureHarness.of(MongoSource.database(server.client(), name)).capture();
    assertEquals(List.of("database.archive", "mongo-meta.bson"), names(captured));
    assertEquals(name, captured.source().properties().get("database"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a/b", "a.b", "a b", "$a"})
  void a_name_no_database_has_is_a_mistake_of_the_programmer(String name) {
    assertThrows(IllegalArgumentException.class, () -> MongoSource.database(server.client(), name));
  }

  @Test
  void the_archive_is_cut_by_content_and_the_side_artifact_is_remembered() throws Exception {
    Captured captured = CaptureHarness.of(MongoSource.database(server.client(), DB)).capture();
    assertEquals(Form.CONTENT, captured.form(DB + ".archive"));
    assertEquals(Form.WHOLE.remembered(), captured.form("mongo-meta.bson"));
  }

  @Test
  void two_captures_of_a_quiet_database_are_equal() throws Exception {
    MongoSource source = MongoSource.database(server.client(), DB);
    Captured first = CaptureHarness.of(source).capture();
    Captured second = CaptureHarness.of(source).capture();
    assertEquals(first.source().artifacts(), second.source().artifacts());
  }

  @Test
  void describing_a_source_needs_no_server() {
    MongoSource source =
        MongoSource.database(
            () -> {
              throw new AssertionError("read the secret");
            },
            DB);
    assertEquals("mongo-archive/1", source.describe().kind().value());
    assertEquals("MongoSource[" + DB + "]", source.toString());
    assertFalse(source.origin().orElseThrow().describe().location().isEmpty());
  }

  private static List<String> names(Captured captured) {
    return captured.names().stream().map(ArtifactName::value).toList();
  }

  private static List<CheckResult.Verdict> verdicts(MongoSource source) throws IOException {
    return CaptureHarness.checks(source).stream().map(CheckResult::verdict).toList();
  }
}
