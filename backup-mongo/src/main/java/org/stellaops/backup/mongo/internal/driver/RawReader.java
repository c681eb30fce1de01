package org.stellaops.backup.mongo.internal.driver;

import com.mongodb.ClientSessionOptions;
import com.mongodb.ReadPreference;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import org.bson.BsonTimestamp;
import org.bson.codecs.BsonValueCodecProvider;
import org.bson.codecs.configuration.CodecRegistries;
import org.jspecify.annotations.Nullable;

/**
 * Opens cursors that follow one another, all in one session of its own where the server has
 * sessions. One thread at a time.
 */
public final class RawReader implements AutoCloseable {
  private final MongoDatabase database;
  private final @Nullable ClientSession session;

  /**
   * Of a client that outlives this.
   *
   * @param hasSessions whether the server knows sessions
   */
  public RawReader(MongoClient client, String name, boolean hasSessions, Buffers buffers) {
    this.database =
        client
            .getDatabase(name)
            .withCodecRegistry(
                CodecRegistries.fromRegistries(
                    CodecRegistries.fromCodecs(new BatchCodec(buffers)),
                    CodecRegistries.fromProviders(new BsonValueCodecProvider())))
            .withReadPreference(ReadPreference.primary());
    this.session =
        hasSessions
            ? client.startSession(
                ClientSessionOptions.builder().causallyConsistent(false).snapshot(false).build())
            : null;
  }

  /**
   * A cursor, which the caller closes before the next one is opened. Nothing is sent yet.
   *
   * @param batchDocuments how many documents a reply may have; a server ends it at 16 MiB too
   * @param at the cluster time whose documents are read; null for whatever is there
   */
  public RawCursor open(
      String collection, IdRange range, int batchDocuments, @Nullable BsonTimestamp at) {
    return new RawCursor(database, session, collection, range, batchDocuments, at);
  }

  @Override
  public void close() {
    if (session != null) {
      session.close();
    }
  }
}
