package org.stellaops.backup.mongo.internal.driver;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.bson.BsonBoolean;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.ByteBuf;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;

/**
 * An {@code insert} as bytes, into which documents are copied as they are. The driver's own takes
 * each document for an object to be encoded, which costs more than all the rest of a restore.
 *
 * <pre>
 * {insert, ordered, writeConcern, [bypassDocumentValidation,] documents: [document*]}
 * </pre>
 */
final class InsertCommand {
  private static final int ARRAY = 0x04;
  private static final int DOCUMENT = 0x03;
  private static final byte[] DOCUMENTS = "documents\0".getBytes(StandardCharsets.US_ASCII);

  private byte[] bytes = {};
  private int length;

  private InsertCommand() {}

  /** One command; a server takes as many documents as come to 16 MiB, or one of them. */
  static RawBsonDocument of(
      String collection,
      List<RawBsonDocument> documents,
      boolean isOrdered,
      boolean isUnvalidated) {
    BsonDocument head =
        new BsonDocument("insert", new BsonString(collection))
            .append("ordered", BsonBoolean.valueOf(isOrdered))
            .append("writeConcern", new BsonDocument("w", new BsonString("majority")));
    if (isUnvalidated) {
      head.append("bypassDocumentValidation", BsonBoolean.TRUE);
    }
    InsertCommand command = new InsertCommand();
    command.write(new RawBsonDocument(head, new BsonDocumentCodec()), documents);
    return new RawBsonDocument(command.bytes);
  }

  private void write(RawBsonDocument head, List<RawBsonDocument> documents) {
    int array = arrayBytes(documents);
    ByteBuf start = head.getByteBuffer();
    bytes = new byte[start.remaining() + 1 + DOCUMENTS.length + array];
    length = start.remaining() - 1; // the final zero comes last
    start.get(bytes, 0, length);
    bytes[length++] = ARRAY;
    write(DOCUMENTS, 0, DOCUMENTS.length);
    writeInt(length, array);
    length += Integer.BYTES;
    for (int i = 0; i < documents.size(); i++) {
      bytes[length++] = DOCUMENT;
      byte[] index = index(i);
      write(index, 0, index.length);
      length++;
      ByteBuf document = documents.get(i).getByteBuffer();
      write(document.array(), document.position(), document.remaining());
    }
    length += 2; // two final zeros
    writeInt(0, length);
  }

  private static int arrayBytes(List<RawBsonDocument> documents) {
    int array = Integer.BYTES + 1;
    for (int i = 0; i < documents.size(); i++) {
      array += 1 + index(i).length + 1 + documents.get(i).getByteBuffer().remaining();
    }
    return array;
  }

  private static byte[] index(int index) {
    return Integer.toString(index).getBytes(StandardCharsets.US_ASCII);
  }

  private void write(byte[] from, int offset, int count) {
    System.arraycopy(from, offset, bytes, length, count);
    length += count;
  }

  private void writeInt(int at, int value) {
    bytes[at] = (byte) value;
    bytes[at + 1] = (byte) (value >>> 8);
    bytes[at + 2] = (byte) (value >>> 16);
    bytes[at + 3] = (byte) (value >>> 24);
  }
}
