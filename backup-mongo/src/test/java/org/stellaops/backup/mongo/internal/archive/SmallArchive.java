package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;

/** Archives made for tests, with everything an archive can have. */
final class SmallArchive {
  static final String DB = "issuers";
  static final CollectionSpec KEYS =
      new CollectionSpec(
          "keys",
          "collection",
          new BsonDocument("capped", BsonBoolean.TRUE).append("size", new BsonInt32(4096)),
          List.of(index("_id_", "_id"), index("by \"quoted\"", "a\"b\\c.$x")),
          "00112233445566778899aabbccddeeff");
  static final CollectionSpec AUDIT =
      new CollectionSpec(
          "audit", "collection", new BsonDocument(), List.of(index("_id_", "_id")), "");
  static final CollectionSpec EMPTY =
      new CollectionSpec("empty", "collection", new BsonDocument(), List.of(), "");
  static final CollectionSpec VIEW =
      new CollectionSpec(
          "view",
          "view",
          new BsonDocument("viewOn", new BsonString("keys")).append("pipeline", new BsonArray()),
          List.of(),
          "");
  static final List<CollectionSpec> ALL = List.of(AUDIT, EMPTY, KEYS, VIEW);

  private SmallArchive() {}

  static BsonDocument index(String name, String key) {
    return new BsonDocument("v", new BsonInt32(2))
        .append("key", new BsonDocument(key, new BsonInt32(1)))
        .append("name", new BsonString(name));
  }

  static byte[] document(int id, int payloadBytes) {
    byte[] payload = new byte[payloadBytes];
    new Random(id).nextBytes(payload);
    return ArchiveWriter.encode(
        new BsonDocument("_id", new BsonInt32(id)).append("payload", new BsonBinary(payload)));
  }

  static Prelude prelude(List<CollectionSpec> specs) {
    List<Prelude.Entry> entries = new ArrayList<>();
    for (CollectionSpec spec : specs) {
      entries.add(new Prelude.Entry(namespace(spec), MetadataJson.write(spec), spec.type()));
    }
    return new Prelude(4, "7.0.14", "test", entries);
  }

  static Namespace namespace(CollectionSpec spec) {
    return new Namespace(DB, spec.name());
  }

  /** One collection of documents with payloads of these sizes. */
  static byte[] of(int... payloadBytes) throws IOException {
    BytesOutput out = new BytesOutput();
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(prelude(List.of(KEYS)));
    writer.begin(namespace(KEYS));
    for (int id = 0; id < payloadBytes.length; id++) {
      byte[] document = document(id, payloadBytes[id]);
      writer.document(namespace(KEYS), document, 0, document.length);
    }
    writer.end(namespace(KEYS));
    writer.finish();
    return out.bytes();
  }

  /** Two collections that take turns, an empty one and a view; and what a capture remembers. */
  static Whole whole() throws IOException {
    BytesOutput out = new BytesOutput();
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(prelude(ALL));
    for (CollectionSpec spec : ALL) {
      writer.begin(namespace(spec));
    }
    for (int id = 0; id < 6; id++) {
      byte[] document = document(id, 5 * id);
      writer.document(namespace(id % 2 == 0 ? KEYS : AUDIT), document, 0, document.length);
    }
    List<CaptureMeta.Item> items = new ArrayList<>();
    for (CollectionSpec spec : ALL) {
      items.add(new CaptureMeta.Item(spec, writer.end(namespace(spec))));
    }
    writer.finish();
    CaptureMeta meta =
        new CaptureMeta(DB, "7.0.14", "NONE", writer.preludeBytes(), writer.preludeDigest(), items);
    return new Whole(out.bytes(), meta);
  }

  record Whole(byte[] archive, CaptureMeta meta) {}
}
