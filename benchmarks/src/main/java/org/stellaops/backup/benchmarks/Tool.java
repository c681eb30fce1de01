package org.stellaops.backup.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;

/**
 * The library as a command, so that it is measured as its peers are: {@code backup|restore TREE
 * REPOSITORY KEYS}.
 */
final class Tool {
  private Tool() {}

  public static void main(String[] args) throws Exception {
    Path tree = Path.of(args[1]);
    Path repository = Path.of(args[2]);
    Path keys = Path.of(args[3]);
    Path identityFile = keys.resolve("identity.txt");
    if (!Files.exists(identityFile)) {
      try (AgeIdentity fresh = AgeIdentity.generate()) {
        fresh.writeTo(identityFile);
      }
    }
    try (AgeIdentity identity = AgeIdentity.file(identityFile)) {
      if (args[0].equals("backup")) {
        backup(tree, repository, keys, identity);
      } else {
        restore(tree, repository, keys, identity);
      }
    }
  }

  private static void backup(Path tree, Path repository, Path keys, AgeIdentity identity)
      throws Exception {
    BackupPlan plan =
        BackupPlan.named("benchmark")
            .source("tree", FileSource.in(tree))
            .encryptTo(identity.recipient())
            .writer(WriterKeyFile.at(keys.resolve("writer.key")))
            .sink(DirectorySink.at(repository))
            .build();
    try (BackupEngine engine = BackupEngine.open(plan)) {
      engine.backup(BackupRequest.full().named("run-" + System.nanoTime())).requireGood();
    }
  }

  private static void restore(Path tree, Path repository, Path keys, AgeIdentity identity)
      throws Exception {
    Trust trust = Trust.owner(WriterKeyFile.at(keys.resolve("writer.key")).id());
    try (BackupRepository from =
        BackupRepository.at(DirectorySink.at(repository)).identity(identity).trust(trust).open()) {
      RestorePlan plan =
          from.planRestore(
              RestoreRequest.of(SnapshotRef.newest(SnapshotRef.Quality.GOOD))
                  .target("tree", FileTarget.at(tree)));
      from.restore(plan, Confirmation.of(plan.digest()));
    }
  }
}
