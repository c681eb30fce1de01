package org.stellaops.backup.mongo.internal.oplog;

import java.nio.charset.StandardCharsets;
import org.bson.BsonTimestamp;

/** One element of a {@link RawDocument}: a type, a name, and bytes that stay where they are. */
final class RawElement {
  static final byte DOUBLE = 0x01;
  static final byte STRING = 0x02;
  static final byte DOCUMENT = 0x03;
  static final byte ARRAY = 0x04;
  static final byte BINARY = 0x05;
  static final byte BOOLEAN = 0x08;
  static final byte DATE = 0x09;
  static final byte NULL = 0x0A;
  static final byte INT32 = 0x10;
  static final byte TIMESTAMP = 0x11;
  static final byte INT64 = 0x12;

  private final byte[] array;
  private final byte type;
  private final String name;
  private final int start;
  private final int length;

  /** A value of so many bytes at a place. */
  RawElement(byte[] array, byte type, String name, int start, int length) {
    this.array = array;
    this.type = type;
    this.name = name;
    this.start = start;
    this.length = length;
  }

  byte[] array() {
    return array;
  }

  /** As BSON numbers it. */
  byte type() {
    return type;
  }

  String name() {
    return name;
  }

  /** Where the value begins. */
  int start() {
    return start;
  }

  /** Of the value. */
  int length() {
    return length;
  }

  boolean isDocument() {
    return type == DOCUMENT;
  }

  boolean isArray() {
    return type == ARRAY;
  }

  boolean isString() {
    return type == STRING;
  }

  /** A document or an array, which is a document with numbered names. */
  RawDocument document() {
    if (type != DOCUMENT && type != ARRAY) {
      throw otherType("a document");
    }
    return new RawDocument(array, start, length);
  }

  String string() {
    if (type != STRING) {
      throw otherType("a string");
    }
    return new String(array, start + Integer.BYTES, length - 5, StandardCharsets.UTF_8);
  }

  BsonTimestamp timestamp() {
    if (type != TIMESTAMP) {
      throw otherType("a timestamp");
    }
    return new BsonTimestamp(RawDocument.int64(array, start));
  }

  /** Milliseconds since 1970. */
  long dateMillis() {
    if (type != DATE) {
      throw otherType("a date");
    }
    return RawDocument.int64(array, start);
  }

  /** The whole number of an int32, an int64, or a double that is one. */
  long number() {
    return switch (type) {
      case INT32 -> RawDocument.int32(array, start);
      case INT64 -> RawDocument.int64(array, start);
      case DOUBLE -> (long) Double.longBitsToDouble(RawDocument.int64(array, start));
      default -> throw otherType("a number");
    };
  }

  /** As the server takes a value for a condition: absent, null, false and 0 are not. */
  boolean isTrue() {
    return switch (type) {
      case BOOLEAN -> array[start] != 0;
      case INT32, INT64, DOUBLE -> number() != 0;
      case NULL -> false;
      default -> true;
    };
  }

  private IllegalArgumentException otherType(String expected) {
    return new IllegalArgumentException(
        "field %s: expected %s, found BSON type %d".formatted(name, expected, type));
  }
}
