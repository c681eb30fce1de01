package org.stellaops.backup.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.Limits;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.BackupSource;

/** One owner, one writer, one directory. */
final class Fixture implements AutoCloseable {
  final Path root;
  final AgeIdentity owner;
  final BackupSink sink;

  Fixture(Path root) throws IOException {
    this.root = root;
    this.owner = AgeIdentity.generate();
    this.sink = DirectorySink.at(root.resolve("repository"));
  }

  BackupPlan.Builder plan(String source, BackupSource what) {
    return BackupPlan.named("test")
        .source(source, what)
        .encryptTo(owner.recipient())
        .writer(keys())
        .limits(Limits.defaults())
        .sink(sink);
  }

  WriterKeyFile keys() {
    return WriterKeyFile.at(root.resolve("writer.key")).named("host-a");
  }

  WriterId writer() throws IOException {
    return keys().id();
  }

  BackupEngine engine(BackupSource source) throws IOException {
    return BackupEngine.open(plan("files", source).build());
  }

  /** What an empty machine has: the location, the identity, and whom to trust. */
  BackupRepository repository() throws IOException {
    return BackupRepository.at(sink).identity(owner).trust(Trust.owner(writer())).open();
  }

  BytesSource.Target restore(SnapshotRef snapshot) throws IOException {
    BytesSource.Target target = new BytesSource.Target();
    try (BackupRepository repository = repository()) {
      RestorePlan plan =
          repository.planRestore(RestoreRequest.of(snapshot).target("files", target));
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
    return target;
  }

  static byte[] random(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Override
  public void close() {
    owner.close();
  }
}
