package org.stellaops.backup.benchmarks;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.storage.s3.S3Sink;

/**
 * The library as a command that backs up to a bucket: {@code backup|idle TREE ENDPOINT BUCKET
 * KEYS}.
 */
final class BucketTool {
  private BucketTool() {}

  public static void main(String[] args) throws Exception {
    List<String> order = List.of(args);
    Path keys = Files.createDirectories(Path.of(order.get(4)));
    Path identityFile = keys.resolve("identity.txt");
    if (!Files.exists(identityFile)) {
      try (AgeIdentity fresh = AgeIdentity.generate()) {
        fresh.writeTo(identityFile);
      }
    }
    try (AgeIdentity identity = AgeIdentity.file(identityFile)) {
      BackupPlan plan =
          BackupPlan.named("benchmark")
              .encryptTo(identity.recipient())
              .writer(WriterKeyFile.at(keys.resolve("writer.key")))
              .sink(
                  S3Sink.bucket(order.get(3))
                      .endpoint(URI.create(order.get(2)))
                      .pathStyle()
                      .credentials(Minio.USER, Secret.of(Minio.PASSWORD)))
              .source("source", FileSource.in(Path.of(order.get(1))).rereading())
              .build();
      try (BackupEngine engine = BackupEngine.open(plan)) {
        if (order.get(0).equals("backup")) {
          engine.backup(BackupRequest.full().named("run-" + System.nanoTime())).requireGood();
        }
      }
    }
  }
}
