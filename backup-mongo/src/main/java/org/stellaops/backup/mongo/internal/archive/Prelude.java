package org.stellaops.backup.mongo.internal.archive;

import java.util.List;

/**
 * What an archive says before its first block.
 *
 * @param concurrentCollections how many namespaces the writer may have interleaved
 * @param serverVersion of the server that was read: readers decide by it where the documents of a
 *     time series are
 * @param toolVersion of whoever wrote it; free text
 * @param entries every namespace that has blocks, in the writer's order
 */
public record Prelude(
    int concurrentCollections, String serverVersion, String toolVersion, List<Entry> entries) {
  public Prelude {
    entries = List.copyOf(entries);
  }

  /**
   * One namespace.
   *
   * @param metadata options and indexes, see {@link MetadataJson}; empty for users, roles and oplog
   * @param type {@code collection}, {@code view}, {@code timeseries}; empty in old archives
   */
  public record Entry(Namespace namespace, String metadata, String type) {
    /** Where the documents of a time series are before server 8.3. */
    public Namespace buckets() {
      return new Namespace(
          namespace.database(), CollectionSpec.BUCKETS_PREFIX + namespace.collection());
    }

    boolean isTimeseries() {
      return type.equals(CollectionSpec.TIMESERIES);
    }
  }
}
