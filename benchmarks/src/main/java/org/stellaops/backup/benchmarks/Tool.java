package org.stellaops.backup.benchmarks;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.RunningStream;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoSource;
import org.stellaops.backup.mongo.MongoTarget;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.PostgresConnection;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.postgres.PostgresWal;
import org.stellaops.backup.postgres.ServerCompression;
import org.stellaops.backup.spi.BackupSource;
import org.stellaops.backup.spi.RestoreTarget;

/**
 * The library as a command, so that it is measured as its peers are: {@code
 * backup|backup-changed|restore TREE REPOSITORY KEYS}, {@code backup-cluster[-zstd] URL …}, {@code
 * restore-cluster DIRECTORY …}, {@code backup-mongo|restore-mongo URI …}, {@code
 * archive-mongo[-zstd] URI FILE …}, {@code record-wal URL …} until its input ends, or {@code serve}
 * to take such orders one after the other.
 */
final class Tool {
  private static final String SOURCE = "source";

  private Tool() {}

  public static void main(String[] args) throws Exception {
    if (args[0].equals("serve")) {
      Orders.serve(Tool::run);
    } else {
      run(List.of(args));
    }
  }

  private static void run(List<String> order) throws Exception {
    String what = order.get(1);
    Path repository = Path.of(order.get(2));
    Path keys = Path.of(order.get(3));
    Files.createDirectories(keys);
    Path identityFile = keys.resolve("identity.txt");
    if (!Files.exists(identityFile)) {
      try (AgeIdentity fresh = AgeIdentity.generate()) {
        fresh.writeTo(identityFile);
      }
    }
    try (AgeIdentity identity = AgeIdentity.file(identityFile)) {
      switch (order.get(0)) {
        case "backup" ->
            backup(FileSource.in(Path.of(what)).rereading(), repository, keys, identity);
        case "backup-changed" -> backup(FileSource.in(Path.of(what)), repository, keys, identity);
        case "restore" -> restore(FileTarget.at(Path.of(what)), repository, keys, identity);
        case "backup-cluster" -> backup(cluster(what), repository, keys, identity);
        case "backup-cluster-increment" ->
            backUp(cluster(what), BackupRequest.incremental(), repository, keys, identity);
        case "record-wal" -> record(what, repository, keys, identity);
        case "backup-cluster-zstd" ->
            backup(
                cluster(what).serverCompression(ServerCompression.ZSTD),
                repository,
                keys,
                identity);
        case "backup-mongo" -> backup(database(what), repository, keys, identity);
        case "archive-mongo" -> PlainArchive.capture(database(what), repository, false);
        case "archive-mongo-zstd" -> PlainArchive.capture(database(what), repository, true);
        case "restore-mongo" -> {
          try (MongoClient client = MongoClients.create(what)) {
            restore(MongoTarget.into(client, "restored"), repository, keys, identity);
          }
        }
        case "restore-cluster" ->
            restore(PostgresTarget.directory(Path.of(what)), repository, keys, identity);
        default -> throw new IllegalArgumentException(order.get(0));
      }
    }
  }

  /** Of a server that is nothing but a server. */
  private static MongoSource database(String uri) {
    return MongoSource.database(() -> Secret.of(uri), CannedMongo.DB).require(Consistency.NONE);
  }

  /** Of a server that asks for no password. */
  private static PostgresSource cluster(String url) {
    return PostgresSource.physical(PostgresConnection.parse(url, () -> Secret.of("none")));
  }

  private static void backup(BackupSource source, Path repository, Path keys, AgeIdentity identity)
      throws Exception {
    backUp(source, BackupRequest.full(), repository, keys, identity);
  }

  private static void backUp(
      BackupSource source, BackupRequest request, Path repository, Path keys, AgeIdentity identity)
      throws Exception {
    BackupPlan plan = plan(repository, keys, identity).source(SOURCE, source).build();
    try (BackupEngine engine = BackupEngine.open(plan)) {
      engine.backup(request.named("run-" + System.nanoTime())).requireGood();
    }
  }

  /** Until its input ends. */
  private static void record(String url, Path repository, Path keys, AgeIdentity identity)
      throws Exception {
    PostgresConnection connection = PostgresConnection.parse(url, () -> Secret.of("none"));
    BackupPlan plan =
        plan(repository, keys, identity).source(SOURCE, PostgresSource.physical(connection)).stream(
                "wal", PostgresWal.of(connection, "benchmark"))
            .build();
    try (BackupEngine engine = BackupEngine.open(plan);
        RunningStream wal = engine.stream("wal")) {
      while (System.in.read() >= 0) {
        // What is said does not matter.
      }
      System.out.println("  " + wal.status());
    }
  }

  private static BackupPlan.Builder plan(Path repository, Path keys, AgeIdentity identity)
      throws Exception {
    return BackupPlan.named("benchmark")
        .encryptTo(identity.recipient())
        .writer(WriterKeyFile.at(keys.resolve("writer.key")))
        .sink(DirectorySink.at(repository));
  }

  private static void restore(
      RestoreTarget target, Path repository, Path keys, AgeIdentity identity) throws Exception {
    Trust trust = Trust.owner(WriterKeyFile.at(keys.resolve("writer.key")).id());
    try (BackupRepository from =
        BackupRepository.at(DirectorySink.at(repository)).identity(identity).trust(trust).open()) {
      RestorePlan plan =
          from.planRestore(
              RestoreRequest.of(SnapshotRef.newest(SnapshotRef.Quality.GOOD))
                  .target(SOURCE, target));
      from.restore(plan, Confirmation.of(plan.digest()));
    }
  }
}
