package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.bson.BSONException;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.DocumentRun;
import org.stellaops.backup.mongo.internal.driver.Batch;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawCursor;
import org.stellaops.backup.mongo.internal.driver.RawReader;

/**
 * One reader: a session, a cursor at a time, and one reply ahead of whoever takes them. A reply is
 * fetched, looked at and digested as one task, which ends by itself, so an executor may have as few
 * threads as it likes, or none.
 */
final class Lane implements AutoCloseable {
  private final RawReader reader;
  private final Executor executor;
  private final @Nullable BsonTimestamp at;
  private @Nullable Segment segment;
  private @Nullable RawCursor cursor;
  private @Nullable CompletableFuture<DocumentRun> ahead;

  Lane(RawReader reader, Executor executor, @Nullable BsonTimestamp at) {
    this.reader = reader;
    this.executor = executor;
    this.at = at;
  }

  /** Whether there is something to take. */
  boolean isBusy() {
    return segment != null;
  }

  /** What it reads. */
  Segment segment() {
    if (segment == null) {
      throw new IllegalStateException("a lane that reads nothing");
    }
    return segment;
  }

  /** Begins to read; the one before has to be over. */
  void begin(Segment next) {
    BsonTimestamp time = next.spec().isCapped() ? null : at;
    segment = next;
    cursor = reader.open(next.namespace().collection(), next.range(), next.batchDocuments(), time);
    fetch();
  }

  private void fetch() {
    RawCursor from = cursor;
    Segment of = segment;
    if (from != null && of != null) {
      ahead = CompletableFuture.supplyAsync(() -> fetch(from, of), executor);
    }
  }

  private static DocumentRun fetch(RawCursor from, Segment of) {
    Batch batch = from.next();
    try {
      return DocumentRun.of(of.namespace(), batch.buffer(), batch.length());
    } catch (BackupException e) {
      throw new CompletionException(e);
    }
  }

  /** Waits for what was fetched, and begins to fetch what follows it. */
  DocumentRun take() throws IOException {
    DocumentRun run = await();
    if (cursor != null && cursor.hasNext()) {
      fetch();
    } else {
      cursor = null;
      segment = null;
    }
    return run;
  }

  private DocumentRun await() throws IOException {
    CompletableFuture<DocumentRun> awaited = ahead;
    if (awaited == null) {
      throw new IllegalStateException("a lane that fetches nothing");
    }
    try {
      return awaited.join();
    } catch (CompletionException e) {
      throw translate(e.getCause());
    }
  }

  private IOException translate(@Nullable Throwable cause) {
    String what = "reading " + segment().namespace();
    if (cause instanceof MongoException e) {
      return at != null && DriverErrors.isSnapshotGone(e)
          ? gone(what + ": " + DriverErrors.describe(e), e)
          : DriverErrors.source(what, e);
    }
    if (cause instanceof IOException e) {
      return e;
    }
    if (cause instanceof BSONException e) {
      return new BackupException.Source(
          MongoFailure.INVALID_DOCUMENT, what + ": the server's reply is no BSON", e);
    }
    if (cause instanceof IllegalStateException e) { // what a client says that was closed
      return new BackupException.Source(
          MongoFailure.UNREACHABLE, what + ": the connection was closed", e);
    }
    if (cause instanceof Error e) {
      throw e;
    }
    throw new IllegalStateException(what, cause);
  }

  /** One that is too old will be too old again; one that moved under a collection may not. */
  private static NotHeldException gone(String what, MongoException e) {
    return DriverErrors.isSnapshotTooOld(e)
        ? NotHeldException.forGood(what, e)
        : NotHeldException.thisTime(what);
  }

  /** Waits for what is under way, and lets go of the cursor and the session. */
  @Override
  public void close() {
    if (ahead != null) {
      ahead.handle((run, e) -> run).join();
    }
    if (cursor != null) {
      cursor.close();
    }
    reader.close();
  }
}
