package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.evidence.EvidenceSource;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.BackupReport;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.VerificationReport;
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
  private final Path root;
  private final Place host;
  private final Place newHost;
  private final Path repository;
  private final Path programs;
  private final Safe safe;

  private Quickstart(Path root) throws IOException {
    this.root = root;
    this.host = Place.in(root.resolve("host"));
    this.newHost = Place.in(root.resolve("new-host"));
    this.repository = root.resolve("repository");
    this.programs = Files.createDirectory(root.resolve("programs"));
    this.safe = Safe.make(root.resolve("safe"));
  }

  /** Ends with 0 if everything came back, and with 1 if not. */
  public static void main(String... arguments) {
    boolean isEverythingBack = false;
    try {
      Path root = Files.createTempDirectory("quickstart-");
      try {
        isEverythingBack = new Quickstart(root).run();
      } finally {
        if (List.of(arguments).contains("--keep")) {
          System.out.println("  kept: " + root);
        } else {
          FileTree.delete(root);
        }
      }
    } catch (Exception e) {
      System.out.println("  FAILED: " + e.getMessage());
    }
    System.out.println();
    System.out.println(isEverythingBack ? "OK: everything came back" : "DIFFERENT");
    System.exit(isEverythingBack ? 0 : 1);
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
    step("1. A system is alive in " + host.root());
    Locker locker = make(system);
    show(system.fingerprints());

    step("2. It is backed up to " + repository);
    try (BackupEngine engine =
        BackupEngine.with(plan(system))
            .workspace(host.workspace())
            .listener(ProgressLine.onConsole())
            .open()) {
      show(engine.backup(BackupRequest.full().named("first")));

      step("3. The day goes on, and a second snapshot is taken");
      system.database().change();
      system.documents().change();
      locker.change();
      Settings.change(host.configuration());
      Fingerprint.write(system.fingerprints(), safe.writtenDown());
      BackupReport second = engine.backup(BackupRequest.incremental().named("second"));
      show(second);

      step("4. What is stored is verified; nobody here has a private key");
      show(engine.verify(second.snapshot()));
    }
    safe.pin(WriterKeyFile.at(host.writerKey()).id());
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
        .source("issuers", MongoSource.database(system.documents().client(), Documents.NAME))
        .source("evidence", EvidenceSource.directory(host.locker()).indexedBy("database"))
        .source("config", FileSource.in(host.etc()).required(Settings.CONFIGURATION))
        .source("secrets", SecretSource.dotenv(host.secrets(), Settings.SECRET))
        .encryptTo(safe.owner(), safe.escrow())
        .writer(WriterKeyFile.at(host.writerKey()).named("quickstart"))
        .sink(DirectorySink.at(repository))
        .build();
  }

  private void destroy(LiveSystem system) throws Exception {
    step("5. Everything is destroyed");
    system.documents().drop();
    system.close();
    TextTable gone = new TextTable("<<");
    gone.row("MongoDB " + Documents.NAME, "dropped");
    for (Path path :
        List.of(
            host.database(),
            host.locker(),
            host.etc(),
            host.secrets(),
            host.writerKey(),
            host.workspace())) {
      gone.row(
          host.root().relativize(path).toString(),
          "deleted, " + Sizes.count(FileTree.delete(path), "files"));
    }
    System.out.print(gone);
  }

  private void restore(int mongoPort) throws Exception {
    step("6. Another JVM restores; all it has is the repository and the owner's safe");
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
    step("7. What runs on it now is compared with what was written down");
    List<Fingerprint> before = Fingerprint.read(safe.writtenDown());
    TextTable table = new TextTable("<>><").row("", "before", "after", "");
    for (int i = 0; i < before.size(); i++) {
      boolean isEqual = before.get(i).equals(after.get(i));
      table.row(
          before.get(i).what(),
          before.get(i).shown(),
          after.get(i).shown(),
          isEqual ? "equal" : "DIFFERENT");
    }
    System.out.print(table);
    return before.equals(after);
  }

  private static void step(String what) {
    System.out.println();
    System.out.println(what);
  }

  private static void show(List<Fingerprint> fingerprints) {
    TextTable table = new TextTable("<>");
    fingerprints.forEach(f -> table.row(f.what(), f.extent()));
    System.out.print(table);
  }

  private static void show(BackupReport report) {
    TextTable table = new TextTable("<<<<>>>");
    table.row("source", "component", "kind", "outcome", "captured", "stored", "new");
    for (CaptureHeader capture : report.captures()) {
      table.row(
          capture.source().value(),
          capture.component().value(),
          capture.kind().value(),
          capture.outcome().name(),
          Sizes.bytes(capture.plainBytes()),
          Sizes.bytes(capture.storedBytes()),
          Sizes.bytes(capture.newBytes()));
    }
    long stored = report.captures().stream().mapToLong(CaptureHeader::storedBytes).sum();
    table.row(
        "",
        "",
        "",
        report.outcome().name(),
        Sizes.bytes(report.plainBytes()),
        Sizes.bytes(stored),
        Sizes.bytes(report.newBytes()));
    System.out.println();
    System.out.print(table);
    report.findings().forEach(finding -> System.out.println("  note: " + finding));
    System.out.printf("  snapshot %s in %s%n", report.name().value(), Sizes.time(report.took()));
  }

  private static void show(VerificationReport report) {
    System.out.printf(
        "  %s: signature, chain and every stored byte (%s, %s)%n",
        report.verdict(), Sizes.count(report.objects(), "objects"), Sizes.bytes(report.bytes()));
  }
}
