package org.stellaops.backup.engine;

import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Locations;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;

/**
 * A process that has nothing but a URI, the file of an identity and pinned writers, and restores;
 * it prints what it got.
 */
final class EmptyMachine {
  private EmptyMachine() {}

  /** Directory, URI, identity file, allowed signers, name of the snapshot. */
  public static void main(String... arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    Trust trust = Trust.allowedSigners(Files.readString(Path.of(arguments[3])));
    try (AgeIdentity identity = AgeIdentity.file(Path.of(arguments[2]));
        BackupRepository repository =
            BackupRepository.at(Locations.of(URI.create(arguments[1])))
                .identity(identity)
                .trust(trust)
                .open()) {
      BytesSource.Target target = new BytesSource.Target();
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named(arguments[4])).target(Host.SOURCE, target));
      repository.restore(plan, Confirmation.of(plan.digest()));
      out.println(repository.role());
      new TreeMap<>(target.restored)
          .forEach((name, bytes) -> out.println(name + " " + Digest.ofContent(bytes)));
    }
  }
}
