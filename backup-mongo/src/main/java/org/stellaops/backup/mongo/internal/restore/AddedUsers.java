package org.stellaops.backup.mongo.internal.restore;

import com.mongodb.MongoCommandException;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.bson.BsonDocument;
import org.stellaops.backup.mongo.internal.driver.RawDatabase;

/**
 * The users and roles that a restore has added, noted before it does, so that they can go again.
 */
public final class AddedUsers {
  /** UserNotFound, RoleNotFound (mongo, src/mongo/base/error_codes.yml). */
  private static final Set<Integer> NOT_FOUND = Set.of(11, 31);

  private final Queue<BsonDocument> drops = new ConcurrentLinkedQueue<>();

  private volatile boolean isReplacing;

  /** None yet. */
  public AddedUsers() {}

  /** Others are dropped or changed, for good. */
  void replacing() {
    isReplacing = true;
  }

  boolean isReplacing() {
    return isReplacing;
  }

  void add(UserKind kind, BsonDocument one) {
    drops.add(kind.drop(one));
  }

  /** Drops those that are there. */
  void drop(RawDatabase database) {
    for (BsonDocument drop = drops.poll(); drop != null; drop = drops.poll()) {
      try {
        database.run(drop);
      } catch (MongoCommandException e) {
        if (!NOT_FOUND.contains(e.getErrorCode())) {
          throw e;
        }
      }
    }
  }
}
