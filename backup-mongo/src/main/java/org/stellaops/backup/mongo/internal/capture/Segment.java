package org.stellaops.backup.mongo.internal.capture;

import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.driver.IdRange;

/**
 * What one cursor reads.
 *
 * @param spec of the collection
 * @param namespace where its documents stand
 * @param range how much of it
 * @param batchDocuments how many documents a reply may have
 */
record Segment(CollectionSpec spec, Namespace namespace, IdRange range, int batchDocuments) {
  /**
   * The same where others write: in the order of {@code _id}. In the order in which documents are
   * stored, one that is deleted and comes again is met twice. What is capped loses documents only
   * at its beginning, and what is clustered is stored by {@code _id}.
   */
  Segment unrepeated() {
    boolean isStoredInOrder =
        spec.isCapped() || spec.isTimeseries() || spec.options().containsKey("clusteredIndex");
    return range.equals(IdRange.WHOLE) && !isStoredInOrder
        ? new Segment(spec, namespace, IdRange.WHOLE_BY_ID, batchDocuments)
        : this;
  }
}
