package org.stellaops.backup.architecture.broken.postgres;

import org.bson.Document;
import org.stellaops.backup.architecture.broken.mongo.KnowsPostgres;

/** A technology that knows another. */
public interface KnowsMongo {
  KnowsPostgres other();

  Document document();
}
