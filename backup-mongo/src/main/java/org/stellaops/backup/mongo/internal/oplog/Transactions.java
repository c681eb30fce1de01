package org.stellaops.backup.mongo.internal.oplog;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.oplog.OplogEntry.TransactionId;

/**
 * Transactions whose end has not been seen, in memory. They are not written to a file: plain bytes
 * of a restore are nowhere but in its target, so there is a bound instead, and a failure beyond it.
 */
final class Transactions {
  private final long mostBytes;
  private final BsonTimestamp headlessUntil;
  private final Map<TransactionId, Open> open = new HashMap<>();
  private long bytes;

  /**
   * @param mostBytes of all entries that are waiting for the end of their transaction
   * @param headlessUntil up to where a transaction may be met that was begun before what is read:
   *     reading begins at the oldest one that had no end then, so such a one had ended, and what it
   *     did is in the capture
   */
  Transactions(long mostBytes, BsonTimestamp headlessUntil) {
    this.mostBytes = mostBytes;
    this.headlessUntil = headlessUntil;
  }

  /**
   * What is done when a transaction ends.
   *
   * @param visible since when the primary showed it
   * @param operations in order; empty if it was taken back
   */
  record Ended(BsonTimestamp visible, List<Operation> operations) {
    Ended {
      operations = List.copyOf(operations);
    }
  }

  /** Whether any has no end yet. */
  boolean isEmpty() {
    return open.isEmpty();
  }

  /** The first entry of those that have no end yet. */
  Optional<BsonTimestamp> oldest() {
    return open.values().stream().map(o -> o.begun).min(BsonTimestamp::compareTo);
  }

  /**
   * Takes an entry of a transaction: {@code applyOps}, {@code commitTransaction} or {@code
   * abortTransaction}.
   *
   * @return what is to be done now; empty while the transaction goes on
   */
  Optional<Ended> take(OplogEntry entry) throws OplogException {
    Operation operation = entry.operation();
    if (entry.isAppliedSeparately() || entry.transaction().isEmpty()) {
      return Optional.of(new Ended(entry.ts(), operation.parts()));
    }
    TransactionId id = entry.transaction().get();
    return switch (operation.command()) {
      case Commands.COMMIT -> Optional.of(commit(entry, id));
      case Commands.ABORT -> abort(entry, id);
      default -> applyOps(entry, id);
    };
  }

  private Optional<Ended> applyOps(OplogEntry entry, TransactionId id) throws OplogException {
    RawDocument o = entry.operation().o();
    boolean isWhole = entry.previous().isEmpty();
    if (isWhole) {
      forget(id);
    } else if (!open.containsKey(id)) {
      requireHeadless(entry);
      return Optional.of(new Ended(entry.ts(), List.of()));
    }
    if (!o.isTrue("partialTxn") && !o.isTrue("prepare")) {
      List<Operation> operations = isWhole ? List.of() : forget(id);
      List<Operation> all = new ArrayList<>(operations);
      all.addAll(entry.operation().parts());
      return Optional.of(new Ended(entry.ts(), all));
    }
    keep(entry, id);
    return Optional.empty();
  }

  private void keep(OplogEntry entry, TransactionId id) throws OplogException {
    Open transaction = open.computeIfAbsent(id, i -> new Open(entry.ts()));
    RawDocument copy = entry.raw().copied();
    bytes += copy.length();
    transaction.bytes += copy.length();
    transaction.operations.addAll(OplogEntry.of(copy).operation().parts());
    if (bytes > mostBytes) {
      throw new OplogException(
          MongoFailure.TRANSACTION_TOO_LARGE,
          "entry %s of the oplog: transactions without an end yet take more than %d bytes"
              .formatted(OplogTimes.text(entry.ts()), mostBytes));
    }
  }

  private Ended commit(OplogEntry entry, TransactionId id) throws OplogException {
    if (!open.containsKey(id)) {
      requireHeadless(entry);
    }
    BsonTimestamp visible =
        entry.operation().o().find("commitTimestamp").map(RawElement::timestamp).orElse(entry.ts());
    return new Ended(visible, forget(id));
  }

  /** One that was begun before what is read is none of ours, and changed nothing. */
  private Optional<Ended> abort(OplogEntry entry, TransactionId id) {
    forget(id);
    return Optional.of(new Ended(entry.ts(), List.of()));
  }

  private List<Operation> forget(TransactionId id) {
    Open transaction = open.remove(id);
    if (transaction == null) {
      return List.of();
    }
    bytes -= transaction.bytes;
    return transaction.operations;
  }

  private void requireHeadless(OplogEntry entry) throws OplogException {
    if (entry.ts().compareTo(headlessUntil) > 0) {
      throw new OplogException(
          MongoFailure.TRANSACTION_INCOMPLETE,
          "entry %s of the oplog goes on with a transaction whose beginning, at or before %s, is not there"
              .formatted(
                  OplogTimes.text(entry.ts()),
                  entry.previous().map(OplogTimes::text).orElse("another place")));
    }
  }

  /** One that has no end yet. */
  private static final class Open {
    final BsonTimestamp begun;
    final List<Operation> operations = new ArrayList<>();
    long bytes;

    Open(BsonTimestamp begun) {
      this.begun = begun;
    }
  }
}
