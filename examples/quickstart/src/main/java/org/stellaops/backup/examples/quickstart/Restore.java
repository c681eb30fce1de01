package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.evidence.EvidenceTarget;
import org.stellaops.backup.files.DirectoryLocation;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.RestoreReport;
import org.stellaops.backup.model.Secret;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.mongo.MongoTarget;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.postgres.PostgresTarget;
import org.stellaops.backup.secrets.SecretTarget;

/**
 * Restores the newest good snapshot on an empty machine. Arguments: the repository, the owner's
 * identity file, the file of allowed signers, the directory to restore to, and the port of an empty
 * MongoDB.
 */
public final class Restore {
  private Restore() {}

  /** Ends with 0 if everything is restored, with 1 and a message if not. */
  public static void main(String... arguments) {
    try {
      restore(
          Path.of(arguments[0]),
          Path.of(arguments[1]),
          Path.of(arguments[2]),
          Place.in(Path.of(arguments[3])),
          Integer.parseInt(arguments[4]));
    } catch (IOException e) {
      System.out.println("  FAILED: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void restore(
      Path repository, Path identity, Path allowedSigners, Place to, int mongoPort)
      throws IOException {
    Trust trust = Trust.allowedSigners(Files.readString(allowedSigners));
    try (AgeIdentity owner = AgeIdentity.file(identity);
        BackupRepository backups =
            BackupRepository.at(DirectoryLocation.at(repository))
                .identity(owner)
                .trust(trust)
                .listener(ProgressLine.onConsole())
                .open()) {
      RestorePlan plan = backups.planRestore(everything(to, mongoPort));
      System.out.println(shortened(plan.describe(), to).indent(2));
      report(backups.restore(plan, consent(plan)));
    }
  }

  private static RestoreRequest everything(Place to, int mongoPort) {
    return RestoreRequest.of(SnapshotRef.newest(SnapshotRef.Quality.GOOD))
        .target("database", PostgresTarget.directory(to.database()))
        .target("issuers", MongoTarget.into(() -> mongo(mongoPort), Documents.NAME))
        .target("evidence", EvidenceTarget.directory(to.locker()))
        .target("config", FileTarget.at(to.etc()))
        .target("secrets", SecretTarget.dotenv(to.secrets()));
  }

  private static Secret mongo(int port) {
    return Secret.of(Documents.connectionString(port));
  }

  private static String shortened(String description, Place to) {
    return description.replace(to.root() + "/", "");
  }

  /** A person reads the plan and gives its digest back; here nobody is asked. */
  private static Confirmation consent(RestorePlan shown) throws BackupException {
    return Confirmation.of(shown.digest()).by("quickstart", "everything was destroyed");
  }

  private static void report(RestoreReport done) {
    System.out.printf("  restored %s in %s%n", Sizes.bytes(done.bytes()), Sizes.time(done.took()));
    done.findings().forEach(finding -> System.out.println("  note: " + finding));
  }
}
