package org.stellaops.backup.benchmarks;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.storage.s3.S3Sink;

/**
 * The library as a command that stores in buckets: {@code idle|backup TREE ENDPOINT BUCKET KEYS},
 * {@code keep TREE DIRECTORY KEYS} for a repository in a directory, {@code copy DIRECTORY ENDPOINT
 * BUCKET KEYS} for a copy of it, or {@code serve} to take such orders one after the other.
 */
final class BucketTool {
  private BucketTool() {}

  public static void main(String[] args) throws Exception {
    if (args[0].equals("serve")) {
      Orders.serve(BucketTool::run);
    } else {
      run(List.of(args));
    }
  }

  private static void run(List<String> order) throws Exception {
    Path keys = Files.createDirectories(Path.of(order.get(order.size() - 1)));
    Path what = Path.of(order.get(1));
    switch (order.get(0)) {
      case "idle" -> backUp(what, bucket(order), keys, false);
      case "backup" -> backUp(what, bucket(order), keys, true);
      case "keep" -> backUp(what, DirectorySink.at(Path.of(order.get(2))), keys, true);
      case "copy" -> copy(what, bucket(order), keys);
      default -> throw new IllegalArgumentException(order.get(0));
    }
  }

  private static S3Sink bucket(List<String> order) {
    return S3Sink.bucket(order.get(3))
        .endpoint(URI.create(order.get(2)))
        .pathStyle()
        .credentials(Minio.USER, Secret.of(Minio.PASSWORD));
  }

  private static void backUp(Path tree, BackupSink sink, Path keys, boolean isRun)
      throws Exception {
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
              .sink(sink)
              .source("source", FileSource.in(tree).rereading())
              .build();
      try (BackupEngine engine = BackupEngine.open(plan)) {
        if (isRun) {
          engine.backup(BackupRequest.full().named("run-" + System.nanoTime())).requireGood();
        }
      }
    }
  }

  private static void copy(Path repository, S3Sink bucket, Path keys) throws Exception {
    Trust trust = Trust.owner(WriterKeyFile.at(keys.resolve("writer.key")).id());
    try (AgeIdentity identity = AgeIdentity.file(keys.resolve("identity.txt"));
        BackupRepository from =
            BackupRepository.at(DirectorySink.at(repository))
                .identity(identity)
                .trust(trust)
                .open()) {
      var report = from.copy(CopyRequest.to(bucket));
      if (!report.findings().isEmpty()) {
        throw new IllegalStateException(report.toString());
      }
    }
  }
}
