package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bson.RawBsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.Stopping;

/** Looks for each document of an archive in a database that holds others, too. Writes nothing. */
final class MergeComparison implements ArchiveReader.Visitor {
  private static final int MAX_BYTES = 8 << 20;
  private static final int MAX_DOCUMENTS = 1_000;
  private static final int MAX_NAMED = 10;

  private final RawDatabase database;
  private final Retrying retrying;
  private final Map<Namespace, CollectionSpec> specs = new HashMap<>();
  private final List<RawBsonDocument> batch = new ArrayList<>();
  private int batchBytes;
  private @Nullable CollectionSpec batchOf;
  private final List<String> differing = new ArrayList<>();
  private long different;
  private final List<String> absent = new ArrayList<>();
  private long missing;

  MergeComparison(RawDatabase database, Placements placements, Stopping stopping) {
    this.database = database;
    this.retrying = new Retrying(stopping);
    for (Placement placement : placements.all()) {
      specs.put(placement.archived(), placement.load());
    }
  }

  /** What stands in the way of inserting the rest. */
  Optional<BackupException> conflict() {
    return different == 0
        ? Optional.empty()
        : Optional.of(
            new BackupException.Target(
                MongoFailure.DOCUMENTS_DIFFER,
                "%d documents are there with other content: %s"
                    .formatted(different, named(differing, different))));
  }

  /** What makes the merge a failure afterwards. */
  Optional<BackupException> incomplete() {
    if (conflict().isPresent() || missing == 0) {
      return conflict();
    }
    return Optional.of(
        new BackupException.Target(
            CoreFailure.CONTENT_DIFFERS,
            "%d documents are not there: %s".formatted(missing, named(absent, missing))));
  }

  private static String named(List<String> some, long all) {
    return String.join("; ", some) + (all > some.size() ? "; …" : "");
  }

  @Override
  public void document(Prelude.Entry of, byte[] buffer, int offset, int length) throws IOException {
    CollectionSpec spec = specs.get(of.namespace());
    if (spec == null) {
      return;
    }
    boolean isOther = batchOf == null || !batchOf.name().equals(spec.name());
    if (isOther || batchBytes + length > MAX_BYTES || batch.size() >= MAX_DOCUMENTS) {
      look();
    }
    batchOf = spec;
    batch.add(new RawBsonDocument(Arrays.copyOfRange(buffer, offset, offset + length)));
    batchBytes += length;
  }

  @Override
  public void end(Prelude.Entry of, Tally tally) throws IOException {
    look();
  }

  private void look() throws IOException {
    CollectionSpec spec = batchOf;
    if (spec == null || batch.isEmpty()) {
      return;
    }
    retrying.stopping().check();
    PresentDocuments present =
        retrying.call(number -> PresentDocuments.of(database, spec.dataName(), batch));
    for (RawBsonDocument document : batch) {
      note(spec, document, present.look(document));
    }
    batch.clear();
    batchBytes = 0;
  }

  private void note(
      CollectionSpec spec, RawBsonDocument document, PresentDocuments.Presence presence) {
    switch (presence) {
      case OTHER -> different += name(differing, spec, document);
      case ABSENT -> missing += name(absent, spec, document);
      case SAME -> {}
    }
  }

  private int name(List<String> into, CollectionSpec spec, RawBsonDocument document) {
    if (into.size() < MAX_NAMED) {
      into.add(
          "%s.%s _id %s"
              .formatted(
                  database.name(),
                  spec.name(),
                  FailedDocuments.shown(PresentDocuments.id(document))));
    }
    return 1;
  }
}
