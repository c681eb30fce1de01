package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.bson.RawBsonDocument;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.restore.Batch.Doubt;
import org.stellaops.backup.mongo.internal.restore.RestoreSettings.Pace;

/**
 * One collection while it is filled: batches are cut from the documents that pass, and how many of
 * them are there, counted from the first without a hole, is noted in the target as they arrive.
 */
final class LoadedCollection {
  private final CollectionSpec spec;
  private final Pace pace;
  private final RestoreMarker.Progress resumedAt;
  private final Doubt doubt;

  /** Of the thread that reads the archive. */
  private List<RawBsonDocument> batch = new ArrayList<>();

  private int batchBytes;
  private long seen;

  /** Batches that have arrived behind one that has not: how many documents, by the first. */
  private final TreeMap<Long, Integer> arrived = new TreeMap<>();

  private long complete;

  /**
   * @param resumedAt how far an earlier attempt has come
   * @param doubt of batches behind that
   */
  LoadedCollection(CollectionSpec spec, Pace pace, RestoreMarker.Progress resumedAt, Doubt doubt) {
    this.spec = spec;
    this.pace = pace;
    this.resumedAt = resumedAt;
    this.doubt = doubt;
    this.complete = resumedAt.lastBatch();
  }

  CollectionSpec spec() {
    return spec;
  }

  /** Whether the next document was there when an earlier attempt ended, so that it can pass. */
  boolean passes() {
    boolean isThere = seen < resumedAt.lastBatch();
    if (isThere) {
      seen++;
    }
    return isThere;
  }

  boolean isFullWith(int length) {
    return !batch.isEmpty()
        && (batchBytes + length > pace.batchBytes()
            || batch.size() >= pace.batchDocuments()
            || seen == resumedAt.documents());
  }

  void add(byte[] document) {
    batch.add(new RawBsonDocument(document));
    batchBytes += document.length;
    seen++;
  }

  int pendingBytes() {
    return batchBytes;
  }

  boolean isEmpty() {
    return batch.isEmpty();
  }

  /** What was collected. */
  Batch cut() {
    long first = seen - batch.size();
    Doubt ofThis = first < resumedAt.documents() ? Doubt.MOST : doubt;
    Batch cut = new Batch(this, first, batch, batchBytes, ofThis);
    batch = new ArrayList<>();
    batchBytes = 0;
    return cut;
  }

  /** A batch is there for good: notes it, together with those behind it that came earlier. */
  synchronized void arrived(Batch there, RawDatabase database, Retrying retrying)
      throws IOException {
    arrived.put(there.first(), there.documents().size());
    long lastBatch = complete;
    while (!arrived.isEmpty() && arrived.firstKey() == complete) {
      lastBatch = complete;
      complete += arrived.pollFirstEntry().getValue();
    }
    if (lastBatch < complete) {
      note(new RestoreMarker.Progress(complete, lastBatch), database, retrying);
    }
  }

  private void note(RestoreMarker.Progress progress, RawDatabase database, Retrying retrying)
      throws IOException, MongoException {
    retrying.call(
        number -> {
          RestoreMarker.progress(database, spec.name(), progress);
          return progress;
        });
  }
}
