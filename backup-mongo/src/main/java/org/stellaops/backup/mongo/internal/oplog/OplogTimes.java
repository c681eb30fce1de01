package org.stellaops.backup.mongo.internal.oplog;

import java.time.Instant;
import org.bson.BsonTimestamp;
import org.stellaops.backup.model.Position;

/** Places in an oplog, as this library writes them. */
public final class OplogTimes {
  private OplogTimes() {}

  /** {@code seconds.increment}, both decimal. */
  public static String text(BsonTimestamp ts) {
    return Integer.toUnsignedString(ts.getTime()) + "." + Integer.toUnsignedString(ts.getInc());
  }

  /**
   * What {@link #text} wrote.
   *
   * @throws IllegalArgumentException if it did not
   */
  public static BsonTimestamp parse(String text) {
    int dot = text.indexOf('.');
    if (dot < 0) {
      throw new IllegalArgumentException("no place in an oplog: " + text);
    }
    BsonTimestamp parsed =
        new BsonTimestamp(
            Integer.parseUnsignedInt(text.substring(0, dot)),
            Integer.parseUnsignedInt(text.substring(dot + 1)));
    if (!text(parsed).equals(text)) {
      throw new IllegalArgumentException("no place in an oplog: " + text);
    }
    return parsed;
  }

  /** To the second, which is all that it says. */
  public static Instant instant(BsonTimestamp ts) {
    return Instant.ofEpochSecond(Integer.toUnsignedLong(ts.getTime()));
  }

  /** A whole second that is behind it: it says no part of one. */
  public static Instant instantAfter(BsonTimestamp ts) {
    return Instant.ofEpochSecond(Integer.toUnsignedLong(ts.getTime()) + 1);
  }

  /**
   * Behind an entry.
   *
   * @param lineage of the replica set
   * @param term of the election of the primary that wrote it
   */
  public static Position position(String lineage, long term, BsonTimestamp ts) {
    return new Position(lineage, term, ts.getValue(), text(ts));
  }

  /** The entry that a position is behind. */
  public static BsonTimestamp timestamp(Position position) {
    return new BsonTimestamp(position.offset());
  }

  static BsonTimestamp earlier(BsonTimestamp one, BsonTimestamp other) {
    return one.compareTo(other) <= 0 ? one : other;
  }
}
