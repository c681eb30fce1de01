package org.stellaops.backup.mongo.internal.restore;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.bson.BsonValue;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;

/** Documents that a target would not take: all are counted, the first are named. Thread-safe. */
final class FailedDocuments {
  /** Past these nothing more is sent: the restore has failed, and a human has enough to read. */
  static final long ENOUGH = 1_000;

  private static final int MAX_NAMED = 10;
  private static final int MAX_ID_CHARACTERS = 100;

  private final Map<String, Failed> byNamespace = new TreeMap<>();
  private long count;

  /** One that was refused. */
  synchronized void add(String namespace, BsonValue id, String why) {
    Failed failed = byNamespace.computeIfAbsent(namespace, n -> new Failed());
    failed.count++;
    count++;
    if (failed.named.size() < MAX_NAMED) {
      failed.named.add("_id %s: %s".formatted(shown(id), why));
    }
  }

  /** Documents that were sent, refused or not. */
  synchronized void tried(String namespace, int documents) {
    byNamespace.computeIfAbsent(namespace, n -> new Failed()).tried += documents;
  }

  synchronized boolean isEnough() {
    return count >= ENOUGH;
  }

  /** What to end the restore with; empty if every document was taken. */
  synchronized Optional<BackupException> failure() {
    if (count == 0) {
      return Optional.empty();
    }
    String all =
        byNamespace.entrySet().stream()
            .filter(e -> e.getValue().count > 0)
            .map(e -> e.getKey() + ": " + e.getValue().describe())
            .collect(Collectors.joining("; "));
    String stopped = count >= ENOUGH ? "; nothing more was sent after these" : "";
    return Optional.of(new BackupException.Target(MongoFailure.INSERT_FAILED, all + stopped));
  }

  /** An id for humans, cut. */
  static String shown(BsonValue id) {
    String text = String.valueOf(id).replaceAll("\\p{Cntrl}", " ");
    return text.length() > MAX_ID_CHARACTERS ? text.substring(0, MAX_ID_CHARACTERS) + "…" : text;
  }

  private static final class Failed {
    final List<String> named = new ArrayList<>();
    long count;
    long tried;

    String describe() {
      return "%d of %d documents were refused: %s%s"
          .formatted(count, tried, String.join("; ", named), count > named.size() ? "; …" : "");
    }
  }
}
