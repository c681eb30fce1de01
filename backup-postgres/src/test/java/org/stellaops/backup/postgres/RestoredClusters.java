package org.stellaops.backup.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.stream.Stream;
import org.stellaops.backup.postgres.fixture.PostgresBinaries;

/** Programs of the test servers, and copies of clusters that lie still. */
final class RestoredClusters {
  private RestoredClusters() {}

  /** Root starts a server in a user namespace, as the fixture does. */
  static PostgresPrograms programs(int major) throws IOException {
    PostgresPrograms bare = PostgresPrograms.in(PostgresBinaries.of(major).home().resolve("bin"));
    return isRoot() ? bare.launchedBy("unshare", "-U") : bare;
  }

  static boolean isRoot() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }

  /** A copy of a tree with its modes. */
  static Path copy(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Files.copy(path, to.resolve(from.relativize(path)), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    return to;
  }
}
