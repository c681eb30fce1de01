package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.RestoreSession;

/**
 * Inserts the documents of an archive as they pass, as bytes, in batches of one collection. A
 * document that the server refuses makes the restore fail; mongorestore counts it and goes on.
 *
 * <p>Memory: as many batches as are on their way, and {@value #MAX_PENDING_BYTES} bytes of those
 * that are not full yet.
 */
final class CollectionLoader implements ArchiveReader.Visitor, AutoCloseable {
  private static final int MAX_PENDING_BYTES = 16 << 20;

  private final RestoreSession session;
  private final Placements placements;
  private final long expectedBytes;
  private final FailedDocuments failed = new FailedDocuments();
  private final Inserter inserter;
  private final Inserters inserters;
  private final Map<Namespace, LoadedCollection> collections = new HashMap<>();
  private long pendingBytes;

  CollectionLoader(
      RawDatabase database,
      Placements placements,
      Function<Placement, LoadedCollection> loading,
      RestoreSession session,
      RestoreSettings settings,
      long expectedBytes) {
    this.session = session;
    this.placements = placements;
    this.expectedBytes = expectedBytes;
    this.inserter = new Inserter(database, new Retrying(session.stopping()), failed);
    this.inserters =
        new Inserters(
            inserter, session.executor(), settings.parallelism(), settings.pace().batchBytes());
    for (Placement placement : placements.all()) {
      if (!placement.load().isView()) {
        collections.put(placement.archived(), loading.apply(placement));
      }
    }
  }

  /** Documents that were in the target already. */
  long found() {
    return inserter.found();
  }

  @Override
  public void document(Prelude.Entry of, byte[] buffer, int offset, int length) throws IOException {
    LoadedCollection into = collections.get(of.namespace());
    if (into == null) {
      requireSkipped(of.namespace());
      return;
    }
    if (into.passes()) {
      return;
    }
    if (into.isFullWith(length)) {
      send(into);
    }
    into.add(Arrays.copyOfRange(buffer, offset, offset + length));
    pendingBytes += length;
    if (pendingBytes > MAX_PENDING_BYTES) {
      send(largest());
    }
  }

  private void requireSkipped(Namespace namespace) throws BackupException.Corrupt {
    if (!placements.skipped().contains(namespace)) {
      throw new BackupException.Corrupt(
          MongoFailure.ARCHIVE_DIFFERS, "archive holds documents of " + namespace);
    }
  }

  private LoadedCollection largest() {
    return collections.values().stream()
        .max(Comparator.comparingInt(LoadedCollection::pendingBytes))
        .orElseThrow();
  }

  @Override
  public void end(Prelude.Entry of, Tally tally) throws IOException {
    LoadedCollection into = collections.get(of.namespace());
    if (into != null && !into.isEmpty()) {
      send(into);
    }
  }

  private void send(LoadedCollection collection) throws IOException {
    session.stopping().check();
    if (failed.isEnough()) {
      finish();
    }
    pendingBytes -= collection.pendingBytes();
    inserters.submit(collection.cut());
    progress();
  }

  private void progress() {
    session.progress(
        inserter.bytes(), inserter.documents(), Math.max(inserter.bytes(), expectedBytes));
  }

  /**
   * Waits until everything has arrived.
   *
   * @throws BackupException.Target naming the documents that were refused
   */
  void finish() throws IOException {
    inserters.await();
    progress();
    BackupException failure = failed.failure().orElse(null);
    if (failure != null) {
      throw failure;
    }
  }

  /** Waits for what is on its way; nothing runs behind this. */
  @Override
  public void close() {
    inserters.close();
  }
}
