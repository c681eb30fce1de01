package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.List;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;

/**
 * One capture of one database: collections are listed, read one after the other while the database
 * is in use, and listed again. Each collection is what its cursor saw. That they fit each other is
 * so only if nobody wrote meanwhile, and where somebody was seen to there is a finding.
 */
public final class DatabaseCapture {
  private final RawDatabase database;
  private final CaptureSession session;

  /** Of a database whose client outlives the capture. */
  public DatabaseCapture(RawDatabase database, CaptureSession session) {
    this.database = database;
    this.session = session;
  }

  /**
   * Captures everything that is there.
   *
   * @param expected collections whose absence is a finding
   */
  public void run(List<String> expected) throws IOException {
    try {
      ServerFacts server = database.server();
      Occupancy before = Occupancy.of(database);
      require(server, before.collections());
      CaptureMeta meta = capture(server, before);
      Occupancy after = Occupancy.of(database);
      describe(server, meta);
      before.changes(after, meta).forEach(this::reportChange);
      meta.collections().forEach(this::count);
      expected.forEach(name -> reportIfAbsent(name, before));
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.source("capture of database " + database.name(), e);
    }
  }

  private void require(ServerFacts server, List<CollectionSpec> collections)
      throws BackupException.Source {
    if (collections.isEmpty()) {
      throw new BackupException.Source(
          MongoFailure.UNKNOWN_DATABASE,
          "database %s has no collections, so it does not exist".formatted(database.name()));
    }
    for (CollectionSpec spec : collections) {
      if (spec.name().equals(RestoreMarker.COLLECTION)) {
        throw new BackupException.Source(
            MongoFailure.UNFINISHED_RESTORE,
            "database %s is what a restore left that did not end: it has a collection %s"
                .formatted(database.name(), RestoreMarker.COLLECTION));
      }
      if (spec.isTimeseries() && server.isAtLeast(8, 3)) {
        throw new BackupException.Source(
            MongoFailure.UNSUPPORTED_SERVER,
            "time series %s: its buckets cannot be read from server %s yet"
                .formatted(spec.name(), server.version()));
      }
    }
  }

  private CaptureMeta capture(ServerFacts server, Occupancy before) throws IOException {
    DatabaseArchive archive = new DatabaseArchive(database, server, before, session);
    ArtifactName name = Layout.archiveOf(database.name());
    session.artifact(name, Form.CONTENT, archive::writeTo);
    CaptureMeta meta = archive.meta();
    session.artifact(Layout.META, Form.WHOLE.remembered(), meta::writeTo);
    session.property(Layout.ARCHIVE_PROPERTY, name.value());
    session.property(Layout.DATABASE_PROPERTY, database.name());
    return meta;
  }

  private void describe(ServerFacts server, CaptureMeta meta) {
    session.version("mongodb", server.version());
    session.property("consistency", meta.consistency());
    session.property("topology", server.topology().name());
    if (meta.collections().size() > 1) {
      session.finding(
          new Finding(
              MongoFailure.NOT_CONSISTENT,
              database.name(),
              "%d collections of a server of topology %s were read one after the other"
                  .formatted(meta.collections().size(), server.topology())));
    }
  }

  private void reportChange(String change) {
    session.finding(new Finding(MongoFailure.CHANGED_DURING_CAPTURE, database.name(), change));
  }

  private void count(CaptureMeta.Item item) {
    session.captured(
        InventoryItem.of(
            itemName(item.spec().name()),
            item.tally().documents(),
            item.tally().bytes(),
            item.tally().content()));
  }

  /** An expected count of 0 would be met by a collection that is not there. */
  private void reportIfAbsent(String collection, Occupancy found) {
    if (!found.has(collection)) {
      session.finding(
          new Finding(
              CoreFailure.LESS_THAN_EXPECTED,
              itemName(collection),
              "expected the collection, found none of this name"));
    }
  }

  private String itemName(String collection) {
    return database.name() + "." + collection;
  }
}
