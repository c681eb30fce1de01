package org.stellaops.backup.examples.quickstart;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** A whole installation that runs: two databases, evidence, configuration and a secret. */
final class LiveSystem implements AutoCloseable {
  private final Place place;
  private final Database database;
  private final Documents documents;

  private LiveSystem(Place place, Database database, Documents documents) {
    this.place = place;
    this.database = database;
    this.documents = documents;
  }

  /**
   * Starts the servers; takes over the documents.
   *
   * @param programs where PostgreSQL's programs are unpacked
   */
  static LiveSystem start(Place place, Path programs, Documents documents) throws IOException {
    return new LiveSystem(place, Database.start(place.database(), programs), documents);
  }

  Place place() {
    return place;
  }

  Database database() {
    return database;
  }

  Documents documents() {
    return documents;
  }

  /** Everything that has to come back. */
  List<Fingerprint> fingerprints() throws IOException, SQLException {
    List<Fingerprint> all = new ArrayList<>(database.fingerprints());
    all.addAll(documents.fingerprints());
    all.add(Fingerprint.ofTree("evidence locker", place.locker()));
    all.add(Fingerprint.ofFile("etc/" + Settings.CONFIGURATION, place.configuration()));
    all.add(Fingerprint.ofFile(".env", place.secrets()));
    return all;
  }

  @Override
  public void close() throws IOException {
    documents.close();
    database.close();
  }
}
