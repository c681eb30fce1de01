package org.stellaops.backup.mongo;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bson.RawBsonDocument;
import org.stellaops.backup.mongo.internal.archive.ArchiveReader;
import org.stellaops.backup.mongo.internal.archive.CaptureMeta;
import org.stellaops.backup.mongo.internal.archive.Prelude;
import org.stellaops.backup.testkit.Captured;

/** What a captured archive holds, read with all that an archive is held to. */
final class ArchivedDocuments {
  private ArchivedDocuments() {}

  /** By collection, in the archive's order. */
  static Map<String, List<RawBsonDocument>> of(Captured captured, String database)
      throws IOException {
    Map<String, List<RawBsonDocument>> documents = new TreeMap<>();
    ArchiveReader.Visitor visitor =
        new ArchiveReader.Visitor() {
          @Override
          public void prelude(Prelude prelude) {
            prelude
                .entries()
                .forEach(e -> documents.put(e.namespace().collection(), new ArrayList<>()));
          }

          @Override
          public void document(Prelude.Entry of, byte[] buffer, int offset, int length) {
            documents
                .get(of.namespace().collection())
                .add(new RawBsonDocument(Arrays.copyOfRange(buffer, offset, offset + length)));
          }
        };
    byte[] archive = captured.bytes(database + ".archive");
    meta(captured).requireSame(ArchiveReader.read(new ByteArrayInputStream(archive), visitor));
    return documents;
  }

  static CaptureMeta meta(Captured captured) throws IOException {
    return CaptureMeta.read(new ByteArrayInputStream(captured.bytes("mongo-meta.bson")));
  }
}
