package org.stellaops.backup.mongo.internal.driver;

import org.bson.BsonBinaryReader;
import org.bson.BsonReader;
import org.bson.BsonSerializationException;
import org.bson.BsonWriter;
import org.bson.codecs.Codec;
import org.bson.codecs.DecoderContext;
import org.bson.codecs.EncoderContext;
import org.bson.io.BsonInput;

/**
 * Reads a cursor's reply without making objects of it: documents are copied once, from the reply to
 * behind each other, by the lengths they begin with.
 *
 * <pre>
 * {cursor: {firstBatch | nextBatch: [document*], id: int64, …}, ok: 1, …}
 * </pre>
 */
final class BatchCodec implements Codec<Batch> {
  private static final int DOCUMENT = 0x03;
  private static final int ARRAY = 0x04;
  private static final int INT64 = 0x12;
  private static final int MIN_DOCUMENT_BYTES = 5;

  private final Buffers buffers;

  BatchCodec(Buffers buffers) {
    this.buffers = buffers;
  }

  @Override
  public Batch decode(BsonReader reader, DecoderContext context) {
    if (!(reader instanceof BsonBinaryReader binary)) {
      throw new AssertionError("a driver reads replies from bytes, not with " + reader.getClass());
    }
    return new Reply(binary.getBsonInput()).read();
  }

  @Override
  public void encode(BsonWriter writer, Batch batch, EncoderContext context) {
    throw new AssertionError("nobody sends a batch");
  }

  @Override
  public Class<Batch> getEncoderClass() {
    return Batch.class;
  }

  /** One reply. */
  private final class Reply {
    private final BsonInput in;
    private byte[] buffer = {};
    private int length;
    private long cursor;
    private boolean hasDocuments;

    Reply(BsonInput in) {
      this.in = in;
    }

    Batch read() {
      in.readInt32();
      for (int type = in.readByte(); type != 0; type = in.readByte()) {
        String name = in.readCString();
        if (type == DOCUMENT && name.equals("cursor")) {
          readCursor();
        } else {
          skip(type);
        }
      }
      if (!hasDocuments) {
        throw new BsonSerializationException("a reply without documents");
      }
      return new Batch(buffer, length, cursor);
    }

    private void readCursor() {
      in.readInt32();
      for (int type = in.readByte(); type != 0; type = in.readByte()) {
        String name = in.readCString();
        if (type == ARRAY && (name.equals("firstBatch") || name.equals("nextBatch"))) {
          readDocuments();
        } else if (type == INT64 && name.equals("id")) {
          cursor = in.readInt64();
        } else {
          skip(type);
        }
      }
    }

    private void readDocuments() {
      int bytes = in.readInt32();
      if (bytes < MIN_DOCUMENT_BYTES || bytes > in.getRemaining() + Integer.BYTES) {
        throw new BsonSerializationException("an array of %d bytes".formatted(bytes));
      }
      buffer = buffers.take(bytes);
      hasDocuments = true;
      for (int type = in.readByte(); type != 0; type = in.readByte()) {
        in.skipCString();
        if (type != DOCUMENT) {
          throw new BsonSerializationException("a batch with an element of type " + type);
        }
        readDocument();
      }
    }

    private void readDocument() {
      int size = in.readInt32();
      if (size < MIN_DOCUMENT_BYTES || size > buffer.length - length) {
        throw new BsonSerializationException("a document of %d bytes".formatted(size));
      }
      buffer[length] = (byte) size;
      buffer[length + 1] = (byte) (size >>> 8);
      buffer[length + 2] = (byte) (size >>> 16);
      buffer[length + 3] = (byte) (size >>> 24);
      in.readBytes(buffer, length + Integer.BYTES, size - Integer.BYTES);
      length += size;
    }

    /** Those types that servers put into replies. */
    private void skip(int type) {
      switch (type) {
        case 0x01, 0x09, 0x11, INT64 -> in.skip(Long.BYTES);
        case 0x02 -> in.skip(in.readInt32());
        case DOCUMENT, ARRAY -> in.skip(in.readInt32() - Integer.BYTES);
        case 0x05 -> in.skip(in.readInt32() + 1);
        case 0x07 -> in.skip(12);
        case 0x08 -> in.skip(1);
        case 0x0a -> in.skip(0);
        case 0x10 -> in.skip(Integer.BYTES);
        default -> throw new BsonSerializationException("a reply with a field of type " + type);
      }
    }
  }
}
