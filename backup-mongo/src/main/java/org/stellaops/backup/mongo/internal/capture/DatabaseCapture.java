package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.stellaops.backup.model.ArtifactName;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CaptureSpan;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.CaptureMoment;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
import org.stellaops.backup.mongo.internal.driver.UserPassages;
import org.stellaops.backup.mongo.internal.oplog.OplogReader;
import org.stellaops.backup.mongo.internal.oplog.OplogTimes;
import org.stellaops.backup.spi.CaptureSession;
import org.stellaops.backup.spi.Form;

/**
 * One capture of one database: what is there, how well it can be held together, one pass over it,
 * and what that came to.
 */
public final class DatabaseCapture {
  /** What the driver still talks to is older than what is tested. */
  private static final int OLDEST_MAJOR = 4;

  private static final int OLDEST_MINOR = 4;

  private final RawDatabase database;
  private final RawDatabase admin;
  private final CapturePolicy policy;
  private final CaptureSession session;

  /**
   * Of a database whose client outlives the capture.
   *
   * @param admin the server's {@code admin}, over connections that reading does not use up
   */
  public DatabaseCapture(
      RawDatabase database, RawDatabase admin, CapturePolicy policy, CaptureSession session) {
    this.database = database;
    this.admin = admin;
    this.policy = policy;
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
      requireSupported(server);
      List<CollectionSpec> found = database.collectionsWithoutIndexes();
      requireCapturable(server, found);
      Ladder ladder = Ladder.of(server, policy, found);
      ladder.require(database.name());
      Progress progress = new Progress(session, database.dataBytes());
      String feature = featureVersion();
      Climb climb =
          new Climb(
              new Capturing(database, server, feature, policy, session, progress), admin, ladder);
      describe(server, climb.capture(), expected);
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.source("capture of database " + database.name(), e);
    } catch (BackupException.Source e) {
      session.stopping().check();
      throw e;
    }
  }

  private void requireCapturable(ServerFacts server, List<CollectionSpec> collections)
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

  /** Takes a right that readers do not have, so it is not insisted on. */
  private String featureVersion() {
    BsonDocument ask =
        new BsonDocument("getParameter", new BsonInt32(1))
            .append("featureCompatibilityVersion", new BsonInt32(1));
    try {
      BsonValue told = admin.run(ask).get("featureCompatibilityVersion");
      return told instanceof BsonDocument document
          ? document.getString("version", new BsonString("")).getValue()
          : "";
    } catch (MongoException e) {
      if (DriverErrors.isUnreachable(e)) {
        throw e;
      }
      return "";
    }
  }

  private static void requireSupported(ServerFacts server) throws BackupException.Source {
    if (!server.isAtLeast(OLDEST_MAJOR, OLDEST_MINOR)) {
      throw new BackupException.Source(
          MongoFailure.UNSUPPORTED_SERVER,
          "server is of version %s, captured are %d.%d and later"
              .formatted(server.version(), OLDEST_MAJOR, OLDEST_MINOR));
    }
  }

  private void describe(ServerFacts server, DatabaseArchive archive, List<String> expected)
      throws IOException {
    CaptureMeta meta = archive.meta();
    ArtifactName name = Layout.archiveOf(database.name());
    session.artifact(Layout.META, Form.WHOLE.remembered(), meta::writeTo);
    session.property(Layout.ARCHIVE_PROPERTY, name.value());
    session.property(Layout.DATABASE_PROPERTY, database.name());
    session.version("mongodb", server.version());
    session.property("consistency", meta.consistency());
    session.property("topology", server.topology().name());
    describe(meta.moment());
    archive.changes().forEach(this::reportChange);
    archive.invalidTexts().forEach(session::finding);
    meta.moment().apart().forEach(this::reportApart);
    reportIfNothingHeld(meta, server);
    UserPassages.left(admin, List.of()).ifPresent(session::finding);
    meta.collections().forEach(this::count);
    meta.users().forEach(this::count);
    Set<String> names = new HashSet<>();
    meta.collections().forEach(item -> names.add(item.spec().name()));
    expected.stream().filter(e -> !names.contains(e)).forEach(this::reportAbsent);
  }

  private void describe(CaptureMoment moment) {
    if (!moment.featureVersion().isEmpty()) {
      session.version("mongodb feature compatibility", moment.featureVersion());
    }
    if (!moment.replicaSet().isEmpty()) {
      session.property("replicaSet", moment.replicaSet());
    }
    if (moment.hasTime()) {
      session.property("start", OplogTimes.text(moment.start()));
      session.property("end", OplogTimes.text(moment.end()));
      describeSpan(moment);
    }
  }

  /** Of one term, whatever happened between: a stream of the oplog goes on from its end. */
  private void describeSpan(CaptureMoment moment) {
    String id = new OplogReader(database.client()).replicaSetId().map(i -> "." + i).orElse("");
    String lineage = OplogReader.lineage(moment.replicaSet()) + id;
    long term = database.majorityTerm();
    session.span(
        new CaptureSpan(
            OplogTimes.position(lineage, term, moment.start()),
            OplogTimes.position(lineage, term, moment.end()),
            OplogTimes.instantAfter(moment.end())));
  }

  private void reportIfNothingHeld(CaptureMeta meta, ServerFacts server) {
    if (meta.consistency().equals(Consistency.NONE.name())) {
      session.finding(
          new Finding(
              policy.isNoneAccepted()
                  ? MongoFailure.NOT_CONSISTENT
                  : MongoFailure.NOTHING_HELD_TOGETHER,
              database.name(),
              "%d collections of a server of topology %s were read while others could write"
                  .formatted(meta.collections().size(), server.topology())));
    }
  }

  private void reportChange(String change) {
    session.finding(new Finding(MongoFailure.CHANGED_DURING_CAPTURE, database.name(), change));
  }

  private void reportApart(String collection) {
    session.finding(
        new Finding(
            MongoFailure.OUTSIDE_THE_SNAPSHOT,
            itemName(collection),
            "capped, so it was read as it was later than everything else"));
  }

  private void count(CaptureMeta.Item item) {
    session.captured(
        InventoryItem.of(
            itemName(item.spec().name()),
            item.tally().documents(),
            item.tally().bytes(),
            item.tally().content()));
  }

  /** Without a digest: what it is made of are secrets. */
  private void count(CaptureMeta.Users of) {
    session.captured(
        InventoryItem.of(itemName(of.name()), of.tally().documents(), of.tally().bytes()));
  }

  /** An expected count of 0 would be met by a collection that is not there. */
  private void reportAbsent(String collection) {
    session.finding(
        new Finding(
            CoreFailure.LESS_THAN_EXPECTED,
            itemName(collection),
            "expected the collection, found none of this name"));
  }

  private String itemName(String collection) {
    return database.name() + "." + collection;
  }
}
