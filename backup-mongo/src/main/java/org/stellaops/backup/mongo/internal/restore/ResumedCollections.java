package org.stellaops.backup.mongo.internal.restore;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.mongo.MongoTarget.Existing;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker;
import org.stellaops.backup.mongo.internal.driver.RestoreMarker.Progress;
import org.stellaops.backup.mongo.internal.restore.Batch.Doubt;
import org.stellaops.backup.spi.Stopping;

/**
 * Collections that are to be filled: made where they are not there, and gone on with where an
 * earlier attempt has begun. A capped one is made anew, since its order is its content.
 */
final class ResumedCollections {
  private static final Progress FROM_THE_START = new Progress(0, 0);

  private final RawDatabase database;
  private final RestoreSettings settings;
  private final RestoreMarker marker;
  private final boolean isResumed;
  private final Retrying retrying;
  private final Map<String, Progress> progress = new HashMap<>();

  ResumedCollections(
      RawDatabase database,
      RestoreSettings settings,
      RestoreMarker marker,
      boolean isResumed,
      Stopping stopping) {
    this.marker = marker;
    this.database = database;
    this.settings = settings;
    this.isResumed = isResumed;
    this.retrying = new Retrying(stopping);
  }

  /** Makes those that are not there. */
  void create(List<CollectionSpec> specs, RestoredDefinitions definitions) throws IOException {
    List<String> names = retrying.call(number -> database.names());
    Set<String> there = new HashSet<>(names);
    if (isResumed) {
      progress.putAll(retrying.call(number -> RestoreMarker.progress(database)));
    }
    for (CollectionSpec spec : specs) {
      if (isResumed && spec.isCapped() && isOurs(spec)) {
        retrying.call(
            number -> {
              database.drop(spec.name());
              return spec;
            });
        there.remove(spec.name());
      }
      if (!there.contains(spec.name())) {
        progress.remove(spec.name());
        definitions.create(spec);
      }
    }
  }

  /** When it is merged, what was there before is not; else nothing of it is left. */
  private boolean isOurs(CollectionSpec spec) {
    return settings.existing() != Existing.MERGE || marker.collections().contains(spec.name());
  }

  /** One of them. */
  LoadedCollection loading(Placement placement) {
    boolean mayHold = isResumed || settings.existing() == Existing.MERGE;
    return new LoadedCollection(
        placement.load(),
        settings.pace(),
        progress.getOrDefault(placement.load().name(), FROM_THE_START),
        mayHold ? Doubt.SOME : Doubt.NONE);
  }
}
