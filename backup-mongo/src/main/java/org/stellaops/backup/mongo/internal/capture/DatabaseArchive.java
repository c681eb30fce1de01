package org.stellaops.backup.mongo.internal.capture;

import com.mongodb.MongoException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.mongo.internal.archive.ArchiveWriter;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.MetadataJson;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.DriverErrors;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;
import org.stellaops.backup.spi.ArtifactOutput;
import org.stellaops.backup.spi.CaptureSession;

/** The archive of one database as an artifact, and afterwards what it came to. */
final class DatabaseArchive {
  /** Collections read one after the other, with nothing that holds them together. */
  private static final String CONSISTENCY = "NONE";

  private static final String TOOL = "stella-ops-backup";

  /** How often a run is told how far it is, and asked whether to stop. */
  private static final long BREATH_BYTES = 1 << 20;

  private final RawDatabase database;
  private final ServerFacts server;
  private final Occupancy occupancy;
  private final CaptureSession session;
  private @Nullable CaptureMeta meta;
  private long bytes;
  private long documents;
  private long breathAt;

  DatabaseArchive(
      RawDatabase database, ServerFacts server, Occupancy occupancy, CaptureSession session) {
    this.database = database;
    this.server = server;
    this.occupancy = occupancy;
    this.session = session;
  }

  /** Reads everything and writes it; may be called again after it failed. */
  void writeTo(ArtifactOutput out) throws IOException {
    bytes = 0;
    documents = 0;
    breathAt = 0;
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(prelude());
    List<CaptureMeta.Item> items = new ArrayList<>();
    for (CollectionSpec spec : occupancy.collections()) {
      session.stopping().check();
      items.add(new CaptureMeta.Item(spec, write(spec, writer)));
    }
    writer.finish();
    progress();
    meta =
        new CaptureMeta(
            database.name(),
            server.version(),
            CONSISTENCY,
            writer.preludeBytes(),
            writer.preludeDigest(),
            items);
  }

  /** What was written. */
  CaptureMeta meta() {
    if (meta == null) {
      throw new IllegalStateException("the archive was not written");
    }
    return meta;
  }

  private Prelude prelude() {
    List<Prelude.Entry> entries = new ArrayList<>();
    for (CollectionSpec spec : occupancy.collections()) {
      entries.add(new Prelude.Entry(namespace(spec.name()), MetadataJson.write(spec), spec.type()));
    }
    return new Prelude(1, server.version(), TOOL, entries);
  }

  private Tally write(CollectionSpec spec, ArchiveWriter writer) throws IOException {
    Namespace data = namespace(spec.dataName());
    writer.begin(data);
    if (!spec.isView()) {
      read(spec, data, writer);
    }
    return writer.end(data);
  }

  private void read(CollectionSpec spec, Namespace data, ArchiveWriter writer) throws IOException {
    try {
      database.read(
          spec.dataName(),
          (buffer, offset, length) -> {
            writer.document(data, buffer, offset, length);
            count(length);
          });
    } catch (MongoException e) {
      session.stopping().check(); // a stop closes the connection, and is then the reason
      throw DriverErrors.source("reading %s after %d documents".formatted(data, documents), e);
    }
  }

  private void count(int length) throws IOException {
    bytes += length;
    documents++;
    if (bytes - breathAt >= BREATH_BYTES) {
      breathAt = bytes;
      session.stopping().check();
      progress();
    }
  }

  private void progress() {
    session.progress(bytes, documents, Math.max(bytes, occupancy.dataBytes()));
  }

  private Namespace namespace(String collection) {
    return new Namespace(database.name(), collection);
  }
}
