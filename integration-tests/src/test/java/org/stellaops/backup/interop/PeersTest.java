package org.stellaops.backup.interop;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tool that is missing fails here by its name, and nothing is skipped for want of it. */
@Tag("interop")
class PeersTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "age",
        "age-keygen",
        "azurite-blob",
        "bsdtar",
        "bsondump",
        "curl",
        "fake-gcs-server",
        "fusefat",
        "jq",
        "losetup",
        "minio",
        "mkfs.exfat",
        "mkfs.ext4",
        "mkfs.vfat",
        "mongodump",
        "mongorestore",
        "mount.exfat-fuse",
        "perl",
        "pg_combinebackup-17",
        "pg_combinebackup-18",
        "pg_dump-15",
        "pg_dump-16",
        "pg_dump-17",
        "pg_dump-18",
        "pg_restore-15",
        "pg_restore-16",
        "pg_restore-17",
        "pg_restore-18",
        "pg_verifybackup",
        "pg_verifybackup-15",
        "pg_verifybackup-16",
        "pg_verifybackup-17",
        "pg_verifybackup-18",
        "sha256sum",
        "ssh-keygen",
        "tar",
        "zstd"
      })
  void a_peer_is_on_the_path(String tool) {
    assertTrue(
        Pattern.compile(File.pathSeparator)
            .splitAsStream(System.getenv("PATH"))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool))),
        tool + " is missing; .ci/peers installs it");
  }
}
