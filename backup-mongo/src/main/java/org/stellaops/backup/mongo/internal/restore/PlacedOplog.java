package org.stellaops.backup.mongo.internal.restore;

import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.Namespace;
import org.stellaops.backup.mongo.internal.oplog.OplogSelection;

/**
 * Where entries of an oplog go: to where the collections of the archive went. One thread.
 *
 * @see Placements
 */
final class PlacedOplog implements OplogSelection {
  private static final String BUCKETS = "system.buckets.";
  private static final String VIEWS = "system.views";

  private final String archived;
  private final String database;
  private final RestoreSettings settings;
  private final String beside;
  private final Map<Namespace, Namespace> sources = new HashMap<>();

  /**
   * @param archived the database's name in the oplog
   * @param beside prefix under which collections are filled; empty where they are filled in place
   */
  PlacedOplog(String archived, String database, RestoreSettings settings, String beside) {
    this.archived = archived;
    this.database = database;
    this.settings = settings;
    this.beside = beside;
  }

  @Override
  public boolean holdsDatabase(String name) {
    return name.equals(archived);
  }

  @Override
  public boolean mayHold(Namespace target) {
    return target.collection().startsWith(beside);
  }

  /**
   * The name that it is filled under.
   *
   * @throws UncheckedIOException of a {@link BackupException.Target} if it would have none, or that
   *     of another collection
   */
  @Override
  public Optional<Namespace> target(Namespace source) {
    if (!holdsDatabase(source.database())) {
      return Optional.empty();
    }
    if (source.collection().equals(VIEWS)) {
      return Optional.of(new Namespace(database, VIEWS)); // views are told, not written
    }
    boolean isBuckets = source.collection().startsWith(BUCKETS);
    String name = isBuckets ? source.collection().substring(BUCKETS.length()) : source.collection();
    if (!settings.isSelected(name)) {
      return Optional.empty();
    }
    Namespace plain = new Namespace(archived, name);
    String placed = (isBuckets ? BUCKETS : "") + beside + placed(plain);
    return Optional.of(new Namespace(database, placed));
  }

  private String placed(Namespace source) {
    try {
      String name = settings.nameOf(source, database);
      Namespace other = sources.putIfAbsent(new Namespace(database, name), source);
      if (other != null && !other.equals(source)) {
        throw new BackupException.Target(
            MongoFailure.NOT_RESTORABLE,
            "%s and %s would both become %s".formatted(other, source, name));
      }
      return name;
    } catch (BackupException.Target e) {
      throw new UncheckedIOException(e);
    }
  }
}
