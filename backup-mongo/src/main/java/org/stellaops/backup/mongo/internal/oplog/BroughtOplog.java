package org.stellaops.backup.mongo.internal.oplog;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.bson.BsonTimestamp;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.internal.archive.Namespace;

/**
 * What the properties of a capture remember of the oplog that an archive of mongodump's brings
 * along. A value.
 *
 * @param first entry: where mongodump began
 * @param last entry: replayed up to there, the archive is one state
 * @param created one collection of each database that the archive knows from its oplog only
 */
public record BroughtOplog(BsonTimestamp first, BsonTimestamp last, List<Namespace> created) {
  private static final String CONSISTENCY = "consistency";
  private static final String FIRST = "start";
  private static final String LAST = "end";
  private static final String CREATED = "oplog.creates.";
  private static final String OBSTACLE = "oplog.obstacle";

  public BroughtOplog {
    created = List.copyOf(created);
  }

  /** Whether a capture brings a part of the oplog along that makes it one state. */
  public static boolean isOf(Map<String, String> properties) {
    return Consistency.OPLOG_FENCED.name().equals(properties.get(CONSISTENCY));
  }

  /** Why the oplog of an archive makes no one state of it; empty where it does, or has none. */
  public static Optional<String> obstacle(Map<String, String> properties) {
    return Optional.ofNullable(properties.get(OBSTACLE));
  }

  /**
   * What properties say.
   *
   * @throws IllegalArgumentException if they do not say it
   */
  public static BroughtOplog of(Map<String, String> properties) {
    List<Namespace> created = new ArrayList<>();
    String next = properties.get(CREATED + 0);
    while (next != null) {
      created.add(Operation.parse(next));
      next = properties.get(CREATED + created.size());
    }
    return new BroughtOplog(place(properties, FIRST), place(properties, LAST), created);
  }

  private static BsonTimestamp place(Map<String, String> properties, String key) {
    return OplogTimes.parse(properties.getOrDefault(key, ""));
  }

  /** Says it in properties. */
  public void describe(BiConsumer<String, String> property) {
    property.accept(CONSISTENCY, Consistency.OPLOG_FENCED.name());
    property.accept(FIRST, OplogTimes.text(first));
    property.accept(LAST, OplogTimes.text(last));
    for (int i = 0; i < created.size(); i++) {
      property.accept(CREATED + i, created.get(i).toString());
    }
  }

  /** Says in properties why there is none to replay. */
  public static void describe(String obstacle, BiConsumer<String, String> property) {
    property.accept(OBSTACLE, obstacle);
  }
}
