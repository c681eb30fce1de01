package org.stellaops.backup.mongo.internal.capture;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.stellaops.backup.model.BackupException;
import org.stellaops.backup.mongo.Consistency;
import org.stellaops.backup.mongo.MongoFailure;
import org.stellaops.backup.mongo.internal.archive.CollectionSpec;
import org.stellaops.backup.mongo.internal.driver.ServerFacts;

/**
 * Which levels of consistency can be tried, by what the server says of itself and what was asked
 * for. Decides, and does nothing.
 *
 * @param levels best first; none where nothing that was required can be had
 * @param obstacles why each better level cannot be had, as sentences
 */
public record Ladder(List<Consistency> levels, List<String> obstacles) {
  private static final List<Consistency> BEST_FIRST =
      List.of(
          Consistency.SNAPSHOT,
          Consistency.OPLOG_FENCED,
          Consistency.FSYNC_LOCKED,
          Consistency.QUIESCED,
          Consistency.NONE);

  public Ladder {
    levels = List.copyOf(levels);
    obstacles = List.copyOf(obstacles);
  }

  /** Of a database with these collections. */
  public static Ladder of(
      ServerFacts server, CapturePolicy policy, List<CollectionSpec> collections) {
    List<Consistency> levels = new ArrayList<>();
    List<String> obstacles = new ArrayList<>();
    for (Consistency level : BEST_FIRST) {
      if (policy.allows(level)) {
        String obstacle = obstacle(level, server, policy, collections);
        if (obstacle == null) {
          levels.add(level);
        } else {
          obstacles.add(level + " " + obstacle);
        }
      }
    }
    return new Ladder(levels, obstacles);
  }

  private static @Nullable String obstacle(
      Consistency level,
      ServerFacts server,
      CapturePolicy policy,
      List<CollectionSpec> collections) {
    return switch (level) {
      case SNAPSHOT -> ofSnapshot(server, policy, collections);
      case OPLOG_FENCED -> isReplicaSet(server) ? null : needsReplicaSet(server);
      case FSYNC_LOCKED ->
          policy.lockAtMost() == null
              ? "was not allowed by fsyncLock"
              : server.topology() == ServerFacts.Topology.SHARDED
                  ? "locks no sharded cluster"
                  : null;
      case QUIESCED -> policy.quiesce() == null ? "has no quiesce hook" : null;
      case NONE -> null;
    };
  }

  private static @Nullable String ofSnapshot(
      ServerFacts server, CapturePolicy policy, List<CollectionSpec> collections) {
    if (!isReplicaSet(server)) {
      return needsReplicaSet(server);
    }
    if (!server.isAtLeast(5, 0)) {
      return "needs version 5.0, this is " + server.version();
    }
    List<String> capped =
        collections.stream().filter(CollectionSpec::isCapped).map(CollectionSpec::name).toList();
    boolean isRequired = policy.required() == Consistency.SNAPSHOT;
    return isRequired && !capped.isEmpty()
        ? "cannot be had of capped collections, there are " + String.join(", ", capped)
        : null;
  }

  private static boolean isReplicaSet(ServerFacts server) {
    return server.topology() == ServerFacts.Topology.REPLICA_SET;
  }

  private static String needsReplicaSet(ServerFacts server) {
    return "needs a replica set, this is " + server.topology();
  }

  /**
   * Refuses where there is nothing to try.
   *
   * @param database for the message
   */
  void require(String database) throws BackupException.Source {
    if (levels.isEmpty()) {
      throw new BackupException.Source(
          MongoFailure.CONSISTENCY_NOT_REACHED,
          "database %s cannot be captured as it was required: %s"
              .formatted(database, String.join("; ", obstacles)));
    }
  }
}
