package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.evidence.EvidenceSource;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoSource;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.postgres.PostgresSource;
import org.stellaops.backup.secrets.SecretSource;

/**
 * The main job: a system is backed up, verified, destroyed, restored by another process and
 * compared with what was written down before. {@code --keep} leaves everything to be looked at.
 */
public final class Quickstart {
  private static final String OK = "OK: everything came back";
  private static final String DIFFERENT = "DIFFERENT";

  private final Place host;
  private final Place newHost;
  private final Path repository;
  private final Path programs;
  private final Safe safe;

  private Quickstart(Path root) throws IOException {
    this.host = Place.in(root.resolve("host"));
    this.newHost = Place.in(root.resolve("new-host"));
    this.repository = root.resolve("repository");
    this.programs = Files.createDirectory(root.resolve("programs"));
    this.safe = Safe.make(root.resolve("safe"));
  }

  /** Ends with 0 if everything came back, and with 1 if not. */
  public static void main(String... arguments) {
    String verdict;
    try {
      verdict =
          runIn(Files.createTempDirectory("quickstart-"), List.of(arguments)) ? OK : DIFFERENT;
    } catch (Exception e) {
      verdict = "FAILED: " + Optional.ofNullable(e.getMessage()).orElse(e.toString());
    }
    System.out.println();
    System.out.println(verdict);
    System.exit(verdict.equals(OK) ? 0 : 1);
  }

  private static boolean runIn(Path root, List<String> options) throws Exception {
    try {
      return new Quickstart(root).run();
    } finally {
      if (options.contains("--keep")) {
        System.out.println("  kept: " + root);
      } else {
        FileTree.delete(root);
      }
    }
  }

  private boolean run() throws Exception {
    try (LiveSystem system = LiveSystem.start(host, programs, Documents.start())) {
      backUpTwice(system);
      destroy(system);
    }
    try (Documents empty = Documents.start()) {
      restore(empty.port());
      try (LiveSystem restored = LiveSystem.start(newHost, programs, empty)) {
        return compare(restored.fingerprints());
      }
    }
  }

  private void backUpTwice(LiveSystem system) throws Exception {
    Screen.step("1. A system is alive in " + host.root());
    Locker locker = make(system);
    Screen.show(system.fingerprints());

    Screen.step("2. It is backed up to " + repository);
    try (BackupEngine engine =
        BackupEngine.with(plan(system))
            .workspace(host.workspace())
            .listener(ProgressLine.onConsole())
            .open()) {
      Screen.show(engine.backup(BackupRequest.full().named("first")));

      Screen.step("3. The day goes on, and a second snapshot is taken");
      system.database().change();
      system.documents().change();
      locker.change();
      Settings.change(host.configuration());
      writeDown(system.fingerprints());
      BackupReport second = engine.backup(BackupRequest.incremental().named("second"));
      Screen.show(second);

      Screen.step("4. What is stored is verified, without a private key");
      Screen.show(engine.verify(second.snapshot()));
    }
    safe.pin(WriterKeyFile.at(host.writerKey()).id());
  }

  private void writeDown(List<Fingerprint> fingerprints) throws IOException {
    Fingerprint.write(fingerprints, safe.writtenDown());
    System.out.printf("  written down: %d digests%n", fingerprints.size());
  }

  private static Locker make(LiveSystem system) throws Exception {
    system.database().fill();
    system.documents().fill();
    Settings.make(system.place());
    return Locker.make(system.place().locker());
  }

  private BackupPlan plan(LiveSystem system) {
    return BackupPlan.named("stella")
        .source("database", PostgresSource.physical(system.database().connection()))
        .source(
            "issuers",
            // A replica set would give one moment of all collections; this is a single server.
            MongoSource.database(system.documents().client(), Documents.NAME)
                .require(Consistency.NONE))
        .source("evidence", EvidenceSource.directory(host.locker()).indexedBy("database"))
        .source("config", FileSource.in(host.etc()).required(Settings.CONFIGURATION))
        .source("secrets", SecretSource.dotenv(host.secrets(), Settings.SECRET))
        .encryptTo(safe.owner(), safe.escrow())
        .writer(WriterKeyFile.at(host.writerKey()).named("quickstart"))
        .sink(DirectorySink.at(repository))
        .build();
  }

  private void destroy(LiveSystem system) throws Exception {
    Screen.step("5. Everything is destroyed");
    system.documents().drop();
    system.close();
    TextTable gone = new TextTable("<<").row("MongoDB " + Documents.NAME, "dropped");
    for (Path path : host.everything()) {
      long files = FileTree.delete(path);
      gone.row(path.getFileName().toString(), "deleted, " + Sizes.count(files, "files"));
    }
    System.out.print(gone.row("left", "the repository and the safe"));
  }

  private void restore(int mongoPort) throws Exception {
    Screen.step("6. Another JVM restores; all it has is the repository and the owner's safe");
    int exit =
        SecondJvm.run(
            Restore.class,
            repository.toString(),
            safe.identity().toString(),
            safe.allowedSigners().toString(),
            newHost.root().toString(),
            Integer.toString(mongoPort));
    if (exit != 0) {
      throw new IOException("the restore ended with " + exit);
    }
  }

  private boolean compare(List<Fingerprint> after) throws IOException {
    Screen.step("7. What runs on it now is compared with what was written down");
    List<Fingerprint> before = Fingerprint.read(safe.writtenDown());
    Screen.show(before, after);
    return before.equals(after);
  }
}
