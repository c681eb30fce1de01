package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.concurrent.Executor;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveContents;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.archive.UnorderedTally;
import org.stellaops.backup.mongo.internal.driver.Batch;
import org.stellaops.backup.mongo.internal.driver.Buffers;
import org.stellaops.backup.mongo.internal.driver.IdRange;
import org.stellaops.backup.mongo.internal.driver.RawCursor;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RawReader;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;

/** Reads collections, several at a time, and holds them to what an archive was found to hold. */
final class ReadBack {
  private static final int BATCH_BYTES = 4 << 20;

  /** Where their size is not known. */
  private static final int BATCH_DOCUMENTS = 1_000;

  private static final int MAX_BATCH_DOCUMENTS = 100_000;

  private final RawDatabase database;
  private final Retrying retrying;
  private final Buffers buffers = new Buffers();

  ReadBack(RawDatabase database, Retrying retrying) {
    this.database = database;
    this.retrying = retrying;
  }

  /**
   * Reads all of them.
   *
   * @param parallelism how many at a time; those of large documents count for several
   */
  void compare(Placements placements, ArchiveContents contents, Executor executor, int parallelism)
      throws IOException {
    ServerFacts server = retrying.call(number -> database.server());
    try (BoundedTasks tasks = new BoundedTasks(executor, parallelism)) {
      for (Placement placement : placements.all()) {
        if (!placement.load().isView()) {
          Tally expected = contents.tallies().getOrDefault(placement.archived(), Tally.NOTHING);
          tasks.submit(weight(expected), () -> compare(placement.load(), expected, server));
        }
      }
      tasks.await();
    }
  }

  /** A reply holds at least one document, and then that and all its copies are in memory. */
  private static int weight(Tally expected) {
    return (int) (1 + averageBytes(expected) / (BATCH_BYTES / 4));
  }

  private static long averageBytes(Tally expected) {
    return expected.bytes() / Math.max(1, expected.documents());
  }

  private void compare(CollectionSpec spec, Tally expected, ServerFacts server) throws IOException {
    Tally found = tally(spec, batchDocuments(expected), server);
    if (!found.isSameContent(expected)) {
      throw new BackupException.Target(
          CoreFailure.CONTENT_DIFFERS,
          "collection %s.%s: expected %s; found %s"
              .formatted(database.name(), spec.name(), expected.describe(), found.describe()));
    }
  }

  private static int batchDocuments(Tally expected) {
    long fitting = BATCH_BYTES / Math.max(1, averageBytes(expected));
    return (int) Math.max(1, Math.min(MAX_BATCH_DOCUMENTS, fitting));
  }

  /** Of one collection that nothing is known of. */
  Tally tally(CollectionSpec spec) throws IOException {
    ServerFacts server = retrying.call(number -> database.server());
    return tally(spec, BATCH_DOCUMENTS, server);
  }

  /** A cursor that is lost cannot be gone on with: it is read again. */
  private Tally tally(CollectionSpec spec, int batchDocuments, ServerFacts server)
      throws IOException {
    return retrying.call(
        number -> {
          UnorderedTally tally = new UnorderedTally();
          try (RawReader reader = database.reader(server, buffers);
              RawCursor cursor =
                  reader.open(spec.dataName(), IdRange.WHOLE, batchDocuments, null)) {
            while (cursor.hasNext()) {
              retrying.stopping().check();
              Batch batch = cursor.next();
              tally.add(batch.buffer(), batch.length());
              buffers.release(batch.buffer());
            }
          }
          return tally.value();
        });
  }
}
