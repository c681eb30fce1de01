package org.stellaops.backup.storage.gcs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.store.RetryPolicy;
import org.stellaops.backup.testkit.FaultyProxy;
import org.stellaops.backup.testkit.ProxyFault;

/** A whole backup over a wire that fails now and then, verified and restored. */
@Tag("interop")
class WholeBackupTest {
  private static final int EVERY = 31;
  private static final SnapshotRef SNAPSHOT = SnapshotRef.named("first");

  @TempDir Path root;

  @Test
  void what_is_backed_up_over_a_bad_wire_comes_back() throws Exception {
    byte[] large = new byte[20 << 20];
    new Random(41).nextBytes(large);
    Path tree = Files.createDirectory(root.resolve("tree"));
    Files.write(tree.resolve("large"), large);
    Files.writeString(tree.resolve("small"), "small");

    int port = FakeGcs.freePort();
    URI address = URI.create("http://127.0.0.1:" + port);
    try (FaultyProxy proxy = FaultyProxy.before(address);
        FakeGcs server = FakeGcs.start(port, proxy.uri());
        AgeIdentity owner = AgeIdentity.generate()) {
      BackupSink sink =
          server
              .newSink()
              .endpoint(proxy.uri())
              .prefix("site-a")
              .partBytes(4 << 20)
              .retry(new RetryPolicy(4, Duration.ZERO, Duration.ZERO));
      // An upload in parts is begun again from its first byte, so faults must be rare.
      proxy.follow(
          request -> request.number() % EVERY == 3 ? ProxyFault.lostReply() : ProxyFault.none());

      backUp(sink, owner, tree);
      Path restored = restore(sink, owner);

      assertArrayEquals(large, Files.readAllBytes(restored.resolve("large")));
      assertFalse(proxy.requests().size() < EVERY, proxy.requests()::toString);
    }
  }

  private void backUp(BackupSink sink, AgeIdentity owner, Path tree) throws IOException {
    BackupPlan plan =
        BackupPlan.named("test")
            .source("files", FileSource.in(tree))
            .encryptTo(owner.recipient())
            .writer(keys())
            .sink(sink)
            .build();
    try (BackupEngine engine = BackupEngine.open(plan)) {
      engine.backup(BackupRequest.full().named("first")).requireGood();
    }
  }

  private Path restore(BackupSink sink, AgeIdentity owner) throws IOException {
    Path restored = root.resolve("restored");
    try (BackupRepository repository =
        BackupRepository.at(sink).identity(owner).trust(Trust.owner(keys().id())).open()) {
      assertTrue(repository.verify(SNAPSHOT, Verification.full(owner)).isIntact());
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(SNAPSHOT).target("files", FileTarget.at(restored)));
      repository.restore(plan, Confirmation.of(plan.digest()));
    }
    return restored;
  }

  private WriterKeyFile keys() {
    return WriterKeyFile.at(root.resolve("writer.key")).named("host-a");
  }
}
