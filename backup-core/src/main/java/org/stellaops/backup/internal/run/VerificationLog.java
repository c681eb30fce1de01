package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
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
          "\\S+ ([0-9a-f]{64}) (structure|stored|full) (intact|intact_unauthenticated|damaged|unknown)");

  private final Map<Digest, Map<String, VerificationRecord>> bySigner = new HashMap<>();

  private VerificationLog() {}

  /** A record, and the digest of the entry that was verified. */
  private record Verified(Digest entry, VerificationRecord record) {}

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
   * The trusted records, by the digest of the entry that was verified: so that a record says
   * nothing about any other bytes.
   */
  static VerificationLog read(List<LogView> logs) {
    VerificationLog verified = new VerificationLog();
    for (LogView log : logs) {
      if (log.log().equals(Names.VERIFY)) {
        log.entries().stream()
            .filter(s -> s.isTrusted() && s.entry().kind().equals(KIND))
            .forEach(s -> verified.add(s.entry()));
      }
    }
    return verified;
  }

  /** The newest record stays; one that cannot be read, a newer version's, says nothing to us. */
  private void add(Entry entry) {
    read(entry)
        .ifPresent(
            v -> {
              Map<String, VerificationRecord> records =
                  bySigner.computeIfAbsent(v.entry(), e -> new LinkedHashMap<>());
              records.remove(v.record().publicKey());
              records.put(v.record().publicKey(), v.record());
            });
  }

  private static Optional<Verified> read(Entry entry) {
    Matcher words = RECORD.matcher(entry.field(FIELD).orElse(""));
    if (!words.matches() || !entry.required().isEmpty()) {
      return Optional.empty();
    }
    VerificationRecord record =
        new VerificationRecord(
            entry.time(),
            Depth.valueOf(words.group(2).toUpperCase(Locale.ROOT)),
            Verdict.valueOf(words.group(3).toUpperCase(Locale.ROOT)),
            entry.publicKey(),
            true);
    return Optional.of(new Verified(Digest.parse(words.group(1)), record));
  }

  /**
   * The newest record of each signer about an entry, newest first.
   *
   * @param isOfWriter whether a key is one of those who may write, or have written, in its log
   */
  List<VerificationRecord> of(Digest entry, Predicate<String> isOfWriter) {
    List<VerificationRecord> newestFirst = new ArrayList<>();
    for (VerificationRecord r : bySigner.getOrDefault(entry, Map.of()).values()) {
      newestFirst.add(
          0,
          new VerificationRecord(
              r.time(), r.depth(), r.verdict(), r.publicKey(), !isOfWriter.test(r.publicKey())));
    }
    return newestFirst;
  }
}
