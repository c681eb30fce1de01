package org.stellaops.backup.postgres;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.FailureCode;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.postgres.internal.local.LocalServer;
import org.stellaops.backup.postgres.internal.local.PageScan;
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
    List<Finding> findings = new ArrayList<>(report.findings());
    String pages = scanPages(data, session, findings);
    findings.forEach(session::finding);
    if (findings.stream().anyMatch(ClusterProof::isCritical)) {
      throw new BackupException.Target(
          PostgresFailure.INTEGRITY_BROKEN,
          "check the cluster restored to %s: expected it to be sound, found: %s"
              .formatted(data, worst(findings)));
    }
    session.finding(
        new Finding(PostgresFailure.PROVEN, data.toString(), report.summary() + "; " + pages));
  }

  /** Also the pages that no query reads; the server is stopped, so nothing writes to them. */
  private static String scanPages(Path data, RestoreSession session, List<Finding> findings)
      throws IOException {
    CapturedSource newest = session.chain().get(session.chain().size() - 1);
    if (!"on".equals(newest.properties().get("data-checksums"))) {
      return "pages have no checksums";
    }
    PageScan scan = new PageScan(data, session.stopping());
    for (String problem : scan.run()) {
      findings.add(
          new Finding(PostgresFailure.PAGE_CHECKSUM, data.toString(), "wrong page: " + problem));
    }
    return scan.pages() + " pages with checksums";
  }

  private static boolean isCritical(Finding finding) {
    return finding.code().severity() == FailureCode.Severity.CRITICAL;
  }

  private static String worst(List<Finding> findings) {
    return findings.stream()
        .filter(ClusterProof::isCritical)
        .limit(MAX_FINDINGS_IN_A_MESSAGE)
        .map(Finding::toString)
        .collect(Collectors.joining("; "));
  }
}
