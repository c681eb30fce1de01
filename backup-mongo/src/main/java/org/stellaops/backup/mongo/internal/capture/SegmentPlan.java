package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoCommandException;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonValue;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.CollectionSize;
import org.stellaops.backup.mongo.internal.driver.IdRange;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/**
 * Cuts a database into what its readers take one after the other. A collection is read whole, in
 * the order in which it is stored, unless it is so large that everybody would end up waiting for
 * its one reader: then it is cut into ranges of {@code _id}.
 *
 * <p>Bounds come from a random sample that the server sorts, so they are of whatever types there
 * are; the ranges before the first and behind the last have no bound, so nothing is outside of all.
 * Walking the index to equal counts was rejected, since it reads all of it.
 */
final class SegmentPlan {
  /** Where the size of documents is not known: mongo-java-server has no end of a batch. */
  private static final int BATCH_DOCUMENTS = 1_000;

  private static final int MAX_BATCH_DOCUMENTS = 100_000;
  private static final int SAMPLES_PER_RANGE = 30;
  private static final int RANGES_PER_READER = 2;

  private final RawDatabase database;
  private final CapturePolicy policy;
  private final long allBytes;

  SegmentPlan(RawDatabase database, CapturePolicy policy, long allBytes) {
    this.database = database;
    this.policy = policy;
    this.allBytes = allBytes;
  }

  /** Of one collection, in the order of their bounds; none for a view. */
  List<Segment> segments(CollectionSpec spec) {
    if (spec.isView()) {
      return List.of();
    }
    Namespace namespace = new Namespace(database.name(), spec.dataName());
    CollectionSize size = size(spec);
    int batch = batchDocuments(size);
    List<Segment> segments = new ArrayList<>();
    for (IdRange range : ranges(spec, size.bytes())) {
      segments.add(new Segment(spec, namespace, range, batch));
    }
    return segments;
  }

  /** Not asked for where everything fits into a reply. */
  private CollectionSize size(CollectionSpec spec) {
    if (allBytes > 0 && allBytes <= policy.batchBytes()) {
      return CollectionSize.UNKNOWN;
    }
    try {
      return database.size(spec.dataName());
    } catch (MongoCommandException e) {
      return CollectionSize.UNKNOWN; // then it is read as one of unknown size
    }
  }

  private int batchDocuments(CollectionSize size) {
    if (size.documents() == 0 || size.bytes() == 0) {
      return BATCH_DOCUMENTS;
    }
    long fitting = policy.batchBytes() / Math.max(1, size.bytes() / size.documents());
    return (int) Math.max(1, Math.min(MAX_BATCH_DOCUMENTS, fitting));
  }

  private List<IdRange> ranges(CollectionSpec spec, long bytes) {
    boolean isTooLarge =
        policy.parallelism() > 1
            && bytes > policy.splitBytes()
            && bytes > allBytes / policy.parallelism();
    return isTooLarge && canBeSplit(spec) ? between(bounds(spec, bytes)) : List.of(IdRange.WHOLE);
  }

  /** Bounds are bounds of the index on {@code _id}, and order is lost. */
  private static boolean canBeSplit(CollectionSpec spec) {
    return !spec.isCapped()
        && !spec.isTimeseries()
        && spec.indexes().stream()
            .anyMatch(index -> index.getString("name").getValue().equals("_id_"));
  }

  private List<BsonValue> bounds(CollectionSpec spec, long bytes) {
    int ranges =
        (int)
            Math.min(
                (long) RANGES_PER_READER * policy.parallelism(), 1 + bytes / policy.splitBytes());
    List<BsonValue> sample = sample(spec, ranges * SAMPLES_PER_RANGE);
    List<BsonValue> bounds = new ArrayList<>();
    for (int i = 1; i < ranges && !sample.isEmpty(); i++) {
      BsonValue bound = sample.get((int) ((long) i * sample.size() / ranges));
      if (bounds.isEmpty() || !bounds.get(bounds.size() - 1).equals(bound)) {
        bounds.add(bound);
      }
    }
    return bounds;
  }

  private List<BsonValue> sample(CollectionSpec spec, int documents) {
    try {
      return database.sampleIds(spec.dataName(), documents);
    } catch (MongoCommandException e) {
      return List.of(); // without bounds it is read whole
    }
  }

  private static List<IdRange> between(List<BsonValue> bounds) {
    if (bounds.isEmpty()) {
      return List.of(IdRange.WHOLE);
    }
    List<IdRange> ranges = new ArrayList<>();
    ranges.add(new IdRange(null, bounds.get(0)));
    for (int i = 1; i < bounds.size(); i++) {
      ranges.add(new IdRange(bounds.get(i - 1), bounds.get(i)));
    }
    ranges.add(new IdRange(bounds.get(bounds.size() - 1), null));
    return ranges;
  }
}
