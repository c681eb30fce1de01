package org.stellaops.backup.postgres;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.postgres.internal.local.LocalServer;
import org.stellaops.backup.postgres.internal.local.Programs;
import org.stellaops.backup.spi.RestorePlanning;
import org.stellaops.backup.spi.RestoreSession;

/** Starts a restored cluster, waits until it opens, asks whether it is sound, and stops it. */
record ClusterProof(PostgresPrograms programs, PostgresIntegrity integrity) {
  private static final int MAX_FINDINGS_IN_A_MESSAGE = 20;

  void plan(RestorePlanning planning, Path data) throws IOException {
    planning.step("start a private server on " + data + ", check it, stop it", 0);
    try {
      new Programs(programs)
          .requireMajor("postgres", planning.requested().versions().getOrDefault("postgres", ""));
    } catch (BackupException.Refused e) {
      planning.blocker(new Finding(e.code(), programs.directory().toString(), e.detail()));
    }
  }

  void run(Path data, RestoreSession session) throws IOException {
    IntegrityReport report;
    try (LocalServer server = LocalServer.start(programs, data, integrity.superuser())) {
      server.awaitPrimary(integrity.toStart(), session.stopping(), lsn -> {});
      report = integrity.check(server.connection(), session.stopping());
    }
    report.findings().forEach(session::finding);
    if (!report.isSound()) {
      throw new BackupException.Target(
          PostgresFailure.INTEGRITY_BROKEN,
          "check the cluster restored to %s: expected it to be sound, found: %s"
              .formatted(data, worst(report.findings())));
    }
    session.finding(new Finding(PostgresFailure.PROVEN, data.toString(), report.summary()));
  }

  private static String worst(List<Finding> findings) {
    return findings.stream()
        .filter(f -> f.code().severity() == FailureCode.Severity.CRITICAL)
        .limit(MAX_FINDINGS_IN_A_MESSAGE)
        .map(Finding::toString)
        .collect(Collectors.joining("; "));
  }
}
