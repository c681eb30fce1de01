package org.stellaops.backup.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stellaops.backup.BackupEngine;
import org.stellaops.backup.bundle.HandMadeBackup;
import org.stellaops.backup.bundle.TarballReport;
import org.stellaops.backup.bundle.TarballRequest;
import org.stellaops.backup.crypto.AgeIdentity;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.files.DirectorySink;
import org.stellaops.backup.files.FileSource;
import org.stellaops.backup.model.SnapshotRef;
import org.stellaops.backup.plan.BackupPlan;
import org.stellaops.backup.plan.BackupRequest;
import org.stellaops.backup.secrets.SecretSource;

/** The commands of the Issuer Directory's runbook, in both directions. */
@Tag("interop")
class HandMadeBackupIT {
  @TempDir Path directory;

  private AgeIdentity owner;

  @BeforeEach
  void makeIdentity() throws Exception {
    owner = AgeIdentity.generate();
    owner.writeTo(directory.resolve("owner.txt"));
  }

  @AfterEach
  void close() {
    owner.close();
  }

  private String bash(String commands) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(StockTools.find("bash").toString(), "-euc", commands)
            .directory(directory.toFile())
            .redirectErrorStream(true);
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), said);
    return said;
  }

  /** As it stands in the runbook, from the fourth step on, of files that the others would make. */
  private void makeByHand() throws Exception {
    bash(
        """
        BACKUP_DIR=backup/issuer-directory/2026-11-20T020000
        mkdir -p "$BACKUP_DIR"
        printf 'm\\342\\231\\201 a dump' | gzip > "$BACKUP_DIR/issuer-directory-20261120T020000Z.gz"
        printf 'workers: 4\\n' > "$BACKUP_DIR/issuer-directory.yaml"
        printf '[]' > "$BACKUP_DIR/csaf-publishers.json"
        printf 'ISSUER_DIRECTORY_MONGO_CONNECTION_STRING=mongodb://x\\nOTHER=1\\n' > dev.env
        grep '^ISSUER_DIRECTORY_MONGO_CONNECTION_STRING=' dev.env > "$BACKUP_DIR/issuer-directory.mongo.secret"
        chmod 600 "$BACKUP_DIR/issuer-directory.mongo.secret"
        (cd "$BACKUP_DIR" && sha256sum * > SHA256SUMS)
        tar czf "$BACKUP_DIR.tar.gz" -C "$BACKUP_DIR" .
        age -r %s "$BACKUP_DIR.tar.gz" > "$BACKUP_DIR.tar.gz.age"
        age -a -r %s "$BACKUP_DIR.tar.gz" > "$BACKUP_DIR.armored"
        """
            .formatted(owner.recipient().text(), owner.recipient().text()));
  }

  @Test
  void what_was_made_by_hand_is_unpacked_and_compared() throws Exception {
    makeByHand();
    for (String ending : List.of(".tar.gz", ".tar.gz.age", ".armored")) {
      Path made = directory.resolve("backup/issuer-directory/2026-11-20T020000" + ending);
      Path out = directory.resolve("out" + ending);

      TarballReport report = HandMadeBackup.at(made).unpack(out, 1 << 20, owner);

      assertEquals(List.of(), report.findings(), ending);
      TreeMap<String, TarballReport.Kind> kinds = new TreeMap<>();
      report.members().forEach(m -> kinds.put(m.name(), m.kind()));
      assertEquals(
          "{csaf-publishers.json=FILE, issuer-directory-20261120T020000Z.gz=MONGODUMP_ARCHIVE_GZIP,"
              + " issuer-directory.mongo.secret=FILE, issuer-directory.yaml=FILE}",
          kinds.toString());
      assertEquals("", bash("diff -r backup/issuer-directory/2026-11-20T020000 out" + ending));
    }
  }

  @Test
  void the_cold_backup_of_a_volume_has_no_digests_and_says_so() throws Exception {
    bash(
        """
        mkdir -p data/db/deep
        printf wired > data/db/WiredTiger.wt
        printf x > "data/db/deep/a name with blanks and a very long tail %s"
        tar czf mongo-data-20261120.tar.gz -C data .
        """
            .formatted("x".repeat(150)));
    TarballReport report =
        HandMadeBackup.at(directory.resolve("mongo-data-20261120.tar.gz"))
            .unpack(directory.resolve("out"), 1 << 20);
    assertEquals(2, report.findings().size());
    assertEquals("", bash("diff -r data out"));
  }

  @Test
  void an_export_is_opened_by_the_commands_of_the_runbook() throws Exception {
    byte[] dump = "m\u00e2\u0099\u0081 a dump".getBytes(StandardCharsets.ISO_8859_1);
    bash("mkdir etc; printf 'workers: 4\\n' > etc/issuer-directory.yaml; printf 'S=1\\n' > .env");
    try (BackupEngine engine =
        BackupEngine.open(
            BackupPlan.named("issuer-directory")
                .source("database", new Blobs().with("issuer-directory.archive", dump))
                .source("config", FileSource.in(directory.resolve("etc")))
                .source("secrets", SecretSource.dotenv(directory.resolve(".env"), "S"))
                .encryptTo(owner.recipient())
                .writer(WriterKeyFile.at(directory.resolve("writer.key")).named("host-a"))
                .sink(DirectorySink.at(directory.resolve("repository")))
                .build())) {
      engine.backup(BackupRequest.full().named("nightly"));
      engine.exportTarball(
          TarballRequest.encrypted(
                  SnapshotRef.named("nightly"),
                  directory.resolve("latest-full.tar.gz"),
                  owner.recipient())
              .with(owner)
              .named("secrets", "secrets.env", "issuer-directory.mongo.secret"));
    }

    String said =
        bash(
            """
            mkdir restored
            age -d -i owner.txt latest-full.tar.gz | tar xzf - -C restored
            cd restored && sha256sum -c --strict SHA256SUMS && gunzip < issuer-directory-*.gz > ../dump
            sha256sum $(ls | grep -v SHA256SUMS) | cmp - SHA256SUMS
            """);

    assertTrue(said.contains("issuer-directory.yaml: OK"), said);
    assertArrayEquals(dump, Files.readAllBytes(directory.resolve("dump")));
    assertEquals(
        "S=1\n", Files.readString(directory.resolve("restored/issuer-directory.mongo.secret")));
  }
}
