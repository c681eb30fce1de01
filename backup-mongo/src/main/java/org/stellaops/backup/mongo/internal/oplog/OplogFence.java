package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.MongoCommandException;
import com.mongodb.MongoException;
import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.DocumentSink;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.spi.Stopping;

/**
 * The part of an oplog that makes a capture consistent which was read while it changed: begun
 * before anything is read, copied when everything is. One thread.
 */
public final class OplogFence {
  /** CappedPositionLost: entries were removed that a cursor had not come to. */
  private static final int POSITION_LOST = 136;

  private final OplogReader reader;
  private final EntryFilter filter;
  private final BsonTimestamp begun;
  private final BsonTimestamp start;

  private OplogFence(
      OplogReader reader, EntryFilter filter, BsonTimestamp begun, BsonTimestamp start) {
    this.reader = reader;
    this.filter = filter;
    this.begun = begun;
    this.start = start;
  }

  /** Before the capture reads anything. The client outlives the fence. */
  public static OplogFence begin(MongoClient client, OplogSelection selection) throws IOException {
    OplogReader reader = new OplogReader(client);
    try {
      BsonTimestamp begun = reader.majority();
      BsonTimestamp start =
          reader.oldestTransaction().map(o -> OplogTimes.earlier(o, begun)).orElse(begun);
      return new OplogFence(reader, new EntryFilter(selection), begun, start);
    } catch (MongoException e) {
      throw DriverErrors.source("look for the end of the oplog", e);
    }
  }

  /**
   * What was copied.
   *
   * @param entries how many
   * @param bytes of all of them
   * @param term of the newest entry that was read
   */
  public record Copied(long entries, long bytes, long term) {}

  /** The first entry that is needed: the newest one, or where the oldest open transaction began. */
  public BsonTimestamp start() {
    return start;
  }

  /** The newest entry now, which a majority may not have yet: the end, when everything was read. */
  public BsonTimestamp now() throws IOException {
    try {
      return reader.newest();
    } catch (MongoException e) {
      throw DriverErrors.source("look for the end of the oplog", e);
    }
  }

  /**
   * Copies what concerns the selection, from the start up to an end and with it. When this returns
   * there is nothing before the end that was not seen.
   *
   * @throws BackupException.Source OPLOG_RENAMED if a collection was renamed, so that what was read
   *     under one name may have been missed under the other: capture again; OPLOG_RENAMED_ACROSS if
   *     it was renamed between what is captured and what is not; OPLOG_ROLLED_OVER if entries were
   *     removed before they were read
   */
  public Copied copyTo(DocumentSink out, BsonTimestamp end, Stopping stopping) throws IOException {
    try (OplogReader.Tail tail = reader.tail(start)) {
      Copied copied = copy(tail, out, end, stopping);
      requireStart();
      return copied;
    } catch (MongoException e) {
      stopping.check();
      if (e instanceof MongoCommandException && e.getCode() == POSITION_LOST) {
        throw rolledOver(DriverErrors.describe(e));
      }
      throw DriverErrors.source(
          "copy the oplog from %s to %s".formatted(OplogTimes.text(start), OplogTimes.text(end)),
          e);
    } catch (OplogException e) {
      throw e.whileReading();
    } catch (IllegalArgumentException e) {
      throw new BackupException.Source(
          MongoFailure.OPLOG_MALFORMED, "copy the oplog: " + e.getMessage(), e);
    }
  }

  private Copied copy(OplogReader.Tail tail, DocumentSink out, BsonTimestamp end, Stopping stopping)
      throws IOException, OplogException {
    Copied copied = new Copied(0, 0, 0);
    boolean isFirst = true;
    boolean isPassed = false;
    while (true) {
      stopping.check();
      Optional<RawDocument> next = tail.next();
      if (isFirst) {
        requireStart();
        isFirst = false;
      }
      if (next.isEmpty()) {
        // A read that began when a majority had the end, and found nothing more, has seen it.
        if (isPassed) {
          return copied;
        }
        if (tail.isDead()) {
          throw new BackupException.Source(
              MongoFailure.SERVER_FAILED,
              "the oplog shows nothing from %s on, where a majority had an entry"
                  .formatted(OplogTimes.text(start)));
        }
        isPassed = reader.majority().compareTo(end) >= 0;
        continue;
      }
      OplogEntry entry = OplogEntry.of(next.get());
      if (entry.ts().compareTo(end) > 0) {
        return copied;
      }
      copied = copy(entry, copied, out);
    }
  }

  private Copied copy(OplogEntry entry, Copied before, DocumentSink out)
      throws IOException, OplogException {
    Optional<RawDocument> wanted = isRead(entry) ? Optional.empty() : filter.apply(entry);
    if (wanted.isEmpty()) {
      return new Copied(before.entries(), before.bytes(), entry.term());
    }
    requireNoRename(entry.operation());
    RawDocument document = wanted.get();
    out.document(document.array(), document.start(), document.length());
    return new Copied(before.entries() + 1, before.bytes() + document.length(), entry.term());
  }

  /**
   * Whether what it did was there before anything was read: everything up to the beginning, but
   * what belongs to transactions that may not have ended then. Replayed over what was read later it
   * would take back what happened between. Without their last entries, those that had ended do
   * nothing.
   */
  private boolean isRead(OplogEntry entry) {
    Operation operation = entry.operation();
    boolean isUnfinished =
        operation.command().equals(Commands.ABORT)
            || (operation.isApplyOps()
                && (operation.o().isTrue("partialTxn") || operation.o().isTrue("prepare")));
    return entry.ts().compareTo(begun) <= 0 && !isUnfinished;
  }

  /** One within the selection: the filter has refused those that are not. */
  private static void requireNoRename(Operation operation) throws OplogException {
    if (operation.command().equals(Commands.RENAME)) {
      throw new OplogException(
          MongoFailure.OPLOG_RENAMED,
          "entry %s of the oplog renames %s to %s while they are captured"
              .formatted(
                  OplogTimes.text(operation.ts()),
                  operation.o().first().string(),
                  operation.o().get("to").string()));
    }
  }

  /** Something as old as the start has to be there still, or what follows it may be gone. */
  private void requireStart() throws IOException {
    Optional<RawDocument> oldest = reader.first();
    BsonTimestamp there =
        oldest.map(o -> o.get("ts").timestamp()).orElse(new BsonTimestamp(Long.MAX_VALUE));
    if (there.compareTo(start) > 0) {
      throw rolledOver("it begins at " + OplogTimes.text(there));
    }
  }

  private BackupException.Source rolledOver(String found) {
    return new BackupException.Source(
        MongoFailure.OPLOG_ROLLED_OVER,
        "the oplog is needed from %s on: %s".formatted(OplogTimes.text(start), found));
  }
}
