package org.stellaops.backup.engine;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.stellaops.backup.Janitor;
import org.stellaops.backup.crypto.WriterKeyFile;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureHeader;
import org.stellaops.backup.model.Confirmation;
import org.stellaops.backup.model.PruneReport;
import org.stellaops.backup.model.Trust;
import org.stellaops.backup.model.WriterId;
import org.stellaops.backup.retention.PrunePreview;
import org.stellaops.backup.retention.RetentionRules;
import org.stellaops.backup.spi.BackupSink;
import org.stellaops.backup.spi.RetentionDecision;
import org.stellaops.backup.spi.RetentionPolicy;
import org.stellaops.backup.testkit.MemorySink;

/** A janitor with a key of its own beside a {@link Host}, and what tests ask of it. */
final class Pruning {
  final Host host;
  private final BackupSink sink;

  Pruning(Host host) {
    this(host, host.sink);
  }

  Pruning(Host host, BackupSink sink) {
    this.host = host;
    this.sink = sink;
  }

  WriterKeyFile keys() {
    return WriterKeyFile.at(host.directory.resolve("janitor.key")).named("janitor");
  }

  /** Whom everybody trusts here. */
  Trust trust() throws IOException {
    WriterId writer = host.keys().id();
    return new Trust(
        List.of(
            new Trust.Signer(
                List.of(writer.name(), writer.name() + ".*", "admin", "verify"),
                writer.publicKey()),
            new Trust.Signer(List.of("retention"), keys().id().publicKey())));
  }

  /** Makes the keys. */
  Pruning withKeys() throws IOException {
    keys().open().close();
    return this;
  }

  Janitor open(int newest, Duration grace) throws IOException {
    return with(newest).grace(grace).open();
  }

  /** Keeps so many of each source; knows no pity. */
  Janitor.Builder with(int newest) throws IOException {
    return Janitor.at(sink)
        .keys(keys())
        .trust(trust())
        .retain(keeping(newest))
        .grace(Duration.ZERO)
        .minimumAge(Duration.ZERO);
  }

  static RetentionRules keeping(int newest) {
    return RetentionRules.of(newest(newest)).minimumAge(Duration.ZERO);
  }

  static RetentionPolicy newest(int captures) {
    return (all, now) ->
        new RetentionDecision(
            all.stream()
                .limit(captures)
                .collect(
                    Collectors.toMap(
                        CaptureHeader::snapshot, c -> List.of("newest"), (a, b) -> a)));
  }

  /** Lets go of all but the newest; dooms, and removes what may go. */
  PruneReport prune(int newest) throws IOException {
    try (Janitor janitor = with(newest).open()) {
      return prune(janitor);
    }
  }

  static PruneReport prune(Janitor janitor) throws BackupException {
    PrunePreview preview = janitor.planPrune();
    return janitor.prune(preview, Confirmation.of(preview.digest()));
  }

  /** The objects that nobody's name says what they are, by kind. */
  static Map<String, Integer> counts(MemorySink sink) {
    Map<String, Integer> counts = new HashMap<>();
    sink.snapshot().keySet().stream()
        .map(n -> n.value().split("/", -1))
        .filter(n -> n[0].equals("w") && n[1].equals("host-a"))
        .forEach(n -> counts.merge(n[2], 1, Integer::sum));
    return counts;
  }
}
