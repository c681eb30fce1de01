package org.stellaops.backup.mongo.internal.oplog;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/** Where a replay goes that writes nothing. */
final class NoServer implements ReplayServer {
  @Override
  public Map<RawDocument, RawDocument> fetch(Namespace namespace, Collection<RawDocument> ids) {
    throw nothing();
  }

  @Override
  public void write(Namespace namespace, List<Change> changes) {
    throw nothing();
  }

  @Override
  public void run(String database, BsonDocument command) {
    throw nothing();
  }

  @Override
  public List<String> names(String database) {
    throw nothing();
  }

  private static IllegalStateException nothing() {
    return new IllegalStateException("a replay that writes nothing asked a server");
  }
}
