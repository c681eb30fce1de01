package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bson.BsonTimestamp;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.Finding;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.internal.archive.ArchiveWriter;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.CaptureMoment;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.DocumentRun;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.Buffers;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;

/** The archive of one pass over a database as an artifact, and afterwards what it came to. */
final class DatabaseArchive {
  private static final String TOOL = "stella-ops-backup";

  private final RawDatabase database;
  private final ServerFacts server;
  private final String featureVersion;
  private final CapturePolicy policy;
  private final CaptureSession session;
  private final Progress progress;
  private final Pass pass;
  private final CapturedUsers users;
  private final InvalidTexts invalid = new InvalidTexts();
  private final Map<String, Tally> tallies = new HashMap<>();
  private final Buffers buffers = new Buffers();
  private List<String> changes = List.of();
  private @Nullable CaptureMeta meta;

  DatabaseArchive(Capturing capturing, Pass pass) {
    this.database = capturing.database();
    this.server = capturing.server();
    this.featureVersion = capturing.featureVersion();
    this.policy = capturing.policy();
    this.session = capturing.session();
    this.progress = capturing.progress();
    this.pass = pass;
    this.users = new CapturedUsers(database, policy.hasUsers());
  }

  /**
   * Reads everything and writes it, once.
   *
   * @throws NotHeldException if it turned out not to be of the pass's level
   */
  void writeTo(ArtifactOutput out) throws IOException {
    try {
      write(new ArchiveWriter(out));
    } catch (MongoException e) {
      throw DriverErrors.source("capture of database " + database.name(), e);
    }
  }

  private void write(ArchiveWriter writer) throws IOException {
    progress.restart();
    writer.prelude(prelude());
    List<CaptureMeta.Users> grants = users.writeTo(writer);
    readInto(writer);
    writeViews(writer);
    BsonTimestamp end = pass.at() == null ? pass.start() : pass.at();
    Tally oplog = null;
    if (pass.fence() != null) {
      writer.begin(Namespace.OPLOG);
      end = pass.fence().copyTo((b, at, n) -> writer.document(Namespace.OPLOG, b, at, n));
      oplog = writer.end(Namespace.OPLOG);
    }
    writer.finish();
    progress.tell();
    requireHeld();
    meta = meta(writer, end, oplog).with(grants);
  }

  private Prelude prelude() {
    List<Prelude.Entry> entries = new ArrayList<>();
    for (String name : users.namespaces()) {
      entries.add(new Prelude.Entry(namespace(name), "", ""));
    }
    for (CollectionSpec spec : pass.before().collections()) {
      entries.add(new Prelude.Entry(namespace(spec.name()), MetadataJson.write(spec), spec.type()));
    }
    if (pass.fence() != null) {
      entries.add(new Prelude.Entry(Namespace.OPLOG, "", ""));
    }
    return new Prelude(policy.parallelism(), server.version(), TOOL, entries);
  }

  private void readInto(ArchiveWriter writer) throws IOException {
    List<Segment> segments = segments();
    try (ParallelReading reading = new ParallelReading(lanes(segments.size()), segments)) {
      reading.into(new Written(writer));
    }
  }

  private List<Segment> segments() throws IOException {
    SegmentPlan plan = new SegmentPlan(database, policy, pass.before().dataBytes());
    List<Segment> segments = new ArrayList<>();
    for (CollectionSpec spec : pass.before().collections()) {
      session.stopping().check();
      for (Segment segment : plan.segments(spec)) {
        segments.add(pass.fence() == null ? segment : segment.unrepeated());
      }
    }
    return segments;
  }

  private List<Lane> lanes(int segments) {
    List<Lane> lanes = new ArrayList<>();
    for (int i = 0; i < Math.min(policy.parallelism(), segments); i++) {
      lanes.add(new Lane(database.reader(server, buffers), session.executor(), pass.at()));
    }
    return lanes;
  }

  private void writeViews(ArchiveWriter writer) throws IOException {
    for (CollectionSpec spec : pass.before().collections()) {
      if (spec.isView()) {
        Namespace namespace = namespace(spec.name());
        writer.begin(namespace);
        tallies.put(spec.name(), writer.end(namespace));
      }
    }
  }

  /** Looks again, before the artifact is one. */
  private void requireHeld() throws IOException {
    switch (pass.level()) {
      case SNAPSHOT, OPLOG_FENCED -> requireSameCollections();
      case FSYNC_LOCKED, QUIESCED -> requireNoChange();
      case NONE -> changes = pass.before().changes(Occupancy.of(database), tallies);
    }
  }

  /** A snapshot does not protect a collection from being dropped, or its name from being moved. */
  private void requireSameCollections() throws NotHeldException {
    List<String> moved = pass.before().moves(database.collectionsWithoutIndexes());
    if (!moved.isEmpty()) {
      throw NotHeldException.thisTime("meanwhile " + String.join(", ", moved));
    }
  }

  private void requireNoChange() throws NotHeldException {
    if (pass.lock() != null && pass.lock().isOverdue()) {
      throw NotHeldException.forGood("the lock was given up before everything was read", null);
    }
    List<String> seen = pass.before().changes(Occupancy.of(database), tallies);
    if (!seen.isEmpty()) {
      throw NotHeldException.forGood(
          "somebody wrote all the same: " + String.join(", ", seen), null);
    }
  }

  private CaptureMeta meta(ArchiveWriter writer, BsonTimestamp end, @Nullable Tally oplog) {
    List<CaptureMeta.Item> items = new ArrayList<>();
    for (CollectionSpec spec : pass.before().collections()) {
      items.add(new CaptureMeta.Item(spec, tallies.getOrDefault(spec.name(), Tally.NOTHING)));
    }
    return new CaptureMeta(
        database.name(),
        server.version(),
        pass.level().name(),
        writer.preludeBytes(),
        writer.preludeDigest(),
        items,
        new CaptureMoment(
            server.topology().name(),
            server.replicaSet(),
            featureVersion,
            pass.start(),
            end,
            apart()),
        oplog,
        List.of());
  }

  private List<String> apart() {
    return pass.level() == Consistency.SNAPSHOT
        ? pass.before().collections().stream()
            .filter(CollectionSpec::isCapped)
            .map(CollectionSpec::name)
            .toList()
        : List.of();
  }

  /** What was written. */
  CaptureMeta meta() {
    if (meta == null) {
      throw new IllegalStateException("the archive was not written");
    }
    return meta;
  }

  /** What is not text, though it says so. */
  List<Finding> invalidTexts() {
    return invalid.findings();
  }

  /** What was seen to change, where nothing held the database together. */
  List<String> changes() {
    return changes;
  }

  private Namespace namespace(String collection) {
    return new Namespace(database.name(), collection);
  }

  /** Runs into the archive. */
  private final class Written implements ParallelReading.Sink {
    private final ArchiveWriter writer;
    private final Set<Namespace> begun = new HashSet<>();

    Written(ArchiveWriter writer) {
      this.writer = writer;
    }

    @Override
    public void run(Segment of, DocumentRun run) throws IOException {
      session.stopping().check();
      if (begun.add(of.namespace())) {
        writer.begin(of.namespace());
      }
      if (run.documents() > 0) {
        writer.run(of.namespace(), run);
        String name = database.name() + "." + of.spec().name();
        invalid.add(name, run.invalidTexts(), run.named());
        progress.add(run.length(), run.documents());
      }
      buffers.release(run.release());
    }

    @Override
    public void end(Segment last) throws IOException {
      tallies.put(last.spec().name(), writer.end(last.namespace()));
    }
  }
}
