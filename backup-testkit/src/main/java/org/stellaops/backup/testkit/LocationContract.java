package org.stellaops.backup.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.BackupRepository;
import org.stellaops.backup.Locations;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.files.FileTarget;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.plan.RestorePlan;
import org.stellaops.backup.plan.RestoreRequest;
import org.stellaops.backup.spi.StoreCredentials;
import org.stellaops.backup.spi.WriterKeyring;
import org.stellaops.backup.spi.WriterKeys;

/**
 * What every {@link org.stellaops.backup.spi.LocationProvider} that a module brings has to do: an
 * empty machine with a URI, credentials, an identity and pinned writers gets everything back; and
 * nothing that may be a secret is repeated. A subclass says where, and makes keys.
 */
public abstract class LocationContract {
  private static final int BYTES = 300_000;
  private static final long LIMIT_SECONDS = 300;

  @TempDir private Path directory;

  /** For subclasses. */
  protected LocationContract() {}

  /** A place that nothing is in, by its URI, with a folder. */
  protected abstract URI newLocation() throws Exception;

  /** Who may read and write there. */
  protected abstract StoreCredentials credentials();

  /** Credentials of a kind that this kind of store does not take. */
  protected abstract StoreCredentials unfit();

  /**
   * Both halves of an owner's key.
   *
   * @param file the identity is written there, as stock tools read it
   */
  protected abstract KeyPair newOwner(Path file) throws Exception;

  /** The keys of a writer, kept in a file. */
  protected abstract WriterKeyring writer(Path file, String name);

  /** Everything that is left when a host is gone. */
  private record Left(URI uri, KeyPair owner, Path identity, Trust trust, Digest content) {}

  @Test
  void an_empty_machine_gets_everything_back_by_a_uri() throws Exception {
    Left left = backUpAndLoseTheHost();
    try (var identity = left.owner().identity();
        BackupRepository repository =
            BackupRepository.at(Locations.of(left.uri(), credentials()))
                .identity(identity)
                .trust(left.trust())
                .open()) {
      assertEquals(Verdict.INTACT, repository.verify(SnapshotRef.named("first")).verdict());
      Path target = directory.resolve("target");
      RestorePlan plan =
          repository.planRestore(
              RestoreRequest.of(SnapshotRef.named("first")).target("files", FileTarget.at(target)));

      repository.restore(plan, Confirmation.of(plan.digest()));

      assertEquals(left.content(), Digest.ofContent(Files.readAllBytes(target.resolve("file"))));
    }
  }

  @Test
  void what_a_location_does_not_take_is_refused_and_no_secret_repeated() throws Exception {
    URI uri = newLocation();
    assertEquals(CoreFailure.CREDENTIALS_UNFIT, refused(uri, unfit()));
    assertEquals(CoreFailure.CREDENTIALS_UNFIT, refused(uri, StoreCredentials.none()));
    assertEquals(CoreFailure.LOCATION_REFUSED, refused(with(uri, "colour=S3CR3T"), credentials()));
    assertEquals(
        CoreFailure.SECRET_IN_LOCATION, refused(with(uri, "secret-key=S3CR3T"), credentials()));
    assertEquals(
        CoreFailure.SECRET_IN_LOCATION,
        refused(with(uri, "endpoint=https://u:S3CR3T@host"), credentials()));
    assertEquals(
        CoreFailure.SECRET_IN_LOCATION,
        refused(URI.create(uri.getScheme() + "://u:S3CR3T@bucket/folder"), credentials()));
    assertEquals(
        CoreFailure.LOCATION_REFUSED,
        refused(URI.create(uri.getScheme() + ":///S3CR3T"), credentials()));
    assertEquals(
        CoreFailure.LOCATION_REFUSED,
        refused(URI.create(uri.getScheme() + "://u:S3C/R3T"), credentials()));
  }

  /**
   * Backs up, fetches everything with a tool of somebody else's, and gets it back with {@code
   * recover.sh}. For subclasses where there is such a tool.
   *
   * @param command which brings what lies at the location into the folder {@code fetched}, which it
   *     is started beside
   * @param environment of the command, which sees {@code PATH} and nothing else of this process's
   */
  protected final void requireRecoveredWithStockTools(
      ThrowingFunction<URI, List<String>> command, Map<String, String> environment)
      throws Exception {
    Left left = backUpAndLoseTheHost();
    left.owner().identity().close();
    Path signers = directory.resolve("allowed_signers");
    Files.writeString(signers, left.trust().toAllowedSigners());

    run(environment, command.apply(left.uri()));
    String listed = run(Map.of(), List.of("bash", "fetched/recover.sh", "list"));
    run(
        Map.of(),
        List.of(
            "bash",
            "fetched/recover.sh",
            "extract",
            listed.split(" ", 2)[0],
            left.identity().toString(),
            directory.resolve("out").toString(),
            signers.toString()));
    run(Map.of(), List.of("tar", "-xf", "out/files/files.tar"));

    assertTrue(listed.contains("first"), listed);
    assertEquals(left.content(), Digest.ofContent(Files.readAllBytes(directory.resolve("file"))));
  }

  /** A function that may fail. */
  @FunctionalInterface
  protected interface ThrowingFunction<T, R> {
    /** Applies it. */
    R apply(T argument) throws Exception;
  }

  private Left backUpAndLoseTheHost() throws Exception {
    Path host = Files.createDirectory(directory.resolve("host"));
    Path identity = directory.resolve("owner.txt");
    KeyPair owner = newOwner(identity);
    WriterKeyring keyring = writer(host.resolve("writer.key"), "host-a");
    byte[] content = SeededBytes.of(5, BYTES);
    Files.createDirectory(host.resolve("tree"));
    Files.write(host.resolve("tree").resolve("file"), content);
    URI uri = newLocation();
    BackupPlan plan =
        BackupPlan.named("test")
            .source("files", FileSource.in(host.resolve("tree")))
            .encryptTo(owner.recipient())
            .writer(keyring)
            .sink(Locations.sink(uri, credentials()))
            .build();
    try (BackupEngine engine =
        BackupEngine.with(plan).workspace(host.resolve("workspace")).open()) {
      engine.backup(BackupRequest.full().named("first")).requireGood();
    }
    try (WriterKeys keys = keyring.open()) {
      Trust trust = Trust.owner(keys.id());
      remove(host);
      return new Left(uri, owner, identity, trust, Digest.ofContent(content));
    }
  }

  private static void remove(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
    assertFalse(Files.exists(tree));
  }

  private static URI with(URI uri, String setting) {
    return URI.create(uri + (uri.toString().contains("?") ? "&" : "?") + setting);
  }

  private static Object refused(URI uri, StoreCredentials credentials) {
    var e =
        assertThrows(
            BackupException.Refused.class, () -> Locations.of(uri, credentials), uri::toString);
    String message = String.valueOf(e.getMessage());
    assertFalse(message.contains("S3C"), message);
    assertFalse(message.contains("R3T"), message);
    return e.code();
  }

  private String run(Map<String, String> environment, List<String> command) throws Exception {
    Path printed = Files.createTempFile(directory, "printed", ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(printed.toFile());
    String path = System.getenv("PATH");
    builder.environment().clear(); // tools of clouds find much there
    builder.environment().putAll(Map.of("PATH", path, "HOME", directory.toString()));
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    try {
      assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), () -> command + " hangs");
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(printed);
    assertEquals(0, process.exitValue(), () -> command + ": " + text);
    return text;
  }
}
