package org.stellaops.backup.mongo.internal.archive;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.model.CoreFailure;

/**
 * A BSON document of strings, numbers and booleans, read strictly: what frames an archive is of
 * this shape.
 *
 * <p>A general decoder was rejected: it recurses as deep as the bytes tell it to, and these bytes
 * are a stranger's.
 */
final class FlatDocument {
  private static final int STRING = 0x02;
  private static final int BOOLEAN = 0x08;
  private static final int INT32 = 0x10;
  private static final int INT64 = 0x12;

  private final String what;
  private final Map<String, Object> fields = new LinkedHashMap<>();

  /**
   * @param what names the document in messages
   */
  static FlatDocument parse(String what, byte[] buffer, int offset, int length)
      throws BackupException.Corrupt {
    FlatDocument document = new FlatDocument(what);
    ByteBuffer in =
        ByteBuffer.wrap(buffer, offset + Integer.BYTES, length - Integer.BYTES - 1)
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      document.readField(in);
    }
    return document;
  }

  private FlatDocument(String what) {
    this.what = what;
  }

  String string(String name) throws BackupException.Corrupt {
    return require(name, String.class);
  }

  String stringOr(String name, String otherwise) throws BackupException.Corrupt {
    return fields.containsKey(name) ? string(name) : otherwise;
  }

  boolean bool(String name) throws BackupException.Corrupt {
    return require(name, Boolean.class);
  }

  /** An int64, and nothing narrower. */
  long int64(String name) throws BackupException.Corrupt {
    return require(name, Long.class);
  }

  /** An int32 or int64 that is not negative. */
  long count(String name) throws BackupException.Corrupt {
    long value = require(name, Number.class).longValue();
    if (value < 0) {
      throw malformed("%s is negative: %d".formatted(name, value));
    }
    return value;
  }

  /** Refuses fields beyond these. */
  void requireOnly(Set<String> names) throws BackupException.Corrupt {
    if (!fields.keySet().equals(names)) {
      throw malformed("fields are %s, expected %s".formatted(fields.keySet(), names));
    }
  }

  private <T> T require(String name, Class<T> type) throws BackupException.Corrupt {
    Object value = fields.get(name);
    if (!type.isInstance(value)) {
      throw malformed("field %s is missing or of another type".formatted(name));
    }
    return type.cast(value);
  }

  private void readField(ByteBuffer in) throws BackupException.Corrupt {
    int type = in.get();
    String name = readName(in);
    Object value =
        switch (type) {
          case STRING -> readString(in);
          case BOOLEAN -> readBoolean(in);
          case INT32 -> require(in, Integer.BYTES).getInt();
          case INT64 -> require(in, Long.BYTES).getLong();
          default -> throw malformed("field %s has BSON type %d".formatted(name, type & 0xff));
        };
    if (fields.put(name, value) != null) {
      throw malformed("field %s is there twice".formatted(name));
    }
  }

  private String readName(ByteBuffer in) throws BackupException.Corrupt {
    int start = in.position();
    while (require(in, 1).get() != 0) {
      // to the zero that ends the name
    }
    return decode(in, start, in.position() - 1 - start);
  }

  private String readString(ByteBuffer in) throws BackupException.Corrupt {
    int length = require(in, Integer.BYTES).getInt();
    if (length < 1 || length > in.remaining()) {
      throw malformed("string of %d bytes, %d are left".formatted(length, in.remaining()));
    }
    int start = in.position();
    in.position(start + length);
    if (in.get(start + length - 1) != 0) {
      throw malformed("string without a final zero");
    }
    return decode(in, start, length - 1);
  }

  private boolean readBoolean(ByteBuffer in) throws BackupException.Corrupt {
    int value = require(in, 1).get();
    if (value != 0 && value != 1) {
      throw malformed("boolean of value " + (value & 0xff));
    }
    return value == 1;
  }

  private ByteBuffer require(ByteBuffer in, int bytes) throws BackupException.Corrupt {
    if (in.remaining() < bytes) {
      throw malformed("a field reaches beyond the end");
    }
    return in;
  }

  private String decode(ByteBuffer in, int start, int length) throws BackupException.Corrupt {
    try {
      CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(in.slice(start, length));
      return text.toString();
    } catch (CharacterCodingException e) {
      throw malformed("text is not UTF-8");
    }
  }

  private BackupException.Corrupt malformed(String found) {
    return new BackupException.Corrupt(CoreFailure.MALFORMED, what + ": " + found);
  }
}
