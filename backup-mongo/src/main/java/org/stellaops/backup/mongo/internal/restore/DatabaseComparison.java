package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.bson.BsonDocument;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoVerification;
import org.stellaops.backup.mongo.MongoVerification.ComparedCollection;
import org.stellaops.backup.mongo.MongoVerification.Verdict;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.archive.Tally;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.Stopping;

/** Reads a database and says how it compares with what was captured. */
public final class DatabaseComparison {
  private final RawDatabase database;
  private final RestoreSettings settings;
  private final Retrying retrying;

  /** Of a client that outlives this. */
  public DatabaseComparison(RawDatabase database, RestoreSettings settings, Stopping stopping) {
    this.database = database;
    this.settings = settings;
    this.retrying = new Retrying(stopping);
  }

  /**
   * One collection as it was captured.
   *
   * @param hasDefinition whether options and indexes are known
   */
  public record Expected(CollectionSpec spec, Tally tally, boolean hasDefinition) {
    /** With its definition. */
    public static Expected of(CollectionSpec spec, Tally tally) {
      return new Expected(spec, tally, true);
    }

    /** Of which only the documents are known. */
    public static Expected ofDocuments(String name, Tally tally) {
      CollectionSpec spec =
          new CollectionSpec(name, "collection", new BsonDocument(), List.of(), "");
      return new Expected(spec, tally, false);
    }
  }

  /**
   * Compares.
   *
   * @param archived the database's name when it was captured
   * @param isReplayed which namespaces a replay may have changed
   * @throws BackupException.Target if it cannot be said where a collection is
   */
  public MongoVerification compare(
      String archived, List<Expected> expected, Predicate<String> isReplayed) throws IOException {
    Map<String, CollectionSpec> found = new HashMap<>();
    retrying.call(number -> database.collections()).forEach(c -> found.put(c.name(), c));
    TreeSet<String> extra = new TreeSet<>(found.keySet());
    List<CollectionSpec> specs = expected.stream().map(Expected::spec).toList();
    Placements placements = Placements.of(specs, archived, database.name(), settings, "");
    Map<String, Expected> byName = new HashMap<>();
    expected.forEach(e -> byName.put(e.spec().name(), e));
    List<ComparedCollection> compared = new ArrayList<>();
    for (Placement placement : placements.all()) {
      extra.remove(placement.target().name());
      Expected of = byName.get(placement.archived().collection());
      if (of != null) {
        ComparedCollection one =
            compare(of, placement.target(), found.get(placement.target().name()));
        boolean isUnsettled = isReplayed.test(placement.archived().toString());
        compared.add(isUnsettled ? one.ofBeforeReplay() : one);
      }
    }
    return new MongoVerification(database.name(), compared, List.copyOf(extra));
  }

  private ComparedCollection compare(
      Expected expected, CollectionSpec target, @Nullable CollectionSpec found) throws IOException {
    if (found == null) {
      return compared(expected, target, Tally.NOTHING, null, Verdict.MISSING);
    }
    boolean holdsNone = target.isView() || (found.isView() && !expected.hasDefinition());
    Tally tally = holdsNone ? Tally.NOTHING : new ReadBack(database, retrying).tally(found);
    DefinitionComparison definition =
        expected.hasDefinition() ? DefinitionComparison.of(target, found) : null;
    return compared(
        expected, target, tally, definition, verdict(expected.tally(), tally, definition));
  }

  private static Verdict verdict(
      Tally expected, Tally found, @Nullable DefinitionComparison definition) {
    if (!expected.isSameContent(found)) {
      return Verdict.CONTENT_DIFFERS;
    }
    boolean isSame =
        definition == null || (definition.missing().isEmpty() && definition.different().isEmpty());
    return isSame ? Verdict.SAME : Verdict.DEFINITION_DIFFERS;
  }

  private ComparedCollection compared(
      Expected expected,
      CollectionSpec target,
      Tally found,
      @Nullable DefinitionComparison definition,
      Verdict verdict) {
    return new ComparedCollection(
        database.name() + "." + target.name(),
        expected.tally().documents(),
        found.documents(),
        expected.tally().content(),
        found.content(),
        definition == null ? List.of() : definition.indexesMissing(),
        definition == null ? List.of() : definition.indexesExtra(),
        definition == null ? List.of() : definition.conflicts(),
        verdict);
  }
}
