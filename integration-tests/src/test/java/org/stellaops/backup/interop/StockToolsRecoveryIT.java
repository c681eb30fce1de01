package org.stellaops.backup.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.IndexOptions;
import com.mongodb.client.model.Indexes;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.evidence.EvidenceSource;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoSource;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.fixture.PostgresServer;
import org.stellaops.backup.secrets.SecretSource;

/**
 * A repository, an identity, and the tools of a rescue system: every system comes back without a
 * line of our code but the script that lies in the repository.
 */
@Tag("interop")
class StockToolsRecoveryIT {
  private static final String DB = "issuer-directory";
  private static final List<String> COLLECTIONS = List.of("issuers", "issuer_audit");
  private static final String ROWS =
      "SELECT count(*) || ' ' || md5(string_agg(t::text, '' ORDER BY id)) FROM bundles t";
  private static final String SECOND = "log/host-a/0000000004.entry";
  private static final long SEED = 20261121;

  /** Where Debian keeps the programs of a version. */
  private static final Path PG_VERIFYBACKUP = Path.of("/usr/lib/postgresql/15/bin/pg_verifybackup");

  @TempDir static Path directory;

  private static StockTools tools;
  private static Path extracted;
  private static String rows;
  private static Map<String, List<String>> documents;

  /** Backs up twice, so that the second snapshot lies in packs of both; keeps only digests. */
  @BeforeAll
  static void recoverTheSecondOfTwoSnapshots() throws Exception {
    tools = new StockTools(directory);
    extracted = directory.resolve("extracted");
    makeFiles();
    try (PostgresServer postgres = PostgresServer.start(15, directory.resolve("postgres"));
        AgeIdentity identity = AgeIdentity.generate();
        Mongo mongo = Mongo.start()) {
      identity.writeTo(directory.resolve("owner.txt"));
      sql(
          postgres,
          "CREATE TABLE bundles AS SELECT n AS id, md5(n::text) AS root"
              + " FROM generate_series(1, 100000) n");
      fill(mongo.database());
      try (BackupEngine engine = BackupEngine.open(plan(postgres, mongo, identity))) {
        engine.backup(BackupRequest.full().named("first"));
        sql(postgres, "UPDATE bundles SET root = 'changed' WHERE id % 1000 = 7");
        Files.writeString(directory.resolve("evidence/sboms/new.json"), "{\"new\":true}");
        engine.backup(BackupRequest.incremental().named("second"));
      }
      rows = ask(postgres, ROWS);
      documents = documents(mongo.database());
    }
    extract();
  }

  @AfterAll
  static void leaveNoKeyBehind() throws Exception {
    assertEquals(List.of(), tools.left(), "keys and plain packs");
    tools.close();
  }

  @Test
  void postgres_starts_on_the_tar_and_pg_verifybackup_accepts_it() throws Exception {
    Path data = Files.createDirectory(directory.resolve("pgdata"));
    tools
        .bash(
            "-c",
            "tar --no-same-owner -xf '%s/database/base.tar' -C '%s'".formatted(extracted, data))
        .good();
    Files.copy(extracted.resolve("database/backup_manifest"), data.resolve("backup_manifest"));
    chmod700(data);

    assertTrue(Files.isExecutable(PG_VERIFYBACKUP), PG_VERIFYBACKUP + " is missing");
    assertEquals(
        "backup successfully verified\n", run(PG_VERIFYBACKUP.toString(), data.toString()));
    try (PostgresServer server = PostgresServer.start(15, data)) {
      assertEquals(rows, ask(server, ROWS));
    }
  }

  @Test
  void mongorestore_reads_the_archive() throws Exception {
    try (Mongo mongo = Mongo.start()) {
      String printed =
          run(
              StockTools.find("mongorestore").toString(),
              "--uri=" + mongo.uri(),
              "--archive=" + extracted.resolve("issuers/" + DB + ".archive"),
              "--stopOnError");

      assertEquals(documents, documents(mongo.database()), printed);
    }
  }

  @Test
  void every_file_comes_out_of_its_tar() throws Exception {
    for (String tar : List.of("evidence/objects.tar", "config/files.tar")) {
      Path original = directory.resolve(tar.substring(0, tar.indexOf('/')));
      Path unpacked = Files.createDirectory(directory.resolve("un-" + original.getFileName()));
      tools.bash("-c", "tar -xf '%s' -C '%s'".formatted(extracted.resolve(tar), unpacked)).good();

      assertEquals(tree(original), tree(unpacked), "seed " + SEED);
    }
  }

  @Test
  void the_secret_comes_back_as_a_line() throws Exception {
    assertEquals(
        Files.readString(directory.resolve(".env")),
        Files.readString(extracted.resolve("secrets/secrets.env")));
  }

  /** A directory that pretends to be a new host, and the printed commands in their order. */
  @Test
  void the_host_is_rebuilt_by_the_printed_steps() throws Exception {
    Path script = directory.resolve("repository/recover.sh");
    Path signers = directory.resolve("allowed_signers");
    Path rescue = Files.createDirectory(directory.resolve("rescue"));
    Path host = Files.createDirectory(directory.resolve("new-host"));
    Path data = directory.resolve("new-pgdata");

    String page =
        tools.bash(script, "host", SECOND, directory.resolve("owner.txt"), signers).good();

    assertTrue(page.contains("* PostgreSQL 15: the same major version"), page);
    assertTrue(page.contains("MongoDB 5.0"), page);
    assertTrue(page.contains("issuers: " + DB + ".issuers 3000"), page);
    assertTrue(page.contains("config: files 2"), page);
    List<String> commands = commands(page);
    assertTrue(commands.get(0).contains(" extract " + "'" + SECOND + "'"), commands.toString());
    String last = commands.get(commands.size() - 1);
    assertTrue(last.startsWith("mongorestore "), last);
    String steps =
        "cd '%s'; HOST='%s'; PGDATA='%s'\n".formatted(rescue, host, data)
            + String.join("\n", commands.subList(0, commands.size() - 1));
    tools.bash("-euc", steps).good();

    assertEquals(
        tree(directory.resolve("config")), tree(host.resolve("." + directory.resolve("config"))));
    assertEquals(
        tree(directory.resolve("evidence")),
        tree(host.resolve("." + directory.resolve("evidence"))));
    Path secrets = host.resolve("secrets/secrets/secrets.env");
    assertEquals(Files.readString(directory.resolve(".env")), Files.readString(secrets));
    assertEquals(
        "rw-------",
        java.nio.file.attribute.PosixFilePermissions.toString(
            Files.getPosixFilePermissions(secrets)));
    assertEquals(
        "backup successfully verified\n", run(PG_VERIFYBACKUP.toString(), data.toString()));
    try (PostgresServer server = PostgresServer.start(15, data)) {
      assertEquals(rows, ask(server, ROWS));
    }
    try (Mongo mongo = Mongo.start()) {
      String restore = "cd '%s'; MONGO_URI='%s'\n%s".formatted(rescue, mongo.uri(), last);
      String printed = run(StockTools.find("bash").toString(), "-euc", restore);
      assertEquals(documents, documents(mongo.database()), printed);
    }
  }

  private static List<String> commands(String page) {
    List<String> commands = new ArrayList<>();
    boolean isCommand = false;
    for (String line : page.lines().toList()) {
      if (line.equals("```")) {
        isCommand = !isCommand;
      } else if (isCommand) {
        commands.add(line);
      }
    }
    return commands;
  }

  @Test
  void who_is_no_owner_learns_nothing_of_the_host() throws Exception {
    Path other = directory.resolve("other.txt");
    try (AgeIdentity stranger = AgeIdentity.generate()) {
      stranger.writeTo(other);
    }
    StockTools.Result result =
        tools.bash(directory.resolve("repository/recover.sh"), "host", SECOND, other);
    result.failed("this identity does not open the snapshot");
    assertTrue(!result.text().contains("PostgreSQL 15"), result.text());
    for (String open : List.of("FORMAT.txt", "recover.sh", SECOND)) {
      String text = Files.readString(directory.resolve("repository").resolve(open));
      assertTrue(!text.contains(directory.toString()), open);
    }
  }

  private static void extract() throws Exception {
    Path repository = directory.resolve("repository");
    Path signers = directory.resolve("allowed_signers");
    Path script = repository.resolve("recover.sh");
    String listed = tools.bash(script, "list").good();
    assertEquals(2, listed.lines().count(), listed);
    assertTrue(tools.bash(script, "verify", SECOND, signers).good().endsWith("intact\n"));
    tools
        .bash(script, "extract", SECOND, directory.resolve("owner.txt"), extracted, signers)
        .good();
  }

  private static BackupPlan plan(PostgresServer postgres, Mongo mongo, AgeIdentity identity)
      throws IOException {
    WriterKeyFile keys = WriterKeyFile.at(directory.resolve("writer.key")).named("host-a");
    keys.open().close();
    Files.writeString(
        directory.resolve("allowed_signers"), Trust.owner(keys.id()).toAllowedSigners());
    return BackupPlan.named("stella")
        .source("database", PostgresSource.physical(postgres.connection()))
        .source("issuers", MongoSource.database(mongo.client(), DB).require(Consistency.NONE))
        .source("evidence", EvidenceSource.directory(directory.resolve("evidence")))
        .source("config", FileSource.in(directory.resolve("config")))
        .source("secrets", SecretSource.dotenv(directory.resolve(".env")))
        .encryptTo(identity.recipient())
        .writer(keys)
        .sink(DirectorySink.at(directory.resolve("repository")))
        .build();
  }

  private static void makeFiles() throws IOException {
    Random random = new Random(SEED);
    for (int n = 0; n < 60; n++) {
      byte[] bytes = new byte[random.nextInt(40_000)];
      random.nextBytes(bytes);
      Path file =
          directory.resolve("evidence/sboms/%s.json".formatted(Digest.ofContent(bytes).hex()));
      Files.createDirectories(file.getParent());
      Files.write(file, bytes);
    }
    Path config = Files.createDirectories(directory.resolve("config/etc"));
    Files.writeString(config.resolve("issuer-directory.yaml"), "workers: 4\n");
    Files.writeString(config.resolve("name with spaces and ä.yaml"), "");
    Files.createSymbolicLink(config.resolve("link"), Path.of("issuer-directory.yaml"));
    Files.writeString(
        directory.resolve(".env"), "MONGO='mongodb://issuer:pa$$word@db.internal/issuers'\n");
  }

  private static void fill(MongoDatabase database) {
    List<Document> issuers = new ArrayList<>();
    List<Document> audit = new ArrayList<>();
    for (int n = 0; n < 3000; n++) {
      issuers.add(new Document("_id", "issuer-" + n).append("slug", "vendor-" + n));
      audit.add(new Document("_id", (long) n).append("issuer", "issuer-" + n % 7));
    }
    database.getCollection("issuers").insertMany(issuers);
    database.getCollection("issuer_audit").insertMany(audit);
    database
        .getCollection("issuers")
        .createIndex(Indexes.ascending("slug"), new IndexOptions().unique(true));
  }

  private static Map<String, List<String>> documents(MongoDatabase database) {
    Map<String, List<String>> all = new TreeMap<>();
    for (String collection : COLLECTIONS) {
      List<String> lines = new ArrayList<>();
      database.getCollection(collection).find().forEach(d -> lines.add(d.toJson()));
      lines.sort(null);
      database
          .getCollection(collection)
          .listIndexes()
          .forEach(i -> lines.add(i.get("name") + " " + i.get("key") + " " + i.get("unique")));
      all.put(collection, lines);
    }
    return all;
  }

  /** A server that speaks MongoDB's protocol, and a client of it. */
  private record Mongo(MongoServer server, String uri, MongoClient client)
      implements AutoCloseable {
    static Mongo start() {
      MongoServer server = new MongoServer(new MemoryBackend().version(ServerVersion.MONGO_5_0));
      String uri = "mongodb://127.0.0.1:" + server.bind().getPort();
      return new Mongo(server, uri, MongoClients.create(uri));
    }

    MongoDatabase database() {
      return client.getDatabase(DB);
    }

    @Override
    public void close() {
      client.close();
      server.shutdownNow();
    }
  }

  /** What every file and link below a directory holds. */
  private static Map<String, String> tree(Path root) throws IOException {
    Map<String, String> tree = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.toList()) {
        String name = root.relativize(path).toString();
        if (Files.isSymbolicLink(path)) {
          tree.put(name, "-> " + Files.readSymbolicLink(path));
        } else if (Files.isRegularFile(path)) {
          tree.put(name, Digest.ofContent(Files.readAllBytes(path)).hex());
        }
      }
    }
    return tree;
  }

  private static void sql(PostgresServer server, String command) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement()) {
      statement.execute(command);
    }
  }

  private static String ask(PostgresServer server, String question) throws SQLException {
    try (Connection sql = server.openSql();
        Statement statement = sql.createStatement();
        ResultSet answer = statement.executeQuery(question)) {
      answer.next();
      return answer.getString(1);
    }
  }

  private static void chmod700(Path data) throws IOException {
    Files.setPosixFilePermissions(
        data, java.nio.file.attribute.PosixFilePermissions.fromString("rwx------"));
  }

  /** A program of PostgreSQL's or MongoDB's own. */
  private static String run(String... command) throws IOException, InterruptedException {
    Path printed = Files.createTempFile(directory, "printed", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile())
            .start();
    try {
      assertTrue(process.waitFor(2, TimeUnit.MINUTES), () -> command[0] + " hangs");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue(), Files.readString(printed));
    return Files.readString(printed);
  }
}
