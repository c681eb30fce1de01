package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoDatabase;
import java.util.List;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;

/**
 * Documents of one stretch of a collection, a reply at a time. Throws what the driver throws. One
 * thread at a time; closing it ends the server's cursor.
 */
public final class RawCursor implements AutoCloseable {
  private final MongoDatabase database;
  private final @Nullable ClientSession session;
  private final String collection;
  private final int batchDocuments;
  private final BsonDocument find;
  private boolean isOpen;
  private long cursor;

  RawCursor(
      MongoDatabase database,
      @Nullable ClientSession session,
      String collection,
      IdRange range,
      int batchDocuments,
      @Nullable BsonTimestamp at) {
    this.database = database;
    this.session = session;
    this.collection = collection;
    this.batchDocuments = batchDocuments;
    this.find =
        new BsonDocument("find", new BsonString(collection))
            .append("batchSize", new BsonInt32(batchDocuments));
    range.applyTo(find);
    if (at != null) {
      find.append(
          "readConcern",
          new BsonDocument("level", new BsonString("snapshot")).append("atClusterTime", at));
    }
  }

  /** Whether {@link #next} has to be asked once more. */
  public boolean hasNext() {
    return !isOpen || cursor != 0;
  }

  /** The next documents, which may be none. */
  public Batch next() {
    Batch batch = run(isOpen ? getMore() : find, Batch.class);
    isOpen = true;
    cursor = batch.cursor();
    return batch;
  }

  private BsonDocument getMore() {
    return new BsonDocument("getMore", new BsonInt64(cursor))
        .append("collection", new BsonString(collection))
        .append("batchSize", new BsonInt32(batchDocuments));
  }

  private <T> T run(BsonDocument command, Class<T> type) {
    return session == null
        ? database.runCommand(command, type)
        : database.runCommand(session, command, type);
  }

  /** Whatever the server answers: a cursor that cannot be killed any more is gone by itself. */
  @Override
  public void close() {
    if (cursor != 0) {
      BsonDocument kill =
          new BsonDocument("killCursors", new BsonString(collection))
              .append("cursors", new BsonArray(List.of(new BsonInt64(cursor))));
      cursor = 0;
      try {
        run(kill, RawBsonDocument.class);
      } catch (MongoException | IllegalStateException e) {
        // the connection or its client is closed, and the cursor with it
      }
    }
  }
}
