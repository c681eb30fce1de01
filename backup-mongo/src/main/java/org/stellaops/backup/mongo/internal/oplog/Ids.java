package org.stellaops.backup.mongo.internal.oplog;

import java.util.Arrays;

/** Documents of one field {@code _id}, by which documents are told apart. */
final class Ids {
  /** Of double, int32, int64 and decimal, which a server compares by what they stand for. */
  private static final byte DECIMAL = 0x13;

  private static final int MOST_CHARACTERS = 200;

  private Ids() {}

  /** {@code {_id: …}} of a value. */
  static RawDocument of(RawElement id) {
    return new DocumentBuilder(id.length() + 16).add("_id", id).finish();
  }

  /** For messages. */
  static String text(RawDocument id) {
    String text = id.toString();
    return text.length() > MOST_CHARACTERS ? text.substring(0, MOST_CHARACTERS) + "…" : text;
  }

  /**
   * The same for all ids that a server takes for one, so also for 1, 1.0 and {@code NumberLong(1)};
   * what is equal is then written by one thread, in order.
   */
  static int partition(RawDocument id, int partitions) {
    return Math.floorMod(hash(id.first()) * 0x9E3779B9 >>> 8, partitions);
  }

  private static int hash(RawElement value) {
    return switch (value.type()) {
      case RawElement.DOUBLE, RawElement.INT32, RawElement.INT64 -> Long.hashCode(value.number());
      case DECIMAL -> 0;
      case RawElement.DOCUMENT, RawElement.ARRAY -> hashOfFields(value.document());
      default ->
          Arrays.hashCode(
              Arrays.copyOfRange(value.array(), value.start(), value.start() + value.length()));
    };
  }

  private static int hashOfFields(RawDocument document) {
    int hash = 1;
    for (RawElement field : document) {
      hash = 31 * hash + hash(field);
    }
    return hash;
  }
}
