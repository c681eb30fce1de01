package org.stellaops.backup.mongo.internal.oplog;

import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import org.bson.BsonDocument;
import org.bson.BsonTimestamp;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.DocumentSink;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;

/**
 * Replays an oplog by ordinary writes, so that no right is needed but to write. It is a sink for
 * entries in the order of the oplog, first those that a capture brings along, then those of a
 * stream; what comes twice is taken once. Every failure names the entry. One thread.
 *
 * <p>The rule: what stands in the target is what the base and all entries up to the target make of
 * it, in whatever order two documents are written. Documents become what the last entry of a batch
 * makes of them; commands wait until everything before them is written. A transaction is replayed
 * where it was committed. Indexes and views are not made, but told: see {@link #definitions}.
 */
public final class OplogReplay implements DocumentSink {
  private static final long BATCH_BYTES = 8L << 20;
  private static final int BATCH_OPERATIONS = 5_000;
  private static final String VIEWS = "system.views";

  /** Documents of these are an application's, although a server keeps others of such names. */
  private static final Set<String> SYSTEM_DATA = Set.of("system.js");

  private final ReplaySettings settings;
  private final Definitions definitions;
  private final Transactions transactions;
  private final ReplayBatch batch = new ReplayBatch();
  private final BatchWriter writer;
  private final CommandReplay commands;
  private long entries;
  private long writes;
  private long commandCount;
  private long transactionCount;
  private long missing;
  private BsonTimestamp seen = new BsonTimestamp(0, 0);
  private @Nullable BsonTimestamp last;
  private boolean isBehindTarget;
  private boolean isBrought;

  /**
   * Into a server whose client stays the caller's.
   *
   * @param definitions of the base, which follow what is replayed
   */
  public OplogReplay(MongoClient client, Definitions definitions, ReplaySettings settings) {
    this(new ReplayClient(client), definitions, settings);
  }

  /**
   * One that writes nothing: it finds what cannot be replayed, and what collections, indexes and
   * views come to be.
   */
  public static OplogReplay dry(Definitions definitions, ReplaySettings settings) {
    return new OplogReplay(
        new NoServer(), definitions, settings.resumeAfter(new BsonTimestamp(-1L)));
  }

  OplogReplay(ReplayServer server, Definitions definitions, ReplaySettings settings) {
    this.settings = settings;
    this.definitions = definitions;
    this.transactions = new Transactions(settings.mostOpenBytes(), headlessUntil(settings));
    this.writer = new BatchWriter(server, settings);
    this.commands = new CommandReplay(server, definitions, settings);
  }

  private static BsonTimestamp headlessUntil(ReplaySettings settings) {
    return settings.after().compareTo(settings.tolerantUntil()) > 0
        ? settings.after()
        : settings.tolerantUntil();
  }

  /** What collections, indexes and views are to be, when it is finished. */
  public Definitions definitions() {
    return definitions;
  }

  /** Whether an entry behind the target was met: nothing more has to be read. */
  public boolean isBehindTarget() {
    return isBehindTarget;
  }

  /** The last entry that was read; 0 before the first. */
  public BsonTimestamp seen() {
    return seen;
  }

  @Override
  public void document(byte[] buffer, int offset, int length) throws IOException {
    if (isBehindTarget) {
      return;
    }
    try {
      take(OplogEntry.of(new RawDocument(buffer, offset, length).copied()));
    } catch (OplogException e) {
      throw e.whileReplaying();
    } catch (IllegalArgumentException e) {
      throw new BackupException.Target(
          MongoFailure.OPLOG_MALFORMED,
          "an entry of the oplog behind %s: %s".formatted(OplogTimes.text(seen), e.getMessage()),
          e);
    }
  }

  /**
   * Takes an entry that a base brings along which was read while others wrote. Where a collection
   * of it was renamed then, what was read under one name may have been missed under the other.
   */
  public void brought(byte[] buffer, int offset, int length) throws IOException {
    isBrought = true;
    try {
      document(buffer, offset, length);
    } finally {
      isBrought = false;
    }
  }

  /** Writes what is left, and says what was done. */
  public ReplayCounts finish() throws IOException {
    flush();
    return new ReplayCounts(
        entries,
        writes,
        commandCount,
        transactionCount,
        missing,
        Optional.ofNullable(last),
        isBehindTarget);
  }

  private void take(OplogEntry entry) throws IOException, OplogException {
    if (entry.ts().compareTo(seen) <= 0) {
      return; // the end of the base's own oplog is the beginning of the stream's
    }
    if (settings.target().isBehind(entry.ts(), entry.wall())) {
      isBehindTarget = true;
      return;
    }
    seen = entry.ts();
    entries++;
    try {
      replay(entry);
    } catch (IllegalArgumentException e) {
      throw new OplogException(
          MongoFailure.OPLOG_MALFORMED, "%s: %s".formatted(entry, e.getMessage()));
    }
  }

  private void replay(OplogEntry entry) throws IOException, OplogException {
    Operation operation = entry.operation();
    boolean isOfTransaction =
        operation.isApplyOps()
            || operation.command().equals(Commands.COMMIT)
            || operation.command().equals(Commands.ABORT);
    if (isOfTransaction) {
      Optional<Transactions.Ended> ended = transactions.take(entry);
      if (ended.isPresent()) {
        replay(ended.get());
      }
    } else if (isNew(entry.ts())) {
      replay(operation);
    }
    last = entry.ts();
    flushIfFull();
  }

  /** A whole transaction is in one batch, however large that becomes. */
  private void replay(Transactions.Ended ended) throws IOException, OplogException {
    if (!isNew(ended.visible()) || ended.operations().isEmpty()) {
      return;
    }
    transactionCount++;
    for (Operation operation : ended.operations()) {
      if (operation.isApplyOps()) {
        replay(new Transactions.Ended(ended.visible(), operation.parts()));
      } else {
        replay(operation);
      }
    }
  }

  /** Whether it is not in the base already. */
  private boolean isNew(BsonTimestamp ts) {
    return ts.compareTo(settings.after()) > 0;
  }

  /** Whether an earlier attempt has replayed what ended where we are. */
  private boolean isDone() {
    return seen.compareTo(settings.resumeAfter()) <= 0;
  }

  private void replay(Operation operation) throws IOException, OplogException {
    switch (operation.kind()) {
      case NOTHING -> {}
      case COMMAND -> command(operation);
      default -> write(operation);
    }
  }

  private void command(Operation operation) throws IOException, OplogException {
    String command = operation.command();
    boolean isPassedOver =
        Commands.WITHOUT_EFFECT.contains(command)
            || (!command.equals(Commands.RENAME) && !isWanted(operation));
    if (isPassedOver) {
      return;
    }
    flush();
    if (isBrought && command.equals(Commands.RENAME)) {
      commands.requireNoRename(operation);
    }
    if (!isDone()) {
      settings.journal().writing(seen);
    }
    commands.replay(operation, isDone());
    commandCount++;
  }

  private boolean isWanted(Operation command) {
    return command.command().equals(Commands.DROP_DATABASE)
        ? settings.selection().holdsDatabase(command.database())
        : settings.selection().holdsDatabase(command.database())
            && (!Commands.OF_A_COLLECTION.contains(command.command())
                || settings.selection().holds(command.namespace()));
  }

  private void write(Operation operation) throws OplogException {
    Optional<Namespace> target = settings.selection().target(operation.namespace());
    if (target.isEmpty() || target.get().collection().equals(RestoreMarker.COLLECTION)) {
      return;
    }
    String collection = target.get().collection();
    if (collection.equals(VIEWS)) {
      view(operation);
      return;
    }
    boolean isData =
        !collection.startsWith("system.")
            || collection.startsWith("system.buckets.")
            || SYSTEM_DATA.contains(collection);
    if (!isData) {
      throw new OplogException(
          MongoFailure.OPLOG_UNKNOWN_OPERATION,
          "%s: what a server keeps in it is not known"
              .formatted(operation + ", entry " + OplogTimes.text(operation.ts())));
    }
    if (!isDone()) {
      batch.add(target.get(), operation);
      writes++;
    }
  }

  /** Views stand in a collection, under the name that they had where they were captured. */
  private void view(Operation operation) {
    Namespace view = Operation.parse(operation.id().string());
    if (operation.kind() == Operation.Kind.DELETE) {
      if (definitions.view(view).isPresent()) {
        definitions.drop(view);
      }
      return;
    }
    RawDocument o = operation.o();
    RawDocument after =
        operation.kind() == Operation.Kind.INSERT || DocumentUpdate.isReplacement(o)
            ? o
            : DocumentUpdate.apply(before(view), o);
    BsonDocument definition = new BsonDocument();
    definition.putAll(after.forDriver());
    definition.remove("_id");
    boolean isTimeSeries = definition.getString("viewOn").getValue().startsWith("system.buckets.");
    if (!isTimeSeries) {
      definitions.put(view, definition);
    }
  }

  private RawDocument before(Namespace view) {
    BsonDocument definition =
        definitions
            .view(view)
            .orElseThrow(() -> new IllegalArgumentException("no view " + view + " is known"));
    return RawDocument.of(new RawBsonDocument(definition, new BsonDocumentCodec()));
  }

  private void flushIfFull() throws IOException {
    if (batch.bytes() >= BATCH_BYTES || batch.size() >= BATCH_OPERATIONS) {
      flush();
    }
  }

  private void flush() throws IOException {
    BsonTimestamp done = last;
    boolean isAhead = done != null && done.compareTo(settings.resumeAfter()) > 0;
    if (!batch.isEmpty()) {
      settings.journal().writing(seen);
      missing += writer.write(batch, definitions);
      batch.clear();
    }
    if (done != null && isAhead) {
      settings.journal().written(done);
    }
  }
}
