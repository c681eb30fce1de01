package org.stellaops.backup.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.Locations;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.ArchivePlan;
import org.stellaops.backup.plan.ArchiveRequest;
import org.stellaops.backup.plan.CopyRequest;
import org.stellaops.backup.retention.PruneRequest;
import org.stellaops.backup.testkit.MemorySink;

/** A machine without catalog and configuration gets everything back from a copy or an archive. */
class EmptyMachineIT {
  @TempDir Path root;
  private final BytesSource first = BytesSource.of("a", Fixture.random(1, 50_000));
  private final BytesSource second =
      BytesSource.of("a", Fixture.random(2, 50_000)).with("empty", new byte[0]);

  private List<String> restored(String role, Path store, String snapshot) throws Exception {
    Path machine = Files.createDirectories(root.resolve("machine-" + role + snapshot));
    List<String> printed =
        ChildJvm.run(
            machine,
            "-Xmx64m",
            EmptyMachine.class,
            store.toUri().toString(),
            root.resolve("owner.txt").toString(),
            root.resolve("signers").toString(),
            snapshot);
    assertEquals(role, printed.get(0));
    return printed.subList(1, printed.size());
  }

  private static List<String> digests(BytesSource source) {
    List<String> digests = new ArrayList<>();
    new TreeMap<>(source.artifacts())
        .forEach((name, bytes) -> digests.add(name + " " + Digest.ofContent(bytes)));
    return digests;
  }

  @Test
  void a_location_an_identity_and_pinned_writers_are_enough() throws Exception {
    Path copy = root.resolve("copy");
    Path archive = root.resolve("archive");
    DirectorySink primary = DirectorySink.at(root.resolve("repository"));
    try (AgeIdentity owner = AgeIdentity.generate()) {
      owner.writeTo(root.resolve("owner.txt"));
      Host host = new Host(root.resolve("host"), owner.recipient(), primary).withKeys();
      Pruning pruning = new Pruning(host).withKeys();
      Files.writeString(root.resolve("signers"), pruning.trust().toAllowedSigners());
      host.backUp(first, "first");
      host.backUp(second, "second");
      try (BackupRepository repository = host.repository(owner)) {
        repository.copy(CopyRequest.to(DirectorySink.at(copy)).only(SnapshotRef.named("second")));
      }
      try (Janitor janitor = pruning.with(9).open()) {
        ArchivePlan plan =
            janitor.planArchive(
                ArchiveRequest.of(
                    PruneRequest.keepLast(1, Long.MAX_VALUE), DirectorySink.at(archive)));
        janitor.archive(plan, Confirmation.of(plan.digest()));
      }
    }
    Files.move(root.resolve("repository"), root.resolve("gone"));
    Files.move(root.resolve("host"), root.resolve("gone-too"));
    assertEquals(digests(second), restored("COPY", copy, "second"));
    assertEquals(digests(first), restored("ARCHIVE", archive, "first"));
  }

  @Test
  void whatever_is_wrong_with_a_location_has_a_code_of_its_own() throws IOException {
    assertEquals(CoreFailure.UNKNOWN_LOCATION, refused("carrier-pigeon://loft/"));
    assertEquals(CoreFailure.CREDENTIALS_UNFIT, refused("s3://bucket/?region=eu-central-1"));
    assertEquals(CoreFailure.UNKNOWN_LOCATION, refused("/var/backups"));
    assertEquals(CoreFailure.UNKNOWN_LOCATION, refused("file:relative"));
    var secret =
        assertThrows(
            BackupException.Refused.class,
            () -> Locations.of(URI.create("s3://key:secret@bucket/")));
    assertTrue(!secret.getMessage().contains("secret"), secret.getMessage());
    var nothing =
        assertThrows(
            BackupException.Refused.class,
            () -> BackupRepository.at(Locations.of(root.toUri())).open());
    assertEquals(CoreFailure.NOT_A_REPOSITORY, nothing.code());
    assertEquals(
        "memory:",
        Locations.of(URI.create("memory:x"), (uri, who) -> Optional.of(new MemorySink()))
            .describe());
  }

  private static Object refused(String uri) {
    return assertThrows(
            BackupException.Refused.class, () -> Locations.of(URI.create(uri)).describe())
        .code();
  }
}
