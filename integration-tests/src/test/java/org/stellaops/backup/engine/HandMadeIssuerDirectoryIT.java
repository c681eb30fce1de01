package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.IndexOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Locations;
import org.stellaops.backup.bundle.HandMadeBackup;
import org.stellaops.backup.bundle.TarballReport;
import org.stellaops.backup.bundle.TarballReport.Kind;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.mongo.MongoArchiveSource;
import org.stellaops.backup.mongo.MongoSource;
import org.stellaops.backup.mongo.MongoTarget;
import org.stellaops.backup.mongo.fixture.MongodSim;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.secrets.SecretSource;
import org.stellaops.backup.secrets.SecretTarget;

/**
 * The Issuer Directory, backed up in the form of its runbook, is taken in from where the tarball
 * lies, and comes out of a snapshot as it was.
 */
class HandMadeIssuerDirectoryIT {
  private static final String DB = "issuer-directory";
  private static final String SECRET = "ISSUER_DIRECTORY_MONGO_CONNECTION_STRING";
  private static final long MOST = 100 << 20;

  @TempDir Path directory;

  private MongodSim live;
  private AgeIdentity owner;

  @BeforeEach
  void aService() throws IOException {
    live = MongodSim.replicaSet();
    owner = AgeIdentity.generate();
    owner.writeTo(directory.resolve("owner.txt"));
    MongoDatabase db = live.client().getDatabase(DB);
    insert(db, "issuers", 50);
    insert(db, "issuer_keys", 120);
    insert(db, "issuer_audit", 250);
    db.createCollection("issuer_trust_overrides");
    db.getCollection("issuers")
        .createIndex(new Document("name", 1), new IndexOptions().unique(true));
    Files.createDirectories(directory.resolve("etc"));
    Files.writeString(directory.resolve("etc/issuer-directory.yaml"), "workers: 4\n");
    Files.writeString(directory.resolve("etc/csaf-publishers.json"), "[{\"name\":\"a\"}]");
    Files.writeString(directory.resolve("dev.env"), SECRET + "=mongodb://x\nOTHER=1\n");
  }

  private static void insert(MongoDatabase db, String name, int count) {
    db.getCollection(name)
        .insertMany(
            IntStream.range(0, count)
                .mapToObj(i -> new Document("_id", i).append("name", name + i).append("n", i * 7L))
                .toList());
  }

  @AfterEach
  void stop() {
    live.close();
    owner.close();
  }

  /** Documents and, of all servers but one, indexes. */
  private static Map<String, List<String>> state(
      MongoClient client, String database, boolean isWithIndexes) {
    Map<String, List<String>> state = new TreeMap<>();
    MongoDatabase db = client.getDatabase(database);
    for (String name : db.listCollectionNames()) {
      List<String> lines = new ArrayList<>();
      if (isWithIndexes) {
        db.getCollection(name).listIndexes().forEach(i -> lines.add(i.toJson()));
      }
      db.getCollection(name).find().forEach(d -> lines.add(d.toJson()));
      lines.sort(null);
      state.put(name, lines);
    }
    assertEquals(4, state.size(), state.keySet().toString());
    return state;
  }

  /** Unpacked, captured, and restored from the snapshot, into a database and a directory. */
  private void takeIn(HandMadeBackup made, MongoClient server, String database) throws Exception {
    Path out = directory.resolve("out");
    TarballReport unpacked = made.unpack(out, MOST, owner);
    assertEquals(List.of(), unpacked.findings());
    Path archive =
        unpacked.members().stream()
            .filter(m -> m.kind() == Kind.MONGODUMP_ARCHIVE_GZIP)
            .map(m -> out.resolve(m.name()))
            .findFirst()
            .orElseThrow();
    DirectorySink sink = DirectorySink.at(directory.resolve("taken-in"));
    WriterKeyFile keys = WriterKeyFile.at(directory.resolve("writer.key")).named("host-a");
    try (BackupEngine engine =
        BackupEngine.open(
            BackupPlan.named(DB)
                .source("database", MongoArchiveSource.of(archive))
                .source(
                    "config",
                    FileSource.in(out).include("issuer-directory.yaml", "csaf-publishers.json"))
                .source(
                    "secrets",
                    SecretSource.dotenv(out.resolve("issuer-directory.mongo.secret"), SECRET))
                .encryptTo(owner.recipient())
                .writer(keys)
                .sink(sink)
                .build())) {
      engine.backup(BackupRequest.full().named("by-hand")).requireGood();
    }
    Path host = Files.createDirectory(directory.resolve("new-host"));
    try (BackupRepository repository =
        BackupRepository.at(sink).identity(owner).trust(Trust.owner(keys.id())).open()) {
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named("by-hand"))
                  .target("database", MongoTarget.into(server, database))
                  .target("config", FileTarget.at(host.resolve("etc")))
                  .target("secrets", SecretTarget.dotenv(host.resolve(".env"))));
      assertTrue(plan.isPossible(), plan.describe());
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
    for (String name : List.of("issuer-directory.yaml", "csaf-publishers.json")) {
      assertEquals(
          Files.readString(directory.resolve("etc/" + name)),
          Files.readString(host.resolve("etc/" + name)));
    }
    assertEquals(SECRET + "=mongodb://x\n", Files.readString(host.resolve(".env")));
  }

  @Test
  void what_was_exported_is_taken_in_from_a_uri_and_is_as_it_was() throws Exception {
    Path latest = directory.resolve("latest-full.tar.gz");
    try (BackupEngine engine =
        BackupEngine.open(
            BackupPlan.named(DB)
                .source("database", MongoSource.database(live.client(), DB))
                .source("config", FileSource.in(directory.resolve("etc")))
                .source("secrets", SecretSource.dotenv(directory.resolve("dev.env"), SECRET))
                .encryptTo(owner.recipient())
                .writer(WriterKeyFile.at(directory.resolve("live.key")).named("live"))
                .sink(DirectorySink.at(directory.resolve("repository")))
                .build())) {
      engine.backup(BackupRequest.full().named("nightly")).requireGood();
      engine.exportTarball(
          TarballRequest.encrypted(SnapshotRef.named("nightly"), latest, owner.recipient())
              .with(owner)
              .named("secrets", "secrets.env", "issuer-directory.mongo.secret"));
    }
    Map<String, List<String>> before = state(live.client(), DB, true);

    HandMadeBackup made = Locations.tarball(latest.toUri());
    assertTrue(made.isSealed());
    takeIn(made, live.client(), "drill");

    assertEquals(before, state(live.client(), "drill", true));
  }

  private String bash(String commands) throws Exception {
    Process process =
        new ProcessBuilder("bash", "-euc", commands)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said;
  }

  /** The hot backup of the runbook, word for word but for the containers. */
  private void makeByHand(String uri) throws Exception {
    bash(
        """
        BACKUP_DIR=backup/issuer-directory/2026-11-20T020000
        mkdir -p "$BACKUP_DIR"
        mongodump --uri='%s' --archive="$BACKUP_DIR/issuer-directory-20261120T020000Z.gz" \\
          --gzip --db issuer-directory
        cp etc/issuer-directory.yaml "$BACKUP_DIR/"
        cp etc/csaf-publishers.json "$BACKUP_DIR/"
        grep '^ISSUER_DIRECTORY_MONGO_CONNECTION_STRING=' dev.env > "$BACKUP_DIR/issuer-directory.mongo.secret"
        chmod 600 "$BACKUP_DIR/issuer-directory.mongo.secret"
        (cd "$BACKUP_DIR" && sha256sum * > SHA256SUMS)
        tar czf "$BACKUP_DIR.tar.gz" -C "$BACKUP_DIR" .
        age -r %s "$BACKUP_DIR.tar.gz" > "$BACKUP_DIR.tar.gz.age"
        cp "$BACKUP_DIR.tar.gz" latest-full.tar.gz
        """
            .formatted(uri, owner.recipient().text()));
  }

  private void restoreByHand(String uri, String option) throws Exception {
    bash(
        "mongorestore --uri='%s' %s --archive --gzip --drop --stopOnError".formatted(uri, option)
            + " < backup/issuer-directory/2026-11-20T020000/issuer-directory-20261120T020000Z.gz");
  }

  @Test
  @Tag("interop")
  void what_mongodump_made_becomes_the_database_that_mongorestore_makes_of_it() throws Exception {
    makeByHand(live.connectionString());
    try (MongodSim theirs = MongodSim.replicaSet();
        MongodSim ours = MongodSim.replicaSet()) {
      restoreByHand(theirs.connectionString(), "");
      Path sealed = directory.resolve("backup/issuer-directory/2026-11-20T020000.tar.gz.age");
      takeIn(Locations.tarball(sealed.toUri()), ours.client(), DB);

      assertEquals(state(theirs.client(), DB, true), state(ours.client(), DB, true));
      assertEquals(state(live.client(), DB, true), state(ours.client(), DB, true));
    }
  }

  /** A server that is no simulation of ours; of its indexes mongorestore asks what it cannot do. */
  @Test
  @Tag("interop")
  void on_a_server_of_others_it_is_the_same() throws Exception {
    makeByHand(live.connectionString());
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    Path data = Files.createDirectories(directory.resolve("ferretdb"));
    String uri = "mongodb://127.0.0.1:" + port;
    Process ferret =
        new ProcessBuilder("ferretdb", "127.0.0.1:" + port, "file:" + data + "/")
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("ferretdb.txt").toFile())
            .start();
    try (MongoClient client = MongoClients.create(uri + "/?serverSelectionTimeoutMS=60000")) {
      client.getDatabase("admin").runCommand(new Document("ping", 1));
      restoreByHand(uri, "--noIndexRestore");
      Map<String, List<String>> theirs = state(client, DB, false);
      takeIn(Locations.tarball(directory.resolve("latest-full.tar.gz").toUri()), client, "drill");

      assertEquals(theirs, state(client, "drill", false));
      assertEquals(state(live.client(), DB, false), theirs);
    } finally {
      ferret.destroy();
      assertTrue(ferret.waitFor(30, TimeUnit.SECONDS));
    }
  }
}
