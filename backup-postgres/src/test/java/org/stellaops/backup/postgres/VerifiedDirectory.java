package org.stellaops.backup.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.stellaops.backup.postgres.internal.manifest.FileContents;
import org.stellaops.backup.postgres.internal.manifest.FileLedger;
import org.stellaops.backup.postgres.internal.manifest.ManifestReader;

/**
 * A data directory in which no server has run yet, compared with its {@code backup_manifest}; as
 * pg_verifybackup does it, without what says how the server is to start.
 */
final class VerifiedDirectory {
  private static final Set<String> IGNORED =
      Set.of("backup_manifest", "postgresql.auto.conf", "recovery.signal", "standby.signal");

  private VerifiedDirectory() {}

  /** What does not fit; follows the links to tablespaces. */
  static List<String> problems(Path data) throws IOException {
    FileLedger ledger = new FileLedger();
    ManifestReader manifest =
        new ManifestReader(
            (path, contents) -> {
              if (!IGNORED.contains(path)) {
                ledger.declare(path, contents);
              }
            });
    byte[] bytes = Files.readAllBytes(data.resolve("backup_manifest"));
    manifest.accept(bytes, 0, bytes.length);
    manifest.finish();
    find(data, "", ledger);
    try (Stream<Path> links = Files.list(data.resolve("pg_tblspc"))) {
      for (Path link : links.filter(Files::isSymbolicLink).toList()) {
        find(Files.readSymbolicLink(link), "pg_tblspc/" + link.getFileName() + "/", ledger);
      }
    }
    return ledger.close();
  }

  private static void find(Path root, String below, FileLedger ledger) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file :
          files.filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS)).toList()) {
        String path = below + root.relativize(file);
        if (!IGNORED.contains(path)) {
          ledger.find(path, contents(file));
        }
      }
    }
  }

  private static FileContents contents(Path file) throws IOException {
    CRC32C crc = new CRC32C();
    byte[] buffer = new byte[1 << 16];
    long bytes = 0;
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        crc.update(buffer, 0, n);
        bytes += n;
      }
    }
    return FileContents.of(bytes, crc);
  }
}
