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
        "bsdtar",
        "bsondump",
        "jq",
        "mongodump",
        "mongorestore",
        "pg_verifybackup",
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
