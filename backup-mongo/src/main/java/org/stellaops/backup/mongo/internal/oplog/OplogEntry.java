package org.stellaops.backup.mongo.internal.oplog;

import java.time.Instant;
import java.util.Optional;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.MongoFailure;

/**
 * One entry of an oplog: when, and what. Everything but the place in the oplog is looked up in the
 * bytes when it is asked for.
 */
final class OplogEntry {
  private static final BsonTimestamp NONE = new BsonTimestamp(0, 0);

  private final RawDocument raw;
  private final BsonTimestamp ts;
  private final Operation operation;

  private OplogEntry(RawDocument raw, BsonTimestamp ts, Operation operation) {
    this.raw = raw;
    this.ts = ts;
    this.operation = operation;
  }

  /**
   * Reads an entry.
   *
   * @throws OplogException if it is no entry, or its operation is none that is known
   */
  static OplogEntry of(RawDocument raw) throws OplogException {
    BsonTimestamp ts = NONE;
    try {
      ts = raw.get("ts").timestamp();
      return new OplogEntry(raw, ts, Operation.of(raw, ts));
    } catch (IllegalArgumentException e) {
      throw new OplogException(
          MongoFailure.OPLOG_MALFORMED,
          "entry %s of the oplog: %s".formatted(OplogTimes.text(ts), e.getMessage()));
    }
  }

  RawDocument raw() {
    return raw;
  }

  /** Its place. */
  BsonTimestamp ts() {
    return ts;
  }

  /** Of the election of the primary that wrote it; 0 where an old protocol had none. */
  long term() {
    return Math.max(0, raw.find("t").map(RawElement::number).orElse(0L));
  }

  /** What it does. */
  Operation operation() {
    return operation;
  }

  /** When it was written, by the primary's clock. */
  Instant wall() {
    return raw.find("wall")
        .map(w -> Instant.ofEpochMilli(w.dateMillis()))
        .orElseGet(() -> OplogTimes.instant(ts));
  }

  /** The transaction or retryable statement that it belongs to. */
  Optional<TransactionId> transaction() {
    Optional<RawElement> session = raw.find("lsid");
    Optional<RawElement> number = raw.find("txnNumber");
    return session.isPresent() && number.isPresent()
        ? Optional.of(new TransactionId(session.get().document().copied(), number.get().number()))
        : Optional.empty();
  }

  /** The entry before it in the same transaction. */
  Optional<BsonTimestamp> previous() {
    return raw.find("prevOpTime")
        .flatMap(p -> p.isDocument() ? p.document().find("ts") : Optional.empty())
        .map(RawElement::timestamp)
        .filter(p -> !p.equals(NONE));
  }

  /**
   * Whether the operations of its {@code applyOps} were written together, but are no transaction:
   * retryable inserts of one command (mongo, oplog_entry.idl, multiOpType).
   */
  boolean isAppliedSeparately() {
    return raw.find("multiOpType").map(RawElement::number).orElse(0L) == 1;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof OplogEntry that && raw.equals(that.raw);
  }

  @Override
  public int hashCode() {
    return raw.hashCode();
  }

  @Override
  public String toString() {
    return "entry %s, %s".formatted(OplogTimes.text(ts), operation);
  }

  /** A transaction of a session. */
  record TransactionId(RawDocument session, long number) {}
}
