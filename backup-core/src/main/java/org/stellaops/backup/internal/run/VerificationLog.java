package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.model.Digest;
import org.stellaops.backup.model.SnapshotSummary;
import org.stellaops.backup.model.SnapshotSummary.VerificationRecord;
import org.stellaops.backup.model.VerificationReport;
import org.stellaops.backup.model.VerificationReport.Depth;
import org.stellaops.backup.model.VerificationReport.Verdict;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Signed records of what verifications measured, in the log {@code verify}: {@code
 * <writer>/<sequence> <digest of the entry> <depth> <verdict>}.
 */
final class VerificationLog {
  private static final String KIND = "verify";
  private static final String FIELD = "verified";
  private static final Pattern RECORD =
      Pattern.compile(
          "\\S+ ([0-9a-f]{64}) (stored|full) (intact|intact_unauthenticated|damaged|unknown)");

  private VerificationLog() {}

  /** Leaves a record. */
  static void write(
      Context context,
      Repository repository,
      WriterKeys keys,
      SnapshotSummary snapshot,
      VerificationReport report)
      throws IOException {
    String words =
        "%s/%d %s %s %s"
            .formatted(
                snapshot.writer(),
                snapshot.sequence(),
                snapshot.entry(),
                report.depth().name().toLowerCase(Locale.ROOT),
                report.verdict().name().toLowerCase(Locale.ROOT));
    repository.commit(
        Names.VERIFY,
        keys,
        context.random(),
        now -> Optional.of(new Entry.Draft(KIND).field(FIELD, words)));
  }

  /**
   * The newest trusted record of each entry, by the digest of the entry that was verified: so that
   * a record says nothing about any other bytes.
   */
  static Map<Digest, VerificationRecord> read(List<LogView> logs) {
    Map<Digest, VerificationRecord> verified = new HashMap<>();
    for (LogView log : logs) {
      if (log.log().equals(Names.VERIFY)) {
        log.entries().stream()
            .filter(s -> s.isTrusted() && s.entry().kind().equals(KIND))
            .forEach(s -> read(s.entry(), verified));
      }
    }
    return verified;
  }

  /** A record that cannot be read, a newer version's for one, says nothing to us. */
  private static void read(Entry entry, Map<Digest, VerificationRecord> verified) {
    Matcher words = RECORD.matcher(entry.field(FIELD).orElse(""));
    if (words.matches() && entry.required().isEmpty()) {
      verified.put(
          Digest.parse(words.group(1)),
          new VerificationRecord(
              entry.time(),
              Depth.valueOf(words.group(2).toUpperCase(Locale.ROOT)),
              Verdict.valueOf(words.group(3).toUpperCase(Locale.ROOT))));
    }
  }
}
