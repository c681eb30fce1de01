package org.stellaops.backup.mongo.internal.archive;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;

/** Archives that no server of the tests could be made to give. */
public final class TestArchive {
  private TestArchive() {}

  /** A collection with these options and no index of its own. */
  public static CollectionSpec collection(String name, String options) {
    return new CollectionSpec(
        name,
        "collection",
        BsonDocument.parse(options),
        List.of(BsonDocument.parse("{v: 2, key: {_id: 1}, name: '_id_'}")),
        "");
  }

  /** The documents are those of the first collection. */
  public static byte[] of(String database, List<CollectionSpec> specs, BsonDocument... documents)
      throws IOException {
    List<Prelude.Entry> entries = new ArrayList<>();
    for (CollectionSpec spec : specs) {
      entries.add(
          new Prelude.Entry(
              new Namespace(database, spec.name()), MetadataJson.write(spec), spec.type()));
    }
    BytesOutput out = new BytesOutput();
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(new Prelude(1, "7.0.14", "test", entries));
    for (Prelude.Entry entry : entries) {
      writer.begin(entry.namespace());
      if (entry.equals(entries.get(0))) {
        for (BsonDocument document : documents) {
          byte[] bytes = ArchiveWriter.encode(document);
          writer.document(entry.namespace(), bytes, 0, bytes.length);
        }
      }
      writer.end(entry.namespace());
    }
    writer.finish();
    return out.bytes();
  }

  /** Of several databases; what a server keeps for itself has no definition. */
  public static byte[] of(Map<Namespace, List<? extends BsonDocument>> contents)
      throws IOException {
    List<Prelude.Entry> entries = new ArrayList<>();
    for (Namespace namespace : contents.keySet()) {
      boolean isOwn = namespace.database().isEmpty() || namespace.collection().startsWith("$");
      CollectionSpec spec = collection(namespace.collection(), "{}");
      entries.add(
          new Prelude.Entry(
              namespace, isOwn ? "" : MetadataJson.write(spec), isOwn ? "" : spec.type()));
    }
    BytesOutput out = new BytesOutput();
    ArchiveWriter writer = new ArchiveWriter(out);
    writer.prelude(new Prelude(1, "7.0.14", "test", entries));
    for (Namespace namespace : contents.keySet()) {
      writer.begin(namespace);
      for (BsonDocument document : contents.get(namespace)) {
        byte[] bytes = ArchiveWriter.encode(document);
        writer.document(namespace, bytes, 0, bytes.length);
      }
      writer.end(namespace);
    }
    writer.finish();
    return out.bytes();
  }

  /** The bytes of a document. */
  public static byte[] bytes(BsonDocument document) {
    return document instanceof RawBsonDocument raw
        ? bytes(raw.getByteBuffer())
        : ArchiveWriter.encode(document);
  }

  private static byte[] bytes(ByteBuf buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}
