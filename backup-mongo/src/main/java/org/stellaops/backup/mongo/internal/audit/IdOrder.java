package org.stellaops.backup.mongo.internal.audit;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import org.bson.BsonBinary;
import org.bson.BsonNumber;
import org.bson.BsonType;
import org.bson.BsonValue;

/**
 * The order in which a server sorts ids (MongoDB manual, Comparison/Sort Order): null, numbers,
 * strings, binary, ObjectId, boolean, date. Two streams that a server sorted can only be merged in
 * its own order. Ids of other types are not ordered here.
 */
final class IdOrder implements Comparator<BsonValue> {
  static final IdOrder INSTANCE = new IdOrder();

  private IdOrder() {}

  /** Whether ids of this type can be ordered. */
  static boolean knows(BsonValue id) {
    return rank(id) > 0;
  }

  @Override
  public int compare(BsonValue a, BsonValue b) {
    int byType = Integer.compare(rank(a), rank(b));
    return byType != 0 ? byType : compareSame(a, b);
  }

  private static int rank(BsonValue id) {
    return switch (id.getBsonType()) {
      case NULL -> 1;
      case INT32, INT64, DOUBLE, DECIMAL128 -> 2;
      case STRING -> 3;
      case BINARY -> 4;
      case OBJECT_ID -> 5;
      case BOOLEAN -> 6;
      case DATE_TIME -> 7;
      default -> 0;
    };
  }

  private static int compareSame(BsonValue a, BsonValue b) {
    return switch (a.getBsonType()) {
      case STRING -> Arrays.compareUnsigned(utf8(a), utf8(b));
      case BINARY -> compare(a.asBinary(), b.asBinary());
      case OBJECT_ID -> a.asObjectId().compareTo(b.asObjectId());
      case BOOLEAN -> Boolean.compare(a.asBoolean().getValue(), b.asBoolean().getValue());
      case DATE_TIME -> Long.compare(a.asDateTime().getValue(), b.asDateTime().getValue());
      case NULL -> 0;
      default -> compare(a.asNumber(), b.asNumber());
    };
  }

  private static int compare(BsonNumber a, BsonNumber b) {
    boolean isWhole = a.getBsonType() != BsonType.DOUBLE && b.getBsonType() != BsonType.DOUBLE;
    return isWhole
        ? exact(a).compareTo(exact(b))
        : Double.compare(a.doubleValue() + 0.0, b.doubleValue() + 0.0);
  }

  private static BigDecimal exact(BsonNumber number) {
    return number.getBsonType() == BsonType.DECIMAL128
        ? number.decimal128Value().bigDecimalValue()
        : BigDecimal.valueOf(number.longValue());
  }

  private static int compare(BsonBinary a, BsonBinary b) {
    int byLength = Integer.compare(a.getData().length, b.getData().length);
    int bySubtype = Integer.compare(a.getType() & 0xff, b.getType() & 0xff);
    return byLength != 0
        ? byLength
        : bySubtype != 0 ? bySubtype : Arrays.compareUnsigned(a.getData(), b.getData());
  }

  private static byte[] utf8(BsonValue text) {
    return text.asString().getValue().getBytes(StandardCharsets.UTF_8);
  }
}
