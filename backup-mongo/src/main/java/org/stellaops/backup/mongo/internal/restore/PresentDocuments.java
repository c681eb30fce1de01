package org.stellaops.backup.mongo.internal.restore;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/** What stands in a collection under the ids of some documents. */
public final class PresentDocuments {
  private static final int IDS_OF_A_QUERY = 1_000;

  private final Map<ByteBuffer, RawBsonDocument> byId;

  private PresentDocuments(Map<ByteBuffer, RawBsonDocument> byId) {
    this.byId = byId;
  }

  /** Asks for these ids. */
  public static PresentDocuments of(
      RawDatabase database, String collection, List<RawBsonDocument> documents) {
    Map<ByteBuffer, RawBsonDocument> byId = new HashMap<>();
    for (int from = 0; from < documents.size(); from += IDS_OF_A_QUERY) {
      List<BsonValue> ids = new ArrayList<>();
      documents
          .subList(from, Math.min(documents.size(), from + IDS_OF_A_QUERY))
          .forEach(d -> ids.add(id(d)));
      for (RawBsonDocument there : database.withIds(collection, ids)) {
        byId.put(key(there), there);
      }
    }
    return new PresentDocuments(byId);
  }

  /** What stands in a document's place. */
  public Presence look(RawBsonDocument document) {
    RawBsonDocument there = byId.get(key(document));
    if (there == null) {
      return Presence.ABSENT;
    }
    return bytes(there).equals(bytes(document)) ? Presence.SAME : Presence.OTHER;
  }

  /** What stands in a document's place. */
  public enum Presence {
    ABSENT,
    SAME,
    OTHER
  }

  /** A document's id; null in BSON where it has none. */
  static BsonValue id(RawBsonDocument document) {
    BsonValue id = document.get("_id");
    return id == null ? BsonNull.VALUE : id;
  }

  /** As bytes: {@code BsonDocument.equals} overlooks the order of keys. */
  private static ByteBuffer key(RawBsonDocument document) {
    return bytes(
        new RawBsonDocument(new BsonDocument("_id", id(document)), new BsonDocumentCodec()));
  }

  private static ByteBuffer bytes(RawBsonDocument document) {
    ByteBuf bytes = document.getByteBuffer();
    return ByteBuffer.wrap(bytes.array(), bytes.position(), bytes.remaining());
  }
}
