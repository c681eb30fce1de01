package org.stellaops.backup.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.evidence.EvidenceSource;
import org.stellaops.backup.evidence.EvidenceTarget;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.plan.Verification;
import org.stellaops.backup.secrets.SecretSource;
import org.stellaops.backup.secrets.SecretTarget;

/**
 * Backs up twice, verifies and restores below a directory, while another thread looks at the modes
 * of everything there. Prints every path that somebody else could open at any moment.
 */
final class UnderUmaskZero {
  private final Path root;
  private final Set<String> open = new ConcurrentSkipListSet<>();
  private volatile boolean isDone;

  private UnderUmaskZero(Path root) {
    this.root = root;
  }

  public static void main(String[] arguments) throws Exception {
    var child = new UnderUmaskZero(Path.of(arguments[0]));
    Thread watching = new Thread(child::watch);
    watching.start();
    child.run();
    child.isDone = true;
    watching.join();
    child.look();
    new TreeSet<>(child.open).forEach(System.out::println);
  }

  private void watch() {
    while (!isDone) {
      look();
    }
  }

  private void look() {
    try (Stream<Path> paths = Files.walk(root)) {
      paths.forEach(this::look);
    } catch (UncheckedIOException | IOException e) {
      // What is walked over comes and goes; the next look sees the rest.
      return;
    }
  }

  private void look(Path path) {
    try {
      String mode =
          PosixFilePermissions.toString(
              Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
      if (!mode.endsWith("------")) {
        open.add(root.relativize(path) + " " + mode);
      }
    } catch (NoSuchFileException e) {
      return;
    } catch (IOException e) {
      open.add(path + " " + e);
    }
  }

  private void run() throws Exception {
    try (AgeIdentity owner = AgeIdentity.generate()) {
      owner.writeTo(root.resolve("owner.txt"));
      BackupPlan plan =
          BackupPlan.named("test")
              .source("files", FileSource.in(root.resolve("tree")))
              .source("secrets", SecretSource.dotenv(root.resolve("tree/.env")))
              .source("evidence", EvidenceSource.directory(root.resolve("evidence")))
              .encryptTo(owner.recipient())
              .writer(WriterKeyFile.at(root.resolve("writer.key")))
              .sink(DirectorySink.at(root.resolve("repository")))
              .build();
      try (BackupEngine engine =
          BackupEngine.with(plan).workspace(root.resolve("workspace")).open()) {
        engine.backup(BackupRequest.full()).requireGood();
        Files.delete(root.resolve("tree/gone"));
        var second = engine.backup(BackupRequest.incremental()).requireGood();
        engine.verify(second.snapshot(), Verification.full(owner));
        RestorePlan restore =
            engine.planRestore(
                RestoreRequest.of(second.snapshot())
                    .with(owner)
                    .target("files", FileTarget.at(root.resolve("restored")))
                    .target("secrets", SecretTarget.dotenv(root.resolve("restored.env")))
                    .target("evidence", EvidenceTarget.directory(root.resolve("locker"))));
        engine.restore(restore, Confirmation.of(restore.digest()));
      }
    }
  }
}
