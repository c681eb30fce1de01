package org.stellaops.backup.internal.run;

import java.io.IOException;
import java.util.Optional;
import org.stellaops.backup.internal.repository.Entry;
import org.stellaops.backup.internal.repository.LogView.Head;
import org.stellaops.backup.internal.repository.Names;
import org.stellaops.backup.internal.repository.Repository;
import org.stellaops.backup.internal.repository.RetentionEntry;
import org.stellaops.backup.internal.repository.RetentionLog;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.spi.WriterKeys;

/**
 * Writes the log of deletions, one decision on top of the other: whoever finds that somebody else
 * wrote meanwhile decides nothing on what it knew. One thread.
 */
final class RetentionWriter {
  private final Context context;
  private final Repository repository;
  private final WriterKeys keys;
  private Optional<Head> head;

  /** Everything stays the caller's. */
  RetentionWriter(Context context, Repository repository, WriterKeys keys) throws IOException {
    this.context = context;
    this.repository = repository;
    this.keys = keys;
    requireKey();
    this.head = repository.retention().head();
  }

  private void requireKey() throws IOException {
    if (!repository.isPinned(Names.RETENTION, keys.id().publicKey())) {
      throw new BackupException.Refused(
          CoreFailure.UNTRUSTED_WRITER,
          "the key of %s is not pinned for log retention".formatted(keys.id().name()));
    }
    RetentionLog log = repository.retention();
    if (!log.damage().isEmpty()) {
      throw new BackupException.Corrupt(
          CoreFailure.CHAIN_BROKEN,
          "nothing is deleted while log retention is damaged: " + log.damage(),
          log.damage());
    }
  }

  /** What the log says, with what was written here. */
  RetentionLog current() throws IOException {
    return repository.retention();
  }

  /**
   * Writes one entry.
   *
   * @throws BackupException.Refused PLAN_STALE if somebody else wrote one
   */
  void commit(RetentionEntry content) throws IOException {
    Entry entry =
        repository
            .commit(
                Names.RETENTION,
                keys,
                context.random(),
                now -> now.head().equals(head) ? Optional.of(content.draft()) : Optional.empty())
            .orElseThrow(
                () ->
                    new BackupException.Refused(
                        CoreFailure.PLAN_STALE,
                        "somebody else wrote to log retention meanwhile; look again"));
    head = Optional.of(new Head(entry.sequence(), entry.digest()));
  }
}
