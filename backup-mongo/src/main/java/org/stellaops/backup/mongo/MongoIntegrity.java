package org.stellaops.backup.mongo;

import com.mongodb.client.MongoClient;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bson.BsonDocument;
import org.stellaops.backup.model.CapturedSource;
import org.stellaops.backup.model.InventoryItem;
import org.stellaops.backup.mongo.internal.archive.Layout;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;
import org.stellaops.backup.spi.Stopping;

/**
 * What a database is asked to show that it is sound: the server validates each collection with its
 * indexes, and what the caller says must hold. A value.
 *
 * <p>Validating takes the role {@code dbAdmin} and, while it runs, time from whoever writes to the
 * collection. What cannot be looked at is a finding of its own, {@link MongoFailure#NOT_CHECKED},
 * and never counts as sound.
 */
public final class MongoIntegrity {
  private static final Duration AN_HOUR = Duration.ofHours(1);

  private final boolean isFull;
  private final Duration toAnswer;
  private final List<MongoInvariant> invariants;

  private MongoIntegrity(boolean isFull, Duration toAnswer, List<MongoInvariant> invariants) {
    this.isFull = isFull;
    this.toAnswer = toAnswer;
    this.invariants = List.copyOf(invariants);
  }

  /** The server's {@code validate} of every collection. */
  public static MongoIntegrity standard() {
    return new MongoIntegrity(false, AN_HOUR, List.of());
  }

  /** With {@code full}: slower, and it holds a lock meanwhile. */
  public MongoIntegrity full() {
    return new MongoIntegrity(true, toAnswer, invariants);
  }

  /** How long each invariant may take; longer is a failure. An hour unless said. */
  public MongoIntegrity answeringWithin(Duration atMost) {
    return new MongoIntegrity(isFull, atMost, invariants);
  }

  /** A collection that must have so many documents. */
  public MongoIntegrity expect(String collection, long documents) {
    return with(MongoInvariant.count(collection, documents));
  }

  /** Every collection must have as many documents as the manifest of a snapshot says. */
  public MongoIntegrity equalsManifest(CapturedSource captured) {
    String prefix = captured.properties().getOrDefault(Layout.DATABASE_PROPERTY, "") + ".";
    MongoIntegrity all = this;
    for (InventoryItem item : captured.inventory()) {
      if (item.name().startsWith(prefix) && item.content().isPresent()) {
        all = all.expect(item.name().substring(prefix.length()), item.count());
      }
    }
    return all;
  }

  /**
   * Something that no document may be.
   *
   * @param name what a finding calls it
   * @param filter as Extended JSON; a document that matches breaks it
   */
  public MongoIntegrity none(String collection, String name, String filter) {
    return with(MongoInvariant.none(collection, name, BsonDocument.parse(filter)));
  }

  /**
   * Asks a database.
   *
   * @throws org.stellaops.backup.model.BackupException.Source if the server cannot be asked
   */
  public MongoIntegrityReport check(MongoClient client, String db, Stopping stopping)
      throws IOException {
    return check(new RawDatabase(client, db), "", stopping);
  }

  /** The same for collections whose names begin with a prefix, which invariants do not say. */
  MongoIntegrityReport check(RawDatabase database, String prefix, Stopping stopping)
      throws IOException {
    return new MongoIntegrityRun(this, database, prefix, stopping).run();
  }

  boolean isFull() {
    return isFull;
  }

  Duration toAnswer() {
    return toAnswer;
  }

  List<MongoInvariant> invariants() {
    return invariants;
  }

  @Override
  public String toString() {
    return "MongoIntegrity[" + invariants.size() + " invariants]";
  }

  private MongoIntegrity with(MongoInvariant another) {
    List<MongoInvariant> more = new ArrayList<>(invariants);
    more.add(another);
    return new MongoIntegrity(isFull, toAnswer, more);
  }
}
