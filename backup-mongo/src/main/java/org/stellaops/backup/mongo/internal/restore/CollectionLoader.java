package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoBulkWriteException;
import com.mongodb.MongoException;
import com.mongodb.bulk.BulkWriteError;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.RestoreSession;

/**
 * Inserts the documents of an archive as they pass, as bytes, in batches of one collection. A
 * document that the server refuses ends the restore: mongorestore counts it and goes on.
 */
final class CollectionLoader implements ArchiveReader.Visitor {
  private static final int MAX_BATCH_BYTES = 8 << 20;
  private static final int MAX_BATCH_DOCUMENTS = 5_000;
  private static final int MAX_NAMED = 10;
  private static final int MAX_ID_CHARACTERS = 100;

  private final RawDatabase database;
  private final RestoreSession session;
  private final long expectedBytes;
  private final Map<String, CollectionSpec> specs = new HashMap<>();
  private final List<RawBsonDocument> batch = new ArrayList<>();
  private int batchBytes;
  private @Nullable CollectionSpec batchOf;
  private long bytes;
  private long documents;

  CollectionLoader(
      RawDatabase database,
      List<CollectionSpec> collections,
      RestoreSession session,
      long expectedBytes) {
    this.database = database;
    this.session = session;
    this.expectedBytes = expectedBytes;
    collections.forEach(c -> specs.put(c.name(), c));
  }

  @Override
  public void document(Prelude.Entry of, byte[] buffer, int offset, int length) throws IOException {
    CollectionSpec spec = specs.get(of.namespace().collection());
    if (spec == null || spec.isView()) {
      throw new BackupException.Corrupt(
          MongoFailure.ARCHIVE_DIFFERS, "archive holds documents of " + of.namespace());
    }
    boolean isFull = batchBytes + length > MAX_BATCH_BYTES || batch.size() >= MAX_BATCH_DOCUMENTS;
    boolean isOther = batchOf == null || !batchOf.name().equals(spec.name());
    if (isOther || isFull) {
      flush();
    }
    byte[] copy = new byte[length];
    System.arraycopy(buffer, offset, copy, 0, length);
    batchOf = spec;
    batch.add(new RawBsonDocument(copy));
    batchBytes += length;
  }

  @Override
  public void end(Prelude.Entry of, Tally tally) throws IOException {
    flush();
  }

  private void flush() throws IOException {
    CollectionSpec spec = batchOf;
    if (spec == null || batch.isEmpty()) {
      return;
    }
    session.stopping().check();
    try {
      database.insert(spec.dataName(), batch, spec.isCapped(), spec.isValidated());
    } catch (MongoBulkWriteException e) {
      throw refused(spec, e);
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.target(
          MongoFailure.INSERT_FAILED, "inserting into %s".formatted(name(spec)), e);
    }
    bytes += batchBytes;
    documents += batch.size();
    session.progress(bytes, documents, Math.max(bytes, expectedBytes));
    batch.clear();
    batchBytes = 0;
  }

  private BackupException refused(CollectionSpec spec, MongoBulkWriteException e) {
    List<BulkWriteError> errors = e.getWriteErrors();
    if (errors.isEmpty()) {
      return DriverErrors.target(
          MongoFailure.INSERT_FAILED, "inserting into %s".formatted(name(spec)), e);
    }
    List<String> named =
        errors.stream()
            .limit(MAX_NAMED)
            .map(error -> "_id %s: code %d".formatted(id(error), error.getCode()))
            .toList();
    return new BackupException.Target(
        MongoFailure.INSERT_FAILED,
        "%s: %d of %d documents of a batch were refused: %s%s"
            .formatted(
                name(spec),
                errors.size(),
                batch.size(),
                String.join("; ", named),
                errors.size() > MAX_NAMED ? "; …" : ""),
        e);
  }

  private String id(BulkWriteError error) {
    BsonDocument document = batch.get(error.getIndex());
    BsonValue id = document.get("_id");
    String text = String.valueOf(id);
    return text.length() > MAX_ID_CHARACTERS ? text.substring(0, MAX_ID_CHARACTERS) + "…" : text;
  }

  private String name(CollectionSpec spec) {
    return database.name() + "." + spec.name();
  }
}
